/**
 * How it looks, in one place: the chat takes these as ChatKit's theme, the page around it as
 * custom properties, so that the two cannot drift apart.
 */
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

export const theme: Theme = {
  accent: { light: "#1f6f5c", dark: "#7fd1b9" },
  surface: {
    light: { background: "#fbfaf7", foreground: "#ffffff" },
    dark: { background: "#151715", foreground: "#1e211f" },
  },
  grayscale: { hue: 100, tint: 2 },
  radius: "round",
  density: "normal",
  baseSize: 16,
  fontFamily: 'ui-sans-serif, system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif',
  fontFamilyMono: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace',
};

export function chatKitTheme(scheme: ColorScheme, from: Theme = theme): ThemeOption {
  return {
    colorScheme: scheme,
    radius: from.radius,
    density: from.density,
    color: {
      grayscale: from.grayscale,
      accent: { primary: from.accent[scheme], level: 1 },
      surface: from.surface[scheme],
    },
    typography: {
      baseSize: from.baseSize,
      fontFamily: from.fontFamily,
      fontFamilyMono: from.fontFamilyMono,
    },
  };
}

/** Custom properties for the page around the chat. */
export function pageProperties(scheme: ColorScheme, from: Theme = theme): Record<string, string> {
  return {
    "--page-accent": from.accent[scheme],
    "--page-background": from.surface[scheme].background,
    "--page-raised": from.surface[scheme].foreground,
    "--page-font": from.fontFamily,
    "color-scheme": scheme,
  };
}
