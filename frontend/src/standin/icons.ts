/**
 * Icons, drawn for this project on a 24-pixel grid. An unknown name gives a spark. Those that only
 * an assistant may show are in `more-icons.ts`.
 */
import { html, nothing, svg, type TemplateResult } from "lit-html";
import { later } from "./later";

const SPARK = "M12 3l2.2 6.3L20.5 12l-6.3 2.7L12 21l-2.2-6.3L3.5 12l6.3-2.7z";

const PATHS: Record<string, string> = {
  sparkle: SPARK,
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  "check-circle": "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM8.5 12.2l2.5 2.5 4.6-5",
  "empty-circle": "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z",
  "chevron-left": "M14.5 5.5L8 12l6.5 6.5",
  "chevron-right": "M9.5 5.5L16 12l-6.5 6.5",
  "chevron-down": "M5.5 9.5L12 16l6.5-6.5",
  history: "M4 12a8 8 0 1 0 2.6-5.9M4 4.5V8.5h4M12 8v4.3l3 1.8",
  compose:
    "M12 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19h11a1.5 1.5 0 0 0 1.5-1.5V12M10 14l.6-2.8L17.5 4.3a1.5 1.5 0 0 1 2.2 2.2L12.8 13.4z",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h10v10H9zM5.5 15V5h9.5",
  reload: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4h-4",
  "thumb-up":
    "M7.5 11v8.5H4.5V11zM7.5 11l3.7-7a2 2 0 0 1 2.3 2.2L13 9.5h5a1.8 1.8 0 0 1 1.8 2.2l-1.4 6.3a2 2 0 0 1-1.9 1.5h-9",
  "thumb-down":
    "M7.5 13V4.5H4.5V13zM7.5 13l3.7 7a2 2 0 0 0 2.3-2.2L13 14.5h5a1.8 1.8 0 0 0 1.8-2.2L18.4 6a2 2 0 0 0-1.9-1.5h-9",
  mic: "M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5a2.8 2.8 0 0 1-5.6 0v-5A2.8 2.8 0 0 1 12 3.5zM6 11.5a6 6 0 0 0 12 0M12 17.5V21",
  attach:
    "M18.5 11.5l-6.9 6.9a4 4 0 0 1-5.7-5.7l7.6-7.6a2.7 2.7 0 0 1 3.8 3.8l-7.4 7.4a1.3 1.3 0 0 1-1.9-1.9l6.4-6.4",
  at: "M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM15.5 8.5V13a2.5 2.5 0 0 0 5 0v-1a8.5 8.5 0 1 0-3.3 6.7",
  "settings-slider":
    "M4 8h8M18 8h2M4 16h2M12 16h8M17 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM11 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  "dots-horizontal": "M6 12h.01M12 12h.01M18 12h.01",
  "light-mode":
    "M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.7 5.7l1 1M17.3 17.3l1 1M18.3 5.7l-1 1M6.7 17.3l-1 1",
  "dark-mode": "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5M13.5 10.5v5.5",
  write: "M5 19l1-4L16.5 4.5a2 2 0 0 1 3 3L9 18z",
  search: "M17 11a6 6 0 1 1-12 0 6 6 0 0 1 12 0zM15.5 15.5L20 20",
  document: "M7 3.5h7l4 4v13H7zM14 3.5v4h4M10 12.5h5M10 16h5",
  "square-image": "M4.5 5h15v14h-15zM4.5 16l4.5-4.5 4 4 2.5-2.5 4 4M15.5 9.5h.01",
  globe:
    "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM3 12h18M12 3c2.5 2.5 3.7 5.5 3.7 9s-1.2 6.5-3.7 9c-2.5-2.5-3.7-5.5-3.7-9S9.5 5.5 12 3z",
  calendar: "M4.5 6h15v14h-15zM4.5 10.5h15M8.5 3.5v4M15.5 3.5v4",
  clock: "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM12 7v5.3l3.5 2",
  info: "M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0zM12 11v5.5M12 7.7h.01",
  warning: "M12 4l9 16H3zM12 10v4.5M12 17.2h.01",
  lightbulb: "M9.5 17h5M10 20h4M8.8 14.5a6 6 0 1 1 6.4 0c-.5.4-.7 1-.7 1.5h-5c0-.5-.2-1.1-.7-1.5z",
  bolt: "M13 3L5 13.5h6L10.5 21 19 10.5h-6z",
  star: "M12 4l2.4 5.2 5.6.6-4.2 3.8 1.2 5.6L12 16.3 7 19.2l1.2-5.6L4 9.8l5.6-.6z",
  user: "M15.5 8a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zM5 20c.6-3.8 3.3-6 7-6s6.4 2.2 7 6",
  mail: "M4 6h16v12H4zM4 7l8 6 8-6",
  chart: "M4 20h16M7.5 20v-7M12 20V6M16.5 20v-10",
  notebook: "M6.5 3.5h12v17h-12zM4.5 8h4M4.5 12h4M4.5 16h4",
  "external-link": "M10 5H5v14h14v-5M13.5 5H19v5.5M19 5l-8 8",
  "square-code": "M4.5 5h15v14h-15zM10 9.5L7.5 12l2.5 2.5M14 9.5l2.5 2.5-2.5 2.5",
};

const ALIASES: Record<string, string> = {
  "check-circle-filled": "check-circle",
  "circle-question": "info",
  "page-blank": "document",
  "square-text": "document",
  name: "user",
  profile: "user",
  "profile-card": "user",
  images: "square-image",
  maps: "map-pin",
  analytics: "chart",
  "star-filled": "star",
  "book-closed": "book-open",
  "book-clock": "book-open",
  "notebook-pencil": "notebook",
  "write-alt": "write",
  "write-alt2": "write",
  "sparkle-double": "sparkle",
  agent: "sparkle",
  mobile: "phone",
  "dots-vertical": "dots-horizontal",
};

/** An icon that is hidden from screen readers: the text beside it says the same. */
export function icon(name: string | null | undefined, size = 20): TemplateResult | typeof nothing {
  if (!name) return nothing;
  const plain = name.replace(/^(?:lucide|vendor):/, "");
  const known = ALIASES[plain] ?? plain;
  const path = PATHS[known];
  if (path) {
    return html`<svg class="icon" viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true">
      <path d=${path} />
    </svg>`;
  }
  const drawn = later(
    async () => svg`<path d=${(await import("./rare")).MORE_PATHS[known] ?? SPARK} />`,
  );
  return html`<svg class="icon" viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true" ${drawn}></svg>`;
}
