/** The element's state, and what the visitor and the page can do with it. It renders nothing. */
import type { ChatKitOptions } from "@openai/chatkit";
import type { FeedbackKind } from "../chatkit/feedback";
import { randomId } from "../chatkit/ids";
import { Actions } from "./actions";
import { ApiError, Client } from "./client";
import { Conversation, type Outcome } from "./conversation";
import { writeDraft } from "./drafts";
import { Editor } from "./editor";
import { History } from "./history";
import type { Surface } from "./surface";
import type { Attachment, ClientToolCall, Item, OutgoingMessage, UserMessage } from "./types";

export class Chat {
  options: ChatKitOptions;
  conversation: Conversation;
  readonly editor: Editor;
  readonly history: History;
  readonly actions: Actions;

  readonly #client: Client;
  readonly #surface: Surface;
  /** Items that could not be drawn, by their ids. The page is told once of each. */
  readonly #undrawn = new Set<string>();
  /** Conversations that are still streaming while another one is shown. */
  readonly #live = new Map<string, Conversation>();

  constructor(options: ChatKitOptions, surface: Surface) {
    this.options = options;
    this.#surface = surface;
    this.#client = new Client(options);
    this.history = new History(this.#client, this.changed);
    this.editor = new Editor(this.#client, () => this.options, surface);
    this.actions = new Actions({
      client: this.#client,
      options: () => this.options,
      conversation: () => this.conversation,
      changed: this.changed,
      tell: (error) => this.#tell(error),
    });
    this.conversation = this.#conversationFor(null);
  }

  readonly changed = (): void => this.#surface.changed();

  setOptions(options: ChatKitOptions): void {
    this.options = options;
    this.editor.chooseDefaultModel();
    this.changed();
  }

  // --- threads ---

  #conversationFor(id: string | null): Conversation {
    const live = id ? this.#live.get(id) : undefined;
    if (live?.streaming) return live;
    const conversation: Conversation = new Conversation(id, this.#client, {
      changed: this.changed,
      emit: (event, detail) => this.#happened(conversation, event, detail),
      clientTool: (call) => this.#clientTool(call),
    });
    return conversation;
  }

  #happened(conversation: Conversation, event: string, detail: unknown): void {
    if (conversation.id && conversation.streaming) this.#live.set(conversation.id, conversation);
    // The page gets events only of the thread that is shown.
    if (conversation !== this.conversation) return;
    if (event === "thread.change") this.editor.keep(conversation.id);
    this.#surface.emit(event, detail);
  }

  async #clientTool({ name, arguments: params }: ClientToolCall) {
    const { onClientTool } = this.options;
    if (!onClientTool) return { error: `This page has no tool named ${name}.` };
    try {
      return (await onClientTool({ name, params })) ?? {};
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Shows a thread, or the start screen for `null`. */
  async openThread(id: string | null): Promise<void> {
    const conversation = this.#conversationFor(id);
    this.conversation = conversation;
    this.editor.turnTo(id);
    this.#surface.emit("thread.change", { threadId: id });
    this.changed();
    if (!id || conversation.streaming) return;
    this.#surface.emit("thread.load.start", { threadId: id });
    try {
      await conversation.load();
      this.#surface.scrollToEnd();
    } catch (error) {
      await this.#loadFailed(conversation, error);
    } finally {
      this.#surface.emit("thread.load.end", { threadId: id });
    }
  }

  async #loadFailed(conversation: Conversation, error: unknown): Promise<void> {
    this.#surface.emit("error", { error });
    if (error instanceof ApiError && error.status === 404 && conversation === this.conversation) {
      await this.openThread(null);
      this.editor.hint = "That conversation does not exist any more.";
    } else {
      const known = error instanceof ApiError;
      conversation.failure = {
        message: known ? error.message : "The conversation could not be loaded.",
        retry: () => {
          conversation.failure = null;
          void this.openThread(conversation.id);
        },
      };
    }
    this.changed();
  }

  async fetchUpdates(): Promise<void> {
    const { conversation } = this;
    if (!conversation.id || conversation.streaming) return;
    // The visitor did not ask for this, so a failure is not shown.
    await conversation.load().catch(() => undefined);
  }

  // --- messages ---

  async submit(): Promise<void> {
    const { conversation } = this;
    const { composer } = this.editor;
    if (conversation.streaming || !composer.ready || conversation.status.type !== "active") return;
    const content = composer.content();
    const toolChoice = composer.toolId ? { id: composer.toolId } : undefined;
    const taken = composer.take();
    this.editor.keep(conversation.id);
    this.editor.menu.close();
    const attachments = taken.uploads.flatMap(({ attachment, state, previewUrl }) =>
      attachment && state === "done" ? [{ preview_url: previewUrl, ...attachment }] : [],
    );
    const tool = this.options.composer?.tools?.find(({ id }) => id === composer.toolId);
    if (tool && !tool.persistent) this.editor.selectTool(null);
    const outcome = await this.#send(conversation, {
      content,
      attachments,
      reply: taken.reply ?? undefined,
      toolChoice,
      model: composer.modelId ?? undefined,
    });
    if (outcome !== "refused") return;
    if (conversation !== this.conversation) return writeDraft(conversation.id, taken.text);
    composer.giveBack(taken);
    this.editor.keep(conversation.id);
    this.changed();
  }

  toEnd(): void {
    this.#surface.scrollToEnd();
  }

  async sendUserMessage(message: OutgoingMessage): Promise<void> {
    if (message.newThread) await this.openThread(null);
    await this.#send(this.conversation, message as Sending);
  }

  #send(conversation: Conversation, message: Sending): Promise<Outcome> {
    const content = message.content ?? [{ type: "input_text", text: message.text ?? "" }];
    const attachments = message.attachments ?? [];
    const shown: UserMessage = {
      id: `sending-${randomId()}`,
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

  /** Marks a turn's answers as good or bad. The same mark once more takes it back. */
  async give(kind: FeedbackKind, turn: readonly Item[]): Promise<void> {
    const { feedback, id: thread_id } = this.conversation;
    const item_ids = turn.map(({ id }) => id);
    const before = item_ids.map((id) => [id, feedback.get(id)] as const);
    const mark = (id: string, given: FeedbackKind | undefined) =>
      given ? feedback.set(id, given) : feedback.delete(id);
    const takenBack = before[0]?.[1] === kind;
    for (const id of item_ids) mark(id, takenBack ? undefined : kind);
    this.changed();
    try {
      if (takenBack) await this.#client.ask("feedback/remove", { thread_id, item_ids });
      else await this.#client.request("items.feedback", { thread_id, item_ids, kind });
    } catch (error) {
      for (const [id, given] of before) mark(id, given);
      this.#tell(error);
    }
  }

  /** Saves a file of a message. The server knows the link, which is valid for an hour. */
  async saveFile({ id }: Attachment): Promise<void> {
    try {
      const { url } = (await this.#client.ask(`files/${encodeURIComponent(id)}`)) as {
        url: string;
      };
      // The link is of an attachment, so the page stays. Safari blocks a new tab after an `await`.
      const link = document.createElement("a");
      link.href = url;
      link.click();
    } catch (error) {
      this.#tell(error);
    }
  }

  cannotDraw(item: Item, error: unknown): void {
    if (this.#undrawn.has(item.id)) return;
    this.#undrawn.add(item.id);
    this.#surface.emit("error", { error });
  }

  #tell(error: unknown): void {
    const known = error instanceof ApiError;
    this.editor.hint = known ? error.message : "That did not work. Please try again.";
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
    if (!(await this.history.delete(id))) return;
    writeDraft(id, "");
    if (id === this.conversation.id) await this.openThread(null);
  }
}

type Sending = Omit<OutgoingMessage, "attachments"> & { attachments?: Attachment[] };
