import { html, nothing } from "lit-html";
import { styled } from "../css";
import { icon } from "../icons";
import { markdown as markdownView } from "../markdown";
import type { View } from "./registry";
import { block, color, FONT_SIZES, isImageAddress, typography } from "./style";

type Editable = { name: string; placeholder?: string; required?: boolean; pattern?: string };

export const textView: View = (component) => {
  const { value, italic, lineThrough, truncate, minLines, maxLines, streaming, width } = component;
  const editable = component.editable as Editable | false | undefined;
  if (editable) {
    return html`<input
      class="field"
      name=${editable.name}
      aria-label=${editable.placeholder ?? editable.name}
      placeholder=${editable.placeholder ?? nothing}
      pattern=${editable.pattern ?? nothing}
      ?required=${editable.required}
      .value=${String(value ?? "")}
    />`;
  }
  return html`<p
    class="w-text"
    ?data-truncate=${Boolean(truncate)}
    ?data-clamp=${Boolean(maxLines)}
    ?data-streaming=${Boolean(streaming)}
    ${styled({
      ...typography(component, FONT_SIZES),
      "font-style": italic ? "italic" : undefined,
      "text-decoration": lineThrough ? "line-through" : undefined,
      "min-height": minLines ? `${minLines}lh` : undefined,
      ...(width ? block({ type: "Text", width }) : {}),
    })}
  >${value}</p>`;
};

const TITLE_SIZES: Record<string, string> = {
  sm: "1em",
  md: "1.125em",
  lg: "1.3em",
  xl: "1.5em",
  "2xl": "1.75em",
  "3xl": "2em",
  "4xl": "2.4em",
  "5xl": "2.8em",
};

export const title: View = (component) =>
  html`<p
    class="w-title"
    role="heading"
    aria-level="3"
    ?data-truncate=${Boolean(component.truncate)}
    ?data-clamp=${Boolean(component.maxLines)}
    ${styled(typography(component, TITLE_SIZES))}
  >${component.value}</p>`;

const CAPTION_SIZES: Record<string, string> = { sm: "0.75em", md: "0.8125em", lg: "0.875em" };

export const caption: View = (component) =>
  html`<p
    class="w-caption"
    ?data-truncate=${Boolean(component.truncate)}
    ?data-clamp=${Boolean(component.maxLines)}
    ${styled(typography(component, CAPTION_SIZES))}
  >${component.value}</p>`;

export const markdown: View = ({ value }, { imageDomains }) =>
  markdownView(String(value ?? ""), imageDomains);

export const badge: View = ({ label, color: tone, variant, size, pill }) =>
  html`<span
    class="w-badge"
    data-color=${tone ?? "secondary"}
    data-variant=${variant ?? "soft"}
    data-size=${size ?? "sm"}
    ?data-pill=${pill !== false}
    >${label}</span
  >`;

const ICON_SIZES: Record<string, number> = {
  xs: 12,
  sm: 14,
  md: 18,
  lg: 20,
  xl: 24,
  "2xl": 28,
  "3xl": 36,
};

export const iconView: View = ({ name, size, color: tone }) =>
  html`<span class="w-icon" ${styled({ color: color(tone) })}
    >${icon(String(name), ICON_SIZES[String(size ?? "md")])}</span
  >`;

export const image: View = (component) => {
  const { src, alt, fit, position, frame, flush } = component;
  if (!isImageAddress(src)) return nothing;
  return html`<img
    class="w-image"
    src=${src}
    alt=${alt ?? ""}
    loading="lazy"
    ?data-frame=${Boolean(frame)}
    ?data-flush=${Boolean(flush)}
    ${styled({
      ...block(component),
      background: color(component.background),
      "object-fit": fit ? String(fit) : undefined,
      "object-position": position ? String(position) : undefined,
    })}
  />`;
};
