/**
 * What `brand.ts` becomes in the document's head. Vite calls this when it serves or builds
 * `index.html`, so that name and colours are there before the script starts.
 */
import type { HtmlTagDescriptor } from "vite";
import { brand, page, texts } from "./brand.ts";

/** Spaces and the rest can stay as they are, and the document is smaller. */
const NOT_IN_A_URL = /["#%&<>]|[^ -~]/gu;

export function headTags(): HtmlTagDescriptor[] {
  const { name, description, theme } = brand;
  const themeColor = (scheme: "light" | "dark"): HtmlTagDescriptor => ({
    tag: "meta",
    attrs: {
      name: "theme-color",
      media: `(prefers-color-scheme: ${scheme})`,
      content: theme.surface[scheme].background,
    },
  });
  const head: HtmlTagDescriptor[] = [
    { tag: "title", children: escaped(name) },
    { tag: "meta", attrs: { name: "description", content: description } },
    themeColor("light"),
    themeColor("dark"),
    {
      tag: "link",
      attrs: {
        rel: "icon",
        type: "image/svg+xml",
        href: `data:image/svg+xml,${icon().replace(NOT_IN_A_URL, encodeURIComponent)}`,
      },
    },
    { tag: "style", children: pageStyle() },
  ];
  return [
    ...head.map((tag) => ({ ...tag, injectTo: "head" as const })),
    { tag: "noscript", children: escaped(texts.noScript), injectTo: "body-prepend" },
  ];
}

/** The logo as a file of its own, in the light colours. */
function icon(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><title>${escaped(brand.name)}</title><style>:root{${properties("light")}}</style>${brand.logo}</svg>`;
}

/** Light or dark as the system says, unless the page has set `data-scheme`. */
function pageStyle(): string {
  const fonts = `--page-font:${brand.theme.fontFamily};--page-heading-font:${page.headingFont}`;
  return [
    `:root{${fonts};--page-warning:${page.warning};${properties("light")}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-scheme]){${properties("dark")}}}`,
    `:root[data-scheme="dark"]{${properties("dark")}}`,
  ].join("");
}

function properties(scheme: "light" | "dark"): string {
  const { accent, surface } = brand.theme;
  const { ink, muted, line, onAccent } = page[scheme];
  return Object.entries({
    "color-scheme": scheme,
    "--page-accent": accent[scheme],
    "--page-on-accent": onAccent,
    "--page-background": surface[scheme].background,
    "--page-raised": surface[scheme].foreground,
    "--page-ink": ink,
    "--page-muted": muted,
    "--page-line": line,
  })
    .map((entry) => entry.join(":"))
    .join(";");
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
