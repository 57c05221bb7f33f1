/** Turns ChatKit's layout properties into CSS. One unit is four pixels. */
import type { Styles } from "../css";
import type { Component } from "../types";

const UNIT = 4;

const RADII: Record<string, string> = {
  none: "0",
  "2xs": "2px",
  xs: "4px",
  sm: "6px",
  md: "8px",
  lg: "10px",
  xl: "12px",
  "2xl": "16px",
  "3xl": "20px",
  "4xl": "24px",
  full: "999px",
  "100%": "100%",
};

const FLEX: Record<string, string> = {
  start: "flex-start",
  end: "flex-end",
  between: "space-between",
  around: "space-around",
  evenly: "space-evenly",
};

const COLORS: Record<string, string> = {
  prose: "var(--ink)",
  primary: "var(--ink)",
  emphasis: "var(--ink)",
  secondary: "var(--ink-2)",
  tertiary: "var(--ink-3)",
  success: "var(--green)",
  warning: "var(--amber)",
  danger: "var(--red)",
  default: "var(--line)",
  subtle: "var(--line)",
  strong: "var(--line-strong)",
  surface: "var(--raised)",
  "surface-secondary": "var(--sunken)",
  "surface-tertiary": "var(--sunken)",
  "surface-elevated": "var(--raised)",
  "surface-elevated-secondary": "var(--sunken)",
};

const HUES: Record<string, number> = {
  red: 25,
  orange: 50,
  yellow: 95,
  green: 150,
  teal: 180,
  blue: 255,
  purple: 305,
  pink: 350,
  gray: 0,
};

/** A token, a primitive such as `blue-500`, a CSS colour, or one of these for each scheme. */
export function color(value: unknown): string | undefined {
  if (typeof value === "string") return COLORS[value] ?? primitive(value) ?? value;
  if (value && typeof value === "object" && "light" in value && "dark" in value) {
    return `light-dark(${color(value.light)}, ${color(value.dark)})`;
  }
  return undefined;
}

function primitive(value: string): string | undefined {
  const match = /^([a-z]+)-(\d{2,3})$/.exec(value);
  const hue = match?.[1] ? HUES[match[1]] : undefined;
  if (hue === undefined || !match) return undefined;
  const lightness = 1 - Number(match[2]) / 1100;
  return `oklch(${lightness.toFixed(2)} ${match[1] === "gray" ? 0 : 0.13} ${hue})`;
}

export const units = (value: unknown): string | undefined =>
  typeof value === "number" ? `${value * UNIT}px` : text(value);
export const pixels = (value: unknown): string | undefined =>
  typeof value === "number" ? `${value}px` : text(value);
const text = (value: unknown): string | undefined =>
  typeof value === "string"
    ? /^\d+(\.\d+)?$/.test(value)
      ? `${Number(value) * UNIT}px`
      : value
    : undefined;

function spacing(property: string, value: unknown): Styles {
  if (value === null || typeof value !== "object") return { [property]: units(value) };
  const sides = value as Record<string, unknown>;
  return {
    [`${property}-top`]: units(sides.top ?? sides.y),
    [`${property}-right`]: units(sides.right ?? sides.x),
    [`${property}-bottom`]: units(sides.bottom ?? sides.y),
    [`${property}-left`]: units(sides.left ?? sides.x),
  };
}

function line(value: unknown): string | undefined {
  if (typeof value === "number") return `${value}px solid var(--line)`;
  if (!value || typeof value !== "object") return undefined;
  const { size, color: tone, style } = value as Record<string, unknown>;
  return `${Number(size)}px ${style ?? "solid"} ${color(tone) ?? "var(--line)"}`;
}

function borders(value: unknown): Styles {
  if (!value || typeof value !== "object" || "size" in value) return { border: line(value) };
  const sides = value as Record<string, unknown>;
  return {
    "border-top": line(sides.top ?? sides.y),
    "border-right": line(sides.right ?? sides.x),
    "border-bottom": line(sides.bottom ?? sides.y),
    "border-left": line(sides.left ?? sides.x),
  };
}

/** Size, margin and radius, which every block can have. */
export function block(component: Component): Styles {
  const { size, minSize, maxSize } = component;
  return {
    width: pixels(component.width ?? size),
    height: pixels(component.height ?? size),
    "min-width": pixels(component.minWidth ?? minSize),
    "min-height": pixels(component.minHeight ?? minSize),
    "max-width": pixels(component.maxWidth ?? maxSize),
    "max-height": pixels(component.maxHeight ?? maxSize),
    "aspect-ratio": component.aspectRatio ? String(component.aspectRatio) : undefined,
    "border-radius": RADII[String(component.radius)],
    flex: component.flex === undefined ? undefined : String(component.flex),
    ...spacing("margin", component.margin),
  };
}

export const isImageAddress = (value: unknown): boolean =>
  /^(https?:|data:image\/|\/)/i.test(String(value));

/** A flex container. */
export function box(component: Component, direction: "row" | "col"): Styles {
  const { align, justify } = component;
  return {
    ...block(component),
    "flex-direction": direction === "row" ? "row" : "column",
    "align-items": align ? (FLEX[String(align)] ?? String(align)) : undefined,
    "justify-content": justify ? (FLEX[String(justify)] ?? String(justify)) : undefined,
    "flex-wrap": component.wrap ? String(component.wrap) : undefined,
    gap: units(component.gap),
    ...spacing("padding", component.padding),
    ...borders(component.border),
    background: color(component.background),
  };
}

export const FONT_SIZES: Record<string, string> = {
  xs: "0.75em",
  sm: "0.875em",
  md: "1em",
  lg: "1.125em",
  xl: "1.25em",
};

const WEIGHTS: Record<string, string> = {
  normal: "400",
  medium: "500",
  semibold: "600",
  bold: "700",
};

/** The properties that all texts have. */
export function typography(component: Component, sizes: Record<string, string>): Styles {
  return {
    color: color(component.color),
    "font-size": sizes[String(component.size ?? "md")],
    "font-weight": WEIGHTS[String(component.weight)],
    "text-align": component.textAlign ? String(component.textAlign) : undefined,
    "-webkit-line-clamp": component.maxLines ? String(component.maxLines) : undefined,
  };
}
