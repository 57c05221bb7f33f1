/** Small pieces that several views use. */
import { html, type TemplateResult } from "lit-html";
import { icon } from "../icons";

/** A button with an icon, and with its `label` for screen readers. One with a `size` is small. */
export const toolButton = (
  name: string,
  label: string,
  click: () => unknown,
  size?: number,
): TemplateResult =>
  html`<button type="button" class="tool ${size ? "small" : ""}" @click=${() => void click()}>
    ${icon(name, size)}<span class="unseen">${label}</span>
  </button>`;

export function copyButton(text: string): TemplateResult {
  const copy = async (event: Event) => {
    const label = (event.currentTarget as Element).querySelector("span");
    await navigator.clipboard?.writeText(text);
    if (label) label.textContent = "Copied";
  };
  return html`<button type="button" class="tool small" @click=${copy}>
    ${icon("copy", 16)}<span class="unseen">Copy</span>
  </button>`;
}

/** `Today`, `Yesterday`, or the date in the visitor's format. */
export function dayOf(text: string, locale?: string, now = new Date()): string {
  const date = new Date(/[zZ]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (days < 2) {
    return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day");
  }
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(date);
}

const midnight = (date: Date): number =>
  new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
