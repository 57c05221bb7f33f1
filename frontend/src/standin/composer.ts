/** The content of the composer, and how it becomes a message. */
import type { Entity, UserMessageContent } from "@openai/chatkit";
import type { Upload } from "./uploads";

export class Composer {
  text = "";
  /** Entities that were picked. One is sent only while its `@Title` is in the text. */
  mentions: Entity[] = [];
  uploads: Upload[] = [];
  /** The quoted text that this message replies to. */
  reply: string | null = null;
  toolId: string | null = null;
  modelId: string | null = null;

  get ready(): boolean {
    const busy = this.uploads.some((upload) => upload.state === "uploading");
    const attached = this.uploads.some((upload) => upload.state === "done");
    return !busy && (this.text.trim() !== "" || attached);
  }

  /** Text and tags in their order. */
  content(): UserMessageContent[] {
    return splitMentions(this.text.trim(), this.mentions).map((part) =>
      typeof part === "string"
        ? { type: "input_text", text: part }
        : {
            type: "input_tag",
            id: part.id,
            text: part.title,
            data: part.data ?? {},
            ...(part.group && { group: part.group }),
            interactive: part.interactive ?? false,
          },
    );
  }

  /** The opposite of `content()`: for a message that was refused, and for `setComposerValue`. */
  fill(content: readonly UserMessageContent[]): void {
    this.mentions = content
      .filter((part) => part.type === "input_tag")
      .map(({ id, text, group, data, interactive }) => ({
        id,
        title: text,
        group,
        interactive,
        data: data as Entity["data"],
      }));
    this.text = content
      .map((part) => (part.type === "input_tag" ? `@${part.text}` : part.text))
      .join("");
  }

  /** Returns the content and empties the composer. */
  take(): { text: string; mentions: Entity[]; uploads: Upload[]; reply: string | null } {
    const { text, mentions, uploads, reply } = this;
    this.text = "";
    this.mentions = [];
    this.uploads = [];
    this.reply = null;
    return { text, mentions, uploads, reply };
  }

  /** Puts back what `take` returned, unless something new was written in the meantime. */
  giveBack(taken: ReturnType<Composer["take"]>): void {
    if (this.text.trim() === "") {
      this.text = taken.text;
      this.mentions = taken.mentions;
      this.reply = taken.reply;
    }
    this.uploads = [...taken.uploads, ...this.uploads];
  }
}

/** Splits the text at its mentions. Longer titles come first, so `@Ada Lovelace` is not `@Ada`. */
export function splitMentions(text: string, mentions: readonly Entity[]): (string | Entity)[] {
  const byLength = [...mentions].sort((a, b) => b.title.length - a.title.length);
  const parts: (string | Entity)[] = [];
  let plain = "";
  for (let index = 0; index < text.length; ) {
    const rest = text.slice(index);
    const found = byLength.find((entity) => rest.startsWith(`@${entity.title}`));
    if (found) {
      if (plain) parts.push(plain);
      plain = "";
      parts.push(found);
      index += found.title.length + 1;
    } else {
      plain += text[index];
      index += 1;
    }
  }
  if (plain) parts.push(plain);
  return parts;
}

/** The word before the caret when it starts with `trigger`: `@ad|` gives `ad`. */
export function wordAt(
  text: string,
  caret: number,
  trigger: "@" | "/",
): { start: number; query: string } | null {
  const before = text.slice(0, caret);
  const start = before.lastIndexOf(trigger);
  if (start < 0) return null;
  if (start > 0 && !/\s/.test(before[start - 1] ?? "")) return null;
  if (trigger === "/" && before.slice(0, start).trim() !== "") return null;
  const query = before.slice(start + 1);
  // A name may have one space. With more, the person is writing a sentence.
  if (/\n/.test(query) || query.split(" ").length > 2 || query.length > 40) return null;
  return { start, query };
}
