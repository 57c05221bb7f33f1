/**
 * Markdown to safe HTML, block by block, so that while an answer streams only its last block is
 * drawn again. Raw HTML in the source is shown as text. Remote images are not loaded unless the
 * thread allows their host: an image's address can carry a conversation away.
 */
import DOMPurify from "dompurify";
import { Marked, type Token, type TokensList } from "marked";

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escape(text),
    code({ text, lang }) {
      const language = (lang ?? "").split(/\s/)[0] ?? "";
      return (
        `<div class="code"><div class="code-bar"><span>${escape(language)}</span>` +
        `<button type="button" class="code-copy" data-copy-code>Copy</button></div>` +
        `<pre tabindex="0"><code>${escape(text)}</code></pre></div>`
      );
    },
    table(token) {
      const row = (cells: { tokens: Token[] }[], tag: string) =>
        `<tr>${cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
      return (
        `<div class="table" tabindex="0"><table><thead>${row(token.header, "th")}</thead>` +
        `<tbody>${token.rows.map((cells) => row(cells, "td")).join("")}</tbody></table></div>`
      );
    },
  },
});

const SAFE_ADDRESS = /^(?:https?:|mailto:|tel:|chatkit-link:|\/|#)/i;

const cache = new Map<string, string>();
const CACHED_BLOCKS = 500;

/** The blocks of a Markdown text as sanitised HTML. */
export function markdownBlocks(text: string, imageDomains: readonly string[] = []): string[] {
  const tokens = marked.lexer(text);
  return tokens
    .filter((token) => token.type !== "space")
    .map((token) => block(token, tokens.links, imageDomains));
}

function block(token: Token, links: TokensList["links"], imageDomains: readonly string[]): string {
  const linked = Object.keys(links).length > 0;
  const key = `${imageDomains.join()}\n${token.raw}`;
  const known = linked ? undefined : cache.get(key);
  if (known !== undefined) return known;
  const single = Object.assign([token], { links });
  const html = sanitise(marked.parser(single), imageDomains);
  if (!linked) {
    if (cache.size >= CACHED_BLOCKS) cache.delete(cache.keys().next().value as string);
    cache.set(key, html);
  }
  return html;
}

function sanitise(html: string, imageDomains: readonly string[]): string {
  const fragment = DOMPurify.sanitize(html, {
    RETURN_DOM_FRAGMENT: true,
    ALLOWED_URI_REGEXP: SAFE_ADDRESS,
    ADD_ATTR: ["data-copy-code"],
    FORBID_TAGS: ["style", "form", "svg", "math"],
    FORBID_ATTR: ["style", "id", "name"],
  });
  for (const link of fragment.querySelectorAll("a[href]")) {
    if (link.getAttribute("href")?.startsWith("chatkit-link:")) continue;
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer");
  }
  for (const image of fragment.querySelectorAll("img")) {
    const src = image.getAttribute("src") ?? "";
    if (mayLoad(src, imageDomains)) image.setAttribute("loading", "lazy");
    else image.replaceWith(image.alt || src);
  }
  for (const box of fragment.querySelectorAll("input")) {
    box.setAttribute("aria-label", box.hasAttribute("checked") ? "done" : "not done");
  }
  const holder = document.createElement("div");
  holder.append(fragment);
  return holder.innerHTML;
}

function mayLoad(src: string, imageDomains: readonly string[]): boolean {
  try {
    const url = new URL(src, location.href);
    if (url.origin === location.origin) return true;
    return imageDomains.some(
      (domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`),
    );
  } catch {
    return false;
  }
}
