/** Changes the content of the composer. */
import type { ChatKitOptions, Entity } from "@openai/chatkit";
import type { Client } from "./client";
import { Composer } from "./composer";
import { Dictation } from "./dictation";
import { readDraft, writeDraft } from "./drafts";
import { commandEntries, type Entry, Menu } from "./menu";
import type { Surface } from "./surface";
import type { ComposerValue } from "./types";
import { refusal, startUpload, type Upload } from "./uploads";

export class Editor {
  readonly composer = new Composer();
  readonly menu: Menu;
  readonly dictation: Dictation;
  /** One line above the composer that says why something was refused. */
  hint: string | null = null;

  readonly #client: Client;
  readonly #options: () => ChatKitOptions;
  readonly #surface: Surface;
  #threadId: string | null = null;

  constructor(client: Client, options: () => ChatKitOptions, surface: Surface) {
    this.#client = client;
    this.#options = options;
    this.#surface = surface;
    const changed = () => surface.changed();
    this.menu = new Menu(options, changed);
    this.dictation = new Dictation(client, changed, (text) => this.insert(text));
    this.composer.text = readDraft(null);
    this.chooseDefaultModel();
  }

  chooseDefaultModel(): void {
    const { models } = this.#options().composer ?? {};
    this.composer.modelId ??= models?.find((model) => model.default)?.id ?? null;
  }

  /** Shows the draft of another thread. */
  turnTo(threadId: string | null): void {
    this.menu.close();
    this.composer.take();
    this.#threadId = threadId;
    this.composer.text = readDraft(threadId);
    this.hint = null;
  }

  /** Called when the thread got its id, or its draft was sent. */
  keep(threadId: string | null): void {
    if (this.#threadId !== threadId) writeDraft(this.#threadId, "");
    this.#threadId = threadId;
    writeDraft(threadId, this.composer.text);
  }

  setText(text: string): void {
    this.composer.text = text;
    this.hint = null;
    writeDraft(this.#threadId, text);
    this.#surface.changed();
  }

  focus(caret?: number): void {
    this.#surface.focusComposer(caret);
  }

  insert(text: string): void {
    const before = this.composer.text;
    this.setText(before && !/\s$/.test(before) ? `${before} ${text}` : before + text);
    this.focus();
  }

  setValue(value: ComposerValue): void {
    const { composer } = this;
    if (value.content) composer.fill(value.content);
    else if (value.text !== undefined) composer.fill([{ type: "input_text", text: value.text }]);
    if (value.reply !== undefined) composer.reply = value.reply;
    if (value.attachments) composer.uploads = value.attachments.map(uploaded);
    if (value.files) this.attach(value.files);
    if (value.selectedToolId !== undefined) this.selectTool(value.selectedToolId);
    if (value.selectedModelId) composer.modelId = value.selectedModelId;
    this.setText(composer.text);
  }

  dropReply(): void {
    this.composer.reply = null;
    this.#surface.changed();
  }

  selectTool(id: string | null): void {
    this.composer.toolId = id;
    this.#surface.emit("tool.change", { toolId: id });
    this.#surface.changed();
  }

  selectModel(id: string): void {
    this.composer.modelId = id;
    this.#surface.changed();
  }

  /** Uses an entry of the menu: inserts a mention into the text, or gives a command to the page. */
  async choose(entry: Entry): Promise<void> {
    const { start, end } = this.menu;
    this.menu.close();
    if (entry.kind === "entity") return this.#mention(entry.entity, start, end);
    this.setText(this.composer.text.slice(0, start) + this.composer.text.slice(end));
    const next = await this.#options().commands?.onSelect?.(entry.command);
    if (next?.type === "entity") this.#mention(next.entity, start, start);
    else if (next?.type === "menu") this.menu.show(commandEntries(next.commands));
    this.focus();
  }

  #mention(entity: Entity, start: number, end: number): void {
    const { text, mentions } = this.composer;
    const tag = `@${entity.title} `;
    if (!mentions.some((other) => other.id === entity.id)) mentions.push(entity);
    this.setText(text.slice(0, start) + tag + text.slice(end).trimStart());
    this.focus(start + tag.length);
  }

  attach(files: Iterable<File>): void {
    const limits = this.#options().composer?.attachments;
    if (!limits?.enabled) return;
    for (const file of files) {
      this.hint = refusal(file, limits, this.composer.uploads.length);
      if (this.hint) break;
      const upload = startUpload(file, this.#client, () => this.#surface.changed());
      this.composer.uploads.push(upload);
    }
    this.#surface.changed();
  }

  removeUpload(upload: Upload): void {
    upload.cancel?.();
    this.composer.uploads = this.composer.uploads.filter((other) => other !== upload);
    if (upload.attachment) {
      const params = { attachment_id: upload.attachment.id };
      // When this fails, the server deletes the file later, because no message uses it.
      void this.#client.request("attachments.delete", params).catch(() => undefined);
    }
    this.#surface.changed();
  }
}

function uploaded(attachment: NonNullable<ComposerValue["attachments"]>[number]): Upload {
  return {
    key: attachment.id,
    name: attachment.name,
    mimeType: attachment.mime_type,
    size: 0,
    state: "done",
    progress: 1,
    attachment,
    previewUrl: attachment.type === "image" ? attachment.preview_url : undefined,
  };
}
