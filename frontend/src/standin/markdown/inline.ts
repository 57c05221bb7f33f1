/** Parses Markdown within a line (emphasis, code, links, images) into a tree. */

export type Inline =
  | { type: "text"; text: string }
  | { type: "break" }
  | { type: "code"; text: string }
  | { type: "strong" | "em" | "del"; children: Inline[] }
  | { type: "link"; href: string; children: Inline[] }
  | { type: "image"; src: string; alt: string };

type Found = { node: Inline; end: number };
type Rule = (text: string, at: number, work: Work) => Found | null;

/** What may still be done for one text. When `steps` are used up, the rest of it is plain text. */
type Work = { steps: number; depth: number };

/** The characters that may be looked at for each character of a text. Usual texts need under 10. */
const STEPS_PER_CHARACTER = 100;
/** Emphasis and links inside each other. What is deeper is plain text. */
const MAX_DEPTH = 16;

/** Each parser by the character that its syntax begins with. */
const RULES: Record<string, Rule> = {
  "\\": escaped,
  "\n": lineBreak,
  "`": codeSpan,
  "!": image,
  "[": link,
  "<": angle,
  "*": emphasis,
  _: emphasis,
  "~": strike,
  "&": entity,
  h: bareAddress,
};

export function parseInline(text: string): Inline[] {
  return parse(text, { steps: text.length * STEPS_PER_CHARACTER, depth: 0 });
}

function parseInside(text: string, work: Work): Inline[] {
  if (work.depth === MAX_DEPTH) return [{ type: "text", text }];
  work.depth += 1;
  const nodes = parse(text, work);
  work.depth -= 1;
  return nodes;
}

function parse(text: string, work: Work): Inline[] {
  const nodes: Inline[] = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push({ type: "text", text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const rule = work.steps > 0 ? RULES[text[at] as string] : undefined;
    const found = rule?.(text, at, work);
    if (found?.node.type === "text") {
      plain += found.node.text;
      at = found.end;
    } else if (found) {
      // Two spaces before a newline mean a line break, but here every newline is one.
      if (found.node.type === "break") plain = plain.trimEnd();
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

function escaped(text: string, at: number): Found | null {
  const next = text[at + 1] ?? "";
  if (next === "\n") return { node: { type: "break" }, end: at + 2 };
  if (!/[!-/:-@[-`{-~]/.test(next)) return null;
  return { node: { type: "text", text: next }, end: at + 2 };
}

function lineBreak(text: string, at: number): Found {
  let end = at + 1;
  while (text[end] === " ") end += 1;
  return { node: { type: "break" }, end };
}

function codeSpan(text: string, at: number, work: Work): Found | null {
  const end = endOfCode(text, at, work);
  if (end < 0) return null;
  const ticks = runLength(text, at, work);
  const inside = text.slice(at + ticks, end - ticks).replaceAll("\n", " ");
  const padded = inside.startsWith(" ") && inside.endsWith(" ") && inside.trim() !== "";
  return { node: { type: "code", text: padded ? inside.slice(1, -1) : inside }, end };
}

/** The end of the code span that begins at `at`, or -1. */
function endOfCode(text: string, at: number, work: Work): number {
  const ticks = runLength(text, at, work);
  for (let next = at + ticks; next < text.length && work.steps > 0; ) {
    const start = text.indexOf("`", next);
    work.steps -= (start < 0 ? text.length : start) - next;
    if (start < 0) return -1;
    const length = runLength(text, start, work);
    if (length === ticks) return start + length;
    next = start + length;
  }
  return -1;
}

function runLength(text: string, at: number, work: Work): number {
  let end = at;
  while (text[end] === text[at]) end += 1;
  work.steps -= end - at;
  return end - at;
}

function image(text: string, at: number, work: Work): Found | null {
  if (text[at + 1] !== "[") return null;
  const parts = bracketed(text, at + 1, work);
  if (!parts) return null;
  return { node: { type: "image", src: parts.address, alt: parts.label }, end: parts.end };
}

function link(text: string, at: number, work: Work): Found | null {
  const parts = bracketed(text, at, work);
  if (!parts) return null;
  const children = parseInside(parts.label, work);
  return { node: { type: "link", href: parts.address, children }, end: parts.end };
}

/** Parses `[label](address "title")` that begins at `[`. */
function bracketed(
  text: string,
  at: number,
  work: Work,
): { label: string; address: string; end: number } | null {
  const close = matching(text, at, "[]", work);
  if (close < 0 || text[close + 1] !== "(") return null;
  const end = matching(text, close + 1, "()", work);
  if (end < 0) return null;
  const inside = text.slice(close + 2, end).trim();
  const match = /^(?:<([^<>\n]*)>|(\S*?))(?:\s+(?:"[^"]*"|'[^']*'))?$/.exec(inside);
  if (!match) return null;
  return { label: text.slice(at + 1, close), address: match[1] ?? match[2] ?? "", end: end + 1 };
}

/** The position of the bracket that closes the one at `at`; skips nested ones, escapes and code. */
function matching(text: string, at: number, brackets: "[]" | "()", work: Work): number {
  let depth = 0;
  for (let index = at; index < text.length && work.steps > 0; index += 1) {
    work.steps -= 1;
    const char = text[index];
    if (char === "\\") index += 1;
    else if (char === "`") index = Math.max(index, endOfCode(text, index, work) - 1);
    else if (char === brackets[0]) depth += 1;
    else if (char === brackets[1]) depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
}

/** `<https://…>`, `<a@b.c>` and `<br>`; any other tag is just text. */
function angle(text: string, at: number): Found | null {
  const match =
    /^<(?:(br ?\/?)|(https?:\/\/[^\s<>]+|mailto:[^\s<>]+)|([^\s<>@]+@[^\s<>@]+))>/i.exec(
      text.slice(at, at + 2000),
    );
  if (!match) return null;
  const end = at + match[0].length;
  if (match[1]) return { node: { type: "break" }, end };
  const shown = match[2] ?? match[3] ?? "";
  const href = match[3] ? `mailto:${match[3]}` : shown;
  return { node: { type: "link", href, children: [{ type: "text", text: shown }] }, end };
}

function bareAddress(text: string, at: number): Found | null {
  if (at > 0 && /[\w/]/.test(text[at - 1] ?? "")) return null;
  const match = /^https?:\/\/[^\s<>*`|]+/i.exec(text.slice(at, at + 2000));
  if (!match) return null;
  const href = withoutEnd(match[0]);
  const end = at + href.length;
  return { node: { type: "link", href, children: [{ type: "text", text: href }] }, end };
}

/**
 * An address without the punctuation after it. A closing bracket whose opening one is before the
 * address is not part of it either.
 */
function withoutEnd(address: string): string {
  let open = 0;
  for (const char of address) {
    if (char === "(" || char === "[") open += 1;
    else if (char === ")" || char === "]") open -= 1;
  }
  let end = address.length;
  for (; end > 0; end -= 1) {
    const char = address[end - 1] as string;
    if (open < 0 && (char === ")" || char === "]")) open += 1;
    else if (!".,:;!?'\"".includes(char)) break;
  }
  return address.slice(0, end);
}

function strike(text: string, at: number, work: Work): Found | null {
  return text[at + 1] === "~" ? delimited(text, at, "~~", "del", work) : null;
}

function emphasis(text: string, at: number, work: Work): Found | null {
  const char = text[at] as string;
  const run = runLength(text, at, work);
  if (run >= 3) {
    const both = delimited(text, at, char.repeat(3), "strong", work);
    if (both?.node.type === "strong") {
      return { ...both, node: { type: "strong", children: [{ ...both.node, type: "em" }] } };
    }
  }
  if (run >= 2) return delimited(text, at, char.repeat(2), "strong", work);
  return delimited(text, at, char, "em", work);
}

function delimited(
  text: string,
  at: number,
  mark: string,
  type: "strong" | "em" | "del",
  work: Work,
): Found | null {
  const start = at + mark.length;
  if (/\s/.test(text[start] ?? " ")) return null;
  const underscore = mark.startsWith("_");
  if (underscore && /\w/.test(text[at - 1] ?? "")) return null;
  const close = closing(text, start, mark, work);
  if (close < 0) return null;
  const children = parseInside(text.slice(start, close), work);
  return { node: { type, children }, end: close + mark.length };
}

/** The position where `mark` closes: after a word, not inside code or a longer run of marks. */
function closing(text: string, start: number, mark: string, work: Work): number {
  const char = mark[0] as string;
  for (let index = start; index < text.length && work.steps > 0; index += 1) {
    work.steps -= 1;
    if (text[index] === "\\") index += 1;
    else if (text[index] === "`") index = Math.max(index, endOfCode(text, index, work) - 1);
    else if (text[index] === char) {
      const run = runLength(text, index, work);
      const ends = !/\s/.test(text[index - 1] ?? " ");
      const inWord = char === "_" && /\w/.test(text[index + run] ?? "");
      // `**a *b***`: the first mark of a longer run closes the inner emphasis.
      if (ends && !inWord && index > start) {
        if (run === mark.length) return index;
        if (run > mark.length && run !== 2) return index + run - mark.length;
      }
      index += run - 1;
    }
  }
  return -1;
}

const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
};

function entity(text: string, at: number): Found | null {
  const match = /^&(?:#(\d{1,6})|(\w{2,6}));/.exec(text.slice(at, at + 10));
  if (!match) return null;
  const known = match[1] ? String.fromCodePoint(Number(match[1])) : ENTITIES[match[2] ?? ""];
  return known ? { node: { type: "text", text: known }, end: at + match[0].length } : null;
}
