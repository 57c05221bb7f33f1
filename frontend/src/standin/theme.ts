/** Turns `options.theme` into custom properties of the element. */
import type { ChatKitOptions, ThemeOption } from "@openai/chatkit";
import type { Styles } from "./css";

const RADIUS = { pill: "22px", round: "14px", soft: "8px", sharp: "2px" };
const DENSITY = { compact: "0.8", normal: "1", spacious: "1.25" };

export function themeOf(options: ChatKitOptions): ThemeOption {
  return typeof options.theme === "string" ? { colorScheme: options.theme } : (options.theme ?? {});
}

export function themeProperties(theme: ThemeOption): Styles {
  const { color, typography } = theme;
  return {
    "--accent": color?.accent?.primary,
    "--background": color?.surface?.background,
    "--raised": color?.surface?.foreground,
    "--hue": color?.grayscale ? String(color.grayscale.hue) : undefined,
    "--radius": RADIUS[theme.radius ?? "pill"],
    "--density": DENSITY[theme.density ?? "normal"],
    "--font": typography?.fontFamily,
    "--mono": typography?.fontFamilyMono,
    "font-size": `${typography?.baseSize ?? 16}px`,
  };
}
