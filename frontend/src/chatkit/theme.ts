/** Your colours, fonts and spacing as the `theme` option of ChatKit, for light or for dark. */
import type { ColorScheme, ThemeOption } from "@openai/chatkit";

export type Theme = {
  accent: Record<ColorScheme, string>;
  surface: Record<ColorScheme, { background: string; foreground: string }>;
  grayscale: { hue: number; tint: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 };
  radius: NonNullable<ThemeOption["radius"]>;
  density: NonNullable<ThemeOption["density"]>;
  baseSize: 14 | 15 | 16 | 17 | 18;
  fontFamily: string;
  fontFamilyMono: string;
};

export function chatKitTheme(scheme: ColorScheme, theme: Theme): ThemeOption {
  return {
    colorScheme: scheme,
    radius: theme.radius,
    density: theme.density,
    color: {
      grayscale: theme.grayscale,
      accent: { primary: theme.accent[scheme], level: 1 },
      surface: theme.surface[scheme],
    },
    typography: {
      baseSize: theme.baseSize,
      fontFamily: theme.fontFamily,
      fontFamilyMono: theme.fontFamilyMono,
    },
  };
}
