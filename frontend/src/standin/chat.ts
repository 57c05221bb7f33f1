/** The element's state and what the visitor and the page can do with it. No rendering here. */
import type { ChatKitOptions, Entity } from "@openai/chatkit";
import { ApiError, Client } from "./client";
import { Composer } from "./composer";
import { Conversation, type Outcome } from "./conversation";
import { Dictation } from "./dictation";
import { readDraft, writeDraft } from "./drafts";
import { History } from "./history";
import { upsert } from "./items";
import { commandEntries, type Entry, Menu } from "./menu";
import type {
  ActionConfig,
  Attachment,
  ComposerValue,
  Item,
  OutgoingMessage,
  UserMessage,
  WidgetItem,
} from "./types";
import { refusal, startUpload, type Upload } from "./uploads";

export type Surface = {
  changed(): void;
  emit(event: string, detail?: unknown): void;
  focusComposer(caret?: number): void;
  scrollToEnd(): void;
};

export class Chat {
  options: ChatKitOptions;
  client: Client;
  conversation: Conversation;
  readonly composer = new Composer();
  history: History;
  menu: Menu;
  dictation: Dictation;
  /** One line under the composer about what was just refused. */
  hint: string | null = null;
  /** Which feedback was given to which turn, by the id of its first answer. */
  readonly feedback = new Map<string, "positive" | "negative">();
  /** Actions under way, as `item id` or `item id/component`; and failed ones, to draw anew. */
  readonly busy = new Set<string>();
  readonly revisions = new Map<string, number>();

  readonly #surface: Surface;
  /** Conversations whose answers are still streaming while another is on the screen. */
  readonly #live = new Map<string, Conversation>();

  constructor(options: ChatKitOptions, surface: Surface) {
    this.options = options;
    this.#surface = surface;
    this.client = new Client(options);
    this.history = new History(this.client, this.changed);
    this.menu = new Menu(() => this.options, this.changed);
    this.dictation = new Dictation(this.client, this.changed, (text) => this.insert(text));
    this.conversation = this.#conversationFor(null);
    this.composer.text = readDraft(null);
    this.composer.modelId = defaultModel(options);
  }

  readonly changed = (): void => this.#surface.changed();

  setOptions(options: ChatKitOptions): void {
    this.options = options;
    this.composer.modelId ??= defaultModel(options);
    this.changed();
  }

  #conversationFor(id: string | null): Conversation {
    const live = id ? this.#live.get(id) : undefined;
    if (live?.streaming) return live;
    const conversation: Conversation = new Conversation(id, this.client, {
      changed: this.changed,
      emit: (event, detail) => {
        if (conversation.id && conversation.streaming)
          this.#live.set(conversation.id, conversation);
        // What happens in a thread that is not on the screen is not news to the page.
        if (conversation === this.conversation) this.#surface.emit(event, detail);
      },
      clientTool: async ({ name, arguments: params }) => {
        try {
          return (await this.options.onClientTool?.({ name, params })) ?? {};
        } catch (error) {
          return { error: error instanceof Error ? error.message : String(error) };
        }
      },
    });
    return conversation;
  }

  /** Shows a thread, or the start screen for `null`. */
  async openThread(id: string | null): Promise<void> {
    this.menu.close();
    const conversation = this.#conversationFor(id);
    this.conversation = conversation;
    this.composer.take();
    this.composer.text = readDraft(id);
    this.hint = null;
    this.#surface.emit("thread.change", { threadId: id });
    this.changed();
    if (!id || conversation.streaming) return;
    this.#surface.emit("thread.load.start", { threadId: id });
    try {
      await conversation.load();
      this.#surface.scrollToEnd();
    } catch (error) {
      this.#loadFailed(conversation, error);
    } finally {
      this.#surface.emit("thread.load.end", { threadId: id });
    }
  }

  #loadFailed(conversation: Conversation, error: unknown): void {
    this.#surface.emit("error", { error });
    if (error instanceof ApiError && error.status === 404 && conversation === this.conversation) {
      void this.openThread(null).then(() => {
        this.hint = "That conversation does not exist any more.";
        this.changed();
      });
      return;
    }
    conversation.failure = {
      message: error instanceof ApiError ? error.message : "The conversation could not be loaded.",
      retry: () => {
        conversation.failure = null;
        void this.openThread(conversation.id);
      },
    };
    this.changed();
  }

  async fetchUpdates(): Promise<void> {
    const { conversation } = this;
    if (conversation.id && !conversation.streaming)
      await conversation.load().catch(() => undefined);
  }

  // --- writing ---

  setText(text: string): void {
    this.composer.text = text;
    this.hint = null;
    writeDraft(this.conversation.id, text);
    this.changed();
  }

  focusComposer(caret?: number): void {
    this.#surface.focusComposer(caret);
  }

  insert(text: string): void {
    const before = this.composer.text;
    this.setText(before && !/\s$/.test(before) ? `${before} ${text}` : before + text);
    this.#surface.focusComposer();
  }

  setComposerValue(value: ComposerValue): void {
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

  selectTool(id: string | null): void {
    this.composer.toolId = id;
    this.#surface.emit("tool.change", { toolId: id });
    this.changed();
  }

  selectModel(id: string): void {
    this.composer.modelId = id;
    this.changed();
  }

  async choose(entry: Entry): Promise<void> {
    const { start, end } = this.menu;
    this.menu.close();
    if (entry.kind === "entity") return this.#insertEntity(entry.entity, start, end);
    this.setText(this.composer.text.slice(0, start) + this.composer.text.slice(end));
    const next = await this.options.commands?.onSelect?.(entry.command);
    if (next?.type === "entity") this.#insertEntity(next.entity, start, start);
    else if (next?.type === "menu") this.menu.show(commandEntries(next.commands));
    this.#surface.focusComposer();
  }

  #insertEntity(entity: Entity, start: number, end: number): void {
    const { text, mentions } = this.composer;
    const tag = `@${entity.title} `;
    if (!mentions.some((other) => other.id === entity.id)) mentions.push(entity);
    this.setText(text.slice(0, start) + tag + text.slice(end).trimStart());
    this.#surface.focusComposer(start + tag.length);
  }

  attach(files: Iterable<File>): void {
    const limits = this.options.composer?.attachments;
    if (!limits?.enabled) return;
    for (const file of files) {
      this.hint = refusal(file, limits, this.composer.uploads.length);
      if (this.hint) break;
      this.composer.uploads.push(startUpload(file, this.client, this.changed));
    }
    this.changed();
  }

  removeUpload(upload: Upload): void {
    upload.cancel?.();
    this.composer.uploads = this.composer.uploads.filter((other) => other !== upload);
    if (upload.attachment) {
      const params = { attachment_id: upload.attachment.id };
      // What stays behind when this fails is swept up by the server: it belongs to no message.
      void this.client.request("attachments.delete", params).catch(() => undefined);
    }
    this.changed();
  }

  // --- sending ---

  async submit(): Promise<void> {
    const { composer, conversation } = this;
    if (conversation.streaming || !composer.ready || conversation.status.type !== "active") return;
    const content = composer.content();
    const toolChoice = composer.toolId ? { id: composer.toolId } : undefined;
    const taken = composer.take();
    writeDraft(conversation.id, "");
    this.menu.close();
    const attachments = taken.uploads.flatMap(({ attachment, state, previewUrl }) =>
      attachment && state === "done" ? [{ preview_url: previewUrl, ...attachment }] : [],
    );
    const tool = this.options.composer?.tools?.find(({ id }) => id === composer.toolId);
    if (tool && !tool.persistent) this.selectTool(null);
    const outcome = await this.#send(conversation, {
      content,
      attachments,
      reply: taken.reply ?? undefined,
      toolChoice,
      model: composer.modelId ?? undefined,
    });
    if (outcome !== "refused" || conversation !== this.conversation) return;
    composer.giveBack(taken);
    this.setText(composer.text);
  }

  async sendUserMessage(message: OutgoingMessage): Promise<void> {
    if (message.newThread) await this.openThread(null);
    await this.#send(this.conversation, message as Sending);
  }

  #send(conversation: Conversation, message: Sending): Promise<Outcome> {
    const content = message.content ?? [{ type: "input_text", text: message.text ?? "" }];
    const attachments = message.attachments ?? [];
    const shown: UserMessage = {
      id: `sending-${crypto.randomUUID()}`,
      thread_id: conversation.id ?? "",
      created_at: new Date().toISOString(),
      type: "user_message",
      content,
      attachments,
      quoted_text: message.reply,
    };
    const input = {
      content,
      attachments: attachments.map(({ id }) => id),
      quoted_text: message.reply ?? null,
      inference_options: {
        ...(message.toolChoice && { tool_choice: message.toolChoice }),
        ...(message.model && { model: message.model }),
      },
    };
    const outcome = conversation.send(input, shown);
    this.#surface.scrollToEnd();
    return outcome;
  }

  async give(kind: "positive" | "negative", turn: readonly Item[]): Promise<void> {
    const first = turn[0];
    if (!first) return;
    this.feedback.set(first.id, kind);
    this.changed();
    const params = {
      thread_id: this.conversation.id,
      item_ids: turn.map(({ id }) => id),
      kind,
    };
    await this.client.request("items.feedback", params).catch((error: unknown) => {
      this.feedback.delete(first.id);
      this.#tell(error);
    });
  }

  // --- widgets ---

  /** A widget's action, as the widget declares it: in the page or on the server. */
  async act(item: WidgetItem, action: ActionConfig, busyKey: string | null): Promise<void> {
    if (busyKey && this.busy.has(busyKey)) return;
    if (busyKey) this.busy.add(busyKey);
    this.changed();
    try {
      const payload = action.payload ?? {};
      if (action.handler === "client") {
        const shown = { id: item.id, widget: item.widget } as unknown as Parameters<
          NonNullable<NonNullable<ChatKitOptions["widgets"]>["onAction"]>
        >[1];
        await this.options.widgets?.onAction?.({ type: action.type, payload }, shown);
      } else {
        const streaming = action.streaming !== false;
        const done = await this.#serverAction({ type: action.type, payload }, item.id, streaming);
        if (!done) this.#drawAnew(item);
      }
    } catch (error) {
      this.#drawAnew(item);
      this.#tell(error);
    } finally {
      if (busyKey) this.busy.delete(busyKey);
      this.changed();
    }
  }

  /** Puts controls back to what the widget says: what was pressed did not happen. */
  #drawAnew(item: WidgetItem): void {
    this.revisions.set(item.id, (this.revisions.get(item.id) ?? 0) + 1);
  }

  async sendCustomAction(action: { type: string; payload?: unknown }, itemId?: string) {
    await this.#serverAction(action, itemId, true);
  }

  /** `false` when it was refused and the conversation says so; a sync one throws instead. */
  async #serverAction(
    action: object,
    itemId: string | undefined,
    streaming: boolean,
  ): Promise<boolean> {
    const { conversation } = this;
    const params = {
      thread_id: conversation.id,
      ...(itemId && { item_id: itemId }),
      action,
    };
    if (streaming) {
      const outcome = await conversation.run("threads.custom_action", params);
      return outcome !== "refused";
    }
    const { updated_item } = await this.client.request<{ updated_item?: Item }>(
      "threads.sync_custom_action",
      params,
    );
    if (updated_item) conversation.items = upsert(conversation.items, updated_item);
    return true;
  }

  #tell(error: unknown): void {
    this.hint = error instanceof ApiError ? error.message : "That did not work. Please try again.";
    this.#surface.emit("error", { error });
    this.changed();
  }

  // --- history ---

  showHistory(): void {
    if (this.history.open) return;
    this.history.open = true;
    this.#surface.emit("history.open");
    void this.history.load();
  }

  hideHistory(): void {
    if (!this.history.open) return;
    this.history.open = false;
    this.#surface.emit("history.close");
    this.changed();
  }

  async rename(id: string, title: string): Promise<void> {
    await this.history.rename(id, title);
    if (id === this.conversation.id && !this.history.error) this.conversation.title = title;
    this.changed();
  }

  async deleteThread(id: string): Promise<void> {
    const gone = await this.history.delete(id);
    if (!gone) return;
    writeDraft(id, "");
    if (id === this.conversation.id) await this.openThread(null);
  }
}

type Sending = Omit<OutgoingMessage, "attachments"> & { attachments?: Attachment[] };

const defaultModel = (options: ChatKitOptions): string | null =>
  options.composer?.models?.find((model) => model.default)?.id ?? null;

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
