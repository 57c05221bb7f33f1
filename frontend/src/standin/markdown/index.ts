/**
 * Renders Markdown as lit templates. The assistant's text never becomes an HTML string, so nothing
 * has to be sanitised: tags in the text are shown as text, and only addresses are checked.
 */
import { html, nothing, type TemplateResult } from "lit-html";
import { type Block, type ListItem, parseMarkdown } from "./blocks";
import type { Inline } from "./inline";

const SAFE_ADDRESS = /^(?:https?:\/\/|mailto:|tel:|chatkit-link:|\/(?!\/)|#)/i;

type Options = { imageDomains: readonly string[] };

/** Loads remote images from `imageDomains` only, because an image's address can leak a secret. */
export function markdown(text: string, imageDomains: readonly string[] = []): TemplateResult {
  return html`<div class="markdown">${blocksView(parseMarkdown(text), { imageDomains })}</div>`;
}

const blocksView = (blocks: readonly Block[], options: Options): TemplateResult[] =>
  blocks.map((block) => blockView(block, options));

function blockView(block: Block, options: Options): TemplateResult {
  switch (block.type) {
    case "paragraph":
      return html`<p>${inlineView(block.inline, options)}</p>`;
    case "heading":
      // The page uses the first two heading levels, so headings in an answer begin at the third.
      return html`<div
        class="heading"
        role="heading"
        data-level=${block.level}
        aria-level=${Math.min(block.level + 2, 6)}
      >${inlineView(block.inline, options)}</div>`;
    case "code":
      return codeView(block);
    case "quote":
      return html`<blockquote>${blocksView(block.blocks, options)}</blockquote>`;
    case "list":
      return block.start === null
        ? html`<ul>${block.items.map((item) => itemView(item, options))}</ul>`
        : html`<ol start=${block.start}>${block.items.map((item) => itemView(item, options))}</ol>`;
    case "table":
      return tableView(block, options);
    case "rule":
      return html`<hr />`;
  }
}

function codeView({ language, text }: Extract<Block, { type: "code" }>): TemplateResult {
  const copy = async (event: Event) => {
    const button = event.currentTarget as HTMLElement;
    await navigator.clipboard?.writeText(text);
    button.textContent = "Copied";
  };
  return html`<div class="code">
    <div class="code-bar">
      <span>${language}</span>
      <button type="button" class="code-copy" @click=${copy}>Copy</button>
    </div>
    <pre tabindex="0" aria-label="Code"><code>${text}</code></pre>
  </div>`;
}

function itemView({ checked, blocks }: ListItem, options: Options): TemplateResult {
  const [first, ...rest] = blocks;
  const words =
    first?.type === "paragraph"
      ? inlineView(first.inline, options)
      : first && blockView(first, options);
  const box =
    checked === null
      ? nothing
      : html`<input type="checkbox" disabled .checked=${checked} aria-label=${checked ? "done" : "open"} /> `;
  return html`<li ?data-task=${checked !== null}>${box}${words}${blocksView(rest, options)}</li>`;
}

function tableView(block: Extract<Block, { type: "table" }>, options: Options): TemplateResult {
  const align = (column: number) => block.align[column] ?? nothing;
  return html`<div class="table" tabindex="0" role="group" aria-label="Table">
    <table>
      <thead>
        <tr>
          ${block.header.map((cell, column) => html`<th data-align=${align(column)}>${inlineView(cell, options)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${block.rows.map(
          (row) => html`<tr>
            ${row.map((cell, column) => html`<td data-align=${align(column)}>${inlineView(cell, options)}</td>`)}
            ${
              row.length < block.header.length
                ? html`<td colspan=${block.header.length - row.length} data-align=${align(row.length)}></td>`
                : nothing
            }
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const inlineView = (nodes: readonly Inline[], options: Options): (TemplateResult | string)[] =>
  nodes.map((node) => nodeView(node, options));

function nodeView(node: Inline, options: Options): TemplateResult | string {
  switch (node.type) {
    case "text":
      return node.text;
    case "break":
      return html`<br />`;
    case "code":
      return html`<code>${node.text}</code>`;
    case "strong":
      return html`<strong>${inlineView(node.children, options)}</strong>`;
    case "em":
      return html`<em>${inlineView(node.children, options)}</em>`;
    case "del":
      return html`<del>${inlineView(node.children, options)}</del>`;
    case "link":
      return linkView(node, options);
    case "image":
      return imageView(node, options);
  }
}

function linkView(node: Extract<Inline, { type: "link" }>, options: Options): TemplateResult {
  const words = inlineView(node.children, options);
  if (!SAFE_ADDRESS.test(node.href)) return html`${words}`;
  // The page handles these links: chatkit.deeplink.
  if (/^chatkit-link:/i.test(node.href)) return html`<a href=${node.href}>${words}</a>`;
  return html`<a href=${node.href} target="_blank" rel="noopener noreferrer">${words}</a>`;
}

function imageView(
  { src, alt }: Extract<Inline, { type: "image" }>,
  { imageDomains }: Options,
): TemplateResult | string {
  if (!mayLoad(src, imageDomains)) return alt || src;
  return html`<img src=${src} alt=${alt} loading="lazy" />`;
}

function mayLoad(src: string, imageDomains: readonly string[]): boolean {
  if (!URL.canParse(src, location.href)) return false;
  const url = new URL(src, location.href);
  if (!/^https?:$/.test(url.protocol)) return false;
  if (url.origin === location.origin) return true;
  return imageDomains.some(
    (domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`),
  );
}
