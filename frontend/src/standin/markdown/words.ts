/** The words of Markdown without its signs, for screen readers. */
import { type Block, parseMarkdown } from "./blocks";
import type { Inline } from "./inline";

export const words = (text: string): string => blockWords(parseMarkdown(text));

const blockWords = (blocks: readonly Block[]): string =>
  blocks.map(wordsOf).filter(Boolean).join("\n");

function wordsOf(block: Block): string {
  switch (block.type) {
    case "paragraph":
    case "heading":
      return inlineWords(block.inline);
    case "code":
      return block.text;
    case "quote":
      return blockWords(block.blocks);
    case "list":
      return block.items.map(({ blocks }) => blockWords(blocks)).join("\n");
    case "table":
      return [block.header, ...block.rows]
        .map((row) => row.map(inlineWords).filter(Boolean).join(", "))
        .join("\n");
    case "rule":
      return "";
  }
}

const inlineWords = (nodes: readonly Inline[]): string => nodes.map(nodeWords).join("");

function nodeWords(node: Inline): string {
  switch (node.type) {
    case "text":
    case "code":
      return node.text;
    case "break":
      return "\n";
    case "image":
      return node.alt;
    default:
      return inlineWords(node.children);
  }
}
