/** Everything that names or colours the page comes from `src/app/brand.ts`. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "vite";
import { beforeAll, expect, it } from "vitest";
import { brand, page, texts } from "../src/app/brand";

beforeAll(async () => {
  const vite = await createServer({ server: { middlewareMode: true }, appType: "custom" });
  const html = await vite.transformIndexHtml("/", readFileSync("index.html", "utf8"));
  await vite.close();
  document.open();
  document.write(html);
  document.close();
});

const attribute = (selector: string, name: string) =>
  document.querySelector(selector)?.getAttribute(name);

it("puts the name, description and language into the document", () => {
  expect(document.title).toBe(brand.name);
  expect(attribute("meta[name=description]", "content")).toBe(brand.description);
  expect(document.documentElement.lang).toBe(brand.language);
  expect(document.querySelector("noscript")?.textContent).toBe(texts.noScript);
});

it.each(["light", "dark"] as const)("has the %s colours before the script starts", (scheme) => {
  const { background } = brand.theme.surface[scheme];
  expect(attribute(`meta[media*=${scheme}]`, "content")).toBe(background);
  const root = document.documentElement;
  root.dataset.scheme = scheme;
  const style = getComputedStyle(root);
  expect(style.getPropertyValue("--page-background")).toBe(background);
  expect(style.getPropertyValue("--page-accent")).toBe(brand.theme.accent[scheme]);
  expect(style.getPropertyValue("--page-ink")).toBe(page[scheme].ink);
  expect(style.getPropertyValue("--page-font")).toBe(brand.theme.fontFamily);
});

it("draws the logo in the browser's tab", () => {
  const href = attribute("link[rel=icon]", "href") ?? "";
  const svg = decodeURIComponent(href.replace("data:image/svg+xml,", ""));
  expect(svg).toContain(brand.logo);
  const icon = new DOMParser().parseFromString(svg, "image/svg+xml");
  expect(icon.querySelector("parsererror")).toBeNull();
  expect(icon.querySelector("title")?.textContent).toBe(brand.name);
});

it("has no colour in another file of the page", () => {
  const files = readdirSync("src/app", { recursive: true, encoding: "utf8" })
    .filter((file) => /\.\w+$/.test(file) && file !== "brand.ts" && file !== "assistant.ts")
    .map((file) => `src/app/${file}`);
  expect(files).toContain("src/app/styles/base.css");
  for (const file of [...files, "index.html", "vite.config.ts", "src/chatkit/theme.ts"]) {
    const text = readFileSync(file, "utf8");
    expect(text.match(/#[0-9a-f]{3,8}\b/gi) ?? [], file).toEqual([]);
  }
});
