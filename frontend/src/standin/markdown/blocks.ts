/**
 * Parses Markdown's blocks: GitHub's flavour without raw HTML, indented code and reference links.
 * Also parses text that is still streaming.
 */
import { type Inline, parseInline } from "./inline";

export type Align = "left" | "center" | "right" | null;

export type Block =
  | { type: "paragraph"; inline: Inline[] }
  | { type: "heading"; level: number; inline: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "quote"; blocks: Block[] }
  | { type: "list"; start: number | null; items: ListItem[] }
  | { type: "table"; align: Align[]; header: Inline[][]; rows: Inline[][][] }
  | { type: "rule" };

export type ListItem = { checked: boolean | null; blocks: Block[] };

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s(.*))?$/;
const RULE = /^ {0,3}(?:-(?:\s*-){2,}|\*(?:\s*\*){2,}|_(?:\s*_){2,})\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})[.)])(?:(\s+)(.*))?$/;
const DELIMITER = /^:?-+:?$/;

/** Quotes and lists inside each other. What is deeper is a paragraph. */
const MAX_DEPTH = 16;

const cache = new Map<string, Block[]>();
const CACHED_TEXTS = 300;

/** The blocks of a text. Cached, because the thread is drawn again for every word that arrives. */
export function parseMarkdown(text: string): Block[] {
  const known = cache.get(text);
  if (known) return known;
  if (cache.size >= CACHED_TEXTS) cache.delete(cache.keys().next().value as string);
  const blocks = parseLines(text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n"), 0);
  cache.set(text, blocks);
  return blocks;
}

type Step = { block: Block; next: number };

function parseLines(lines: readonly string[], depth: number): Block[] {
  if (depth > MAX_DEPTH) return [{ type: "paragraph", inline: parseInline(lines.join("\n")) }];
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const { block, next } =
      fence(lines, at) ??
      heading(lines, at) ??
      rule(lines, at) ??
      quote(lines, at, depth) ??
      list(lines, at, depth) ??
      table(lines, at) ??
      paragraph(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

const isBlank = (line: string | undefined): boolean => !line || line.trim() === "";

const indentOf = (line: string): number => line.length - line.trimStart().length;

function fence(lines: readonly string[], at: number): Step | null {
  const open = FENCE.exec(lines[at] ?? "");
  if (!open?.[1]) return null;
  const indent = indentOf(lines[at] ?? "");
  const close = new RegExp(`^ {0,3}${open[1][0]}{${open[1].length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end] ?? "")) end += 1;
  const body = lines.slice(at + 1, end).map((line) => line.slice(Math.min(indent, indentOf(line))));
  const language = open[2]?.trim().split(/\s/, 1)[0] ?? "";
  const block: Block = { type: "code", language, text: body.join("\n") };
  return { block, next: end + 1 };
}

function heading(lines: readonly string[], at: number): Step | null {
  const match = HEADING.exec(lines[at] ?? "");
  if (!match?.[1]) return null;
  const inline = parseInline(withoutHashes((match[2] ?? "").trim()));
  return { block: { type: "heading", level: match[1].length, inline }, next: at + 1 };
}

/** A heading may end with `#`s, after a space. */
function withoutHashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  if (end === 0) return "";
  return /\s/.test(text[end - 1] as string) ? text.slice(0, end).trimEnd() : text;
}

function rule(lines: readonly string[], at: number): Step | null {
  return RULE.test(lines[at] ?? "") ? { block: { type: "rule" }, next: at + 1 } : null;
}

function quote(lines: readonly string[], at: number, depth: number): Step | null {
  if (!QUOTE.test(lines[at] ?? "")) return null;
  const inside: string[] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    if (QUOTE.test(line)) inside.push(line.replace(QUOTE, ""));
    else if (isBlank(line) || startsBlock(lines, next)) break;
    else inside.push(line);
  }
  return { block: { type: "quote", blocks: parseLines(inside, depth + 1) }, next };
}

/** Whether this line ends a paragraph above it. */
function startsBlock(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  if ([FENCE, HEADING, RULE, QUOTE].some((pattern) => pattern.test(line))) return true;
  const item = ITEM.exec(line);
  if (item?.[5]?.trim()) return item[2] !== undefined || item[3] === "1";
  return isTable(lines, at);
}

function list(lines: readonly string[], at: number, depth: number): Step | null {
  const first = ITEM.exec(lines[at] ?? "");
  if (!first) return null;
  const base = first[1]?.length ?? 0;
  const items: ListItem[] = [];
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next] ?? "");
    if (!match || RULE.test(lines[next] ?? "") || kindOf(match) !== kindOf(first)) break;
    if ((match[1]?.length ?? 0) > base + 1 || (match[1]?.length ?? 0) < base) break;
    const end = endOfItem(lines, next + 1, base);
    items.push(listItem(match, lines.slice(next + 1, end), depth + 1));
    next = end;
  }
  const start = first[3] === undefined ? null : Number(first[3]);
  return { block: { type: "list", start, items }, next };
}

const kindOf = (match: RegExpExecArray): string => match[2] ?? "1";

/** The lines of a list item: those that are indented, or that continue its sentence. */
function endOfItem(lines: readonly string[], from: number, base: number): number {
  let end = from;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (isBlank(line)) continue;
    const inside = indentOf(line) >= base + 2;
    const goesOn = end === at && !startsBlock(lines, at) && !ITEM.test(line);
    if (!inside && !goesOn) break;
    end = at + 1;
  }
  // Blank lines between two items are part of the list.
  let next = end;
  while (isBlank(lines[next]) && next < lines.length) next += 1;
  return ITEM.test(lines[next] ?? "") ? next : end;
}

function listItem(match: RegExpExecArray, rest: readonly string[], depth: number): ListItem {
  const text = match[5] ?? "";
  const task = /^\[([ xX])\]\s+/.exec(text);
  const width = match[0].length - text.length;
  const inside = rest.map((line) => line.slice(Math.min(width, indentOf(line))));
  const blocks = parseLines([task ? text.slice(task[0].length) : text, ...inside], depth);
  return { checked: task ? task[1] !== " " : null, blocks };
}

function isTable(lines: readonly string[], at: number): boolean {
  const [header = "", delimiters = ""] = [lines[at], lines[at + 1]];
  if (!header.includes("|") || !delimiters.includes("-")) return false;
  const columns = cells(delimiters);
  return columns.every((cell) => DELIMITER.test(cell)) && cells(header).length === columns.length;
}

function table(lines: readonly string[], at: number): Step | null {
  if (!isTable(lines, at)) return null;
  const header = cells(lines[at] ?? "");
  const align = cells(lines[at + 1] ?? "").map((cell): Align => {
    if (cell.startsWith(":") && cell.endsWith(":")) return "center";
    if (cell.endsWith(":")) return "right";
    return cell.startsWith(":") ? "left" : null;
  });
  let next = at + 2;
  while (!isBlank(lines[next]) && !startsBlock(lines, next)) next += 1;
  const rows = lines.slice(at + 2, next).map((line) =>
    cells(line)
      .slice(0, header.length)
      .map((cell) => parseInline(cell)),
  );
  return {
    block: { type: "table", align, header: header.map((cell) => parseInline(cell)), rows },
    next,
  };
}

/** A row's cells. A pipe that is escaped or in code does not separate cells. */
function cells(line: string): string[] {
  const trimmed = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  const parts = [""];
  const add = (text: string) => parts.push(parts.pop() + text);
  for (let at = 0; at < trimmed.length; at += 1) {
    const char = trimmed[at] as string;
    const end = char === "\\" ? at + 1 : char === "`" ? trimmed.indexOf("`", at + 1) : at;
    if (char === "|") parts.push("");
    else add(trimmed.slice(at, Math.max(at, end) + 1));
    at = Math.max(at, end);
  }
  return parts.map((part) => part.trim().replaceAll("\\|", "|"));
}

function paragraph(lines: readonly string[], at: number): Step {
  let next = at + 1;
  while (!isBlank(lines[next]) && !startsBlock(lines, next)) {
    if (/^=+\s*$/.test(lines[next] ?? "")) {
      const inline = parseInline(lines.slice(at, next).join("\n").trim());
      return { block: { type: "heading", level: 1, inline }, next: next + 1 };
    }
    next += 1;
  }
  const text = lines.slice(at, next).map((line) => line.trimStart());
  return { block: { type: "paragraph", inline: parseInline(text.join("\n").trimEnd()) }, next };
}
