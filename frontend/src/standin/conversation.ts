/** One thread: its items, its current run, and its last error. */

import { type FeedbackKind, feedbackIn } from "../chatkit/feedback";
import { runningUntil } from "../chatkit/running";
import { ApiError, BrokenStream, type Client } from "./client";
import { update, upsert, without } from "./items";
import type {
  ClientToolCall,
  Item,
  Notice,
  Page,
  StreamEvent,
  Thread,
  ThreadStatus,
  UserMessage,
} from "./types";

const PAGE = 40;

export type Host = {
  changed(): void;
  emit(event: string, detail?: unknown): void;
  /** Runs a client tool of the page and returns its result. */
  clientTool(call: ClientToolCall): Promise<Record<string, unknown>>;
};

export type Failure = { message: string; retry?: () => void };

/** How a run ended. After `refused` the message goes back to the composer. */
export type Outcome = "done" | "stopped" | "broken" | "refused";

export class Conversation {
  id: string | null;
  title: string | null = null;
  status: ThreadStatus = { type: "active" };
  imageDomains: string[] = [];
  items: Item[] = [];
  notices: Notice[] = [];
  /** The visitor's feedback on items, by their ids. */
  readonly feedback = new Map<string, FeedbackKind>();
  progress: { icon?: string | null; text: string } | null = null;
  failure: Failure | null = null;
  loading = false;
  streaming = false;
  canStop = true;
  earlier: string | null = null;
  /**
   * An answer is being written for another window, or for a request that was sent before. The page
   * fetches again until it is complete.
   */
  running = false;

  readonly #client: Client;
  readonly #host: Host;
  #abort: AbortController | null = null;
  /** The visitor stopped the newest run, and the server may not have stored its answer yet. */
  #stopped = false;

  constructor(id: string | null, client: Client, host: Host) {
    this.id = id;
    this.#client = client;
    this.#host = host;
  }

  readonly #lookIfRunning = (response: Response): void => {
    this.running = runningUntil(response) > Date.now();
  };

  /** Loads the thread and its newest items. Throws an `ApiError`; an unknown thread is a 404. */
  async load(): Promise<void> {
    const id = this.id;
    if (!id) return;
    this.loading = this.items.length === 0;
    this.#host.changed();
    try {
      const [thread, page] = await Promise.all([
        this.#client.request<Thread>("threads.get_by_id", { thread_id: id }, this.#lookIfRunning),
        this.#page(null),
      ]);
      if (this.streaming) return;
      if (this.#stopped && this.running) {
        // What was written stays on the screen until the server has stored it.
        this.running = false;
        return;
      }
      this.#stopped = false;
      this.#setThread(thread);
      const known = new Set(page.data.map((item) => item.id));
      const oldest = page.data.at(-1);
      const before = this.items.findIndex((item) => item.id === oldest?.id);
      const kept = before > 0 ? this.items.slice(0, before) : [];
      this.items = [...kept.filter((item) => !known.has(item.id)), ...page.data.toReversed()];
      if (kept.length === 0) this.earlier = page.has_more ? (page.after ?? null) : null;
    } finally {
      this.loading = false;
      this.#host.changed();
    }
  }

  async loadEarlier(): Promise<void> {
    if (!this.earlier) return;
    const page = await this.#page(this.earlier);
    const known = new Set(this.items.map((item) => item.id));
    const older = page.data.toReversed().filter((item) => !known.has(item.id));
    this.items = [...older, ...this.items];
    this.earlier = page.has_more ? (page.after ?? null) : null;
    this.#host.changed();
  }

  async #page(after: string | null): Promise<Page<Item>> {
    const params = {
      thread_id: this.id,
      limit: PAGE,
      order: "desc",
      ...(after && { after }),
    };
    let feedback: ReturnType<typeof feedbackIn> = [];
    const page = await this.#client.request<Page<Item>>("items.list", params, (response) => {
      feedback = feedbackIn(response);
    });
    for (const { id } of page.data) this.feedback.delete(id); // it may have been taken back elsewhere
    for (const [id, kind] of feedback) this.feedback.set(id, kind);
    return page;
  }

  /** The newest item is the visitor's, and no answer is being written. */
  get unanswered(): boolean {
    const idle = !this.streaming && !this.running && !this.failure && !this.loading;
    return idle && this.items.at(-1)?.type === "user_message";
  }

  get lastUserMessage(): UserMessage | undefined {
    return this.items.findLast((item) => item.type === "user_message");
  }

  /** Sends a message. It is shown at once, and replaced by the server's item when that arrives. */
  async send(input: Record<string, unknown>, shown: UserMessage): Promise<Outcome> {
    this.items = [...this.items, shown];
    const outcome = await this.run(
      this.id ? "threads.add_user_message" : "threads.create",
      { input, ...(this.id && { thread_id: this.id }) },
      shown.id,
    );
    this.items = without(this.items, shown.id);
    this.#host.changed();
    return outcome;
  }

  /**
   * Removes everything after a message of the visitor and asks for a new answer. When that is
   * refused, what was there is still stored, and comes back.
   */
  async retry(message: UserMessage): Promise<void> {
    const before = this.items;
    const index = before.findIndex((item) => item.id === message.id);
    this.items = before.slice(0, index + 1);
    const params = { thread_id: this.id, item_id: message.id };
    if ((await this.run("threads.retry_after_item", params)) !== "refused") return;
    this.items = before;
    this.#host.changed();
  }

  stop(): void {
    this.#abort?.abort(new DOMException("Stopped", "AbortError"));
  }

  /** Runs one streaming operation to its end. Never throws: an error is put into `failure`. */
  async run(type: string, params: Record<string, unknown>, standIn?: string): Promise<Outcome> {
    if (this.streaming) return "refused";
    const abort = new AbortController();
    this.#abort = abort;
    this.streaming = true;
    this.canStop = true;
    this.running = false;
    this.#stopped = false;
    this.failure = null;
    this.notices = [];
    this.#host.emit("response.start");
    this.#host.changed();
    let begun = false;
    let outcome: Outcome = "done";
    try {
      const { signal } = abort;
      for await (const event of this.#client.stream(type, params, signal, this.#lookIfRunning)) {
        begun = true;
        this.#apply(event, standIn);
        this.#host.changed();
      }
    } catch (error) {
      outcome = this.#failed(error, { begun, stopped: abort.signal.aborted });
    } finally {
      this.streaming = false;
      this.progress = null;
      this.#abort = null;
      this.#host.emit("response.end");
      this.#host.changed();
    }
    this.#stopped = outcome === "stopped";
    if (outcome === "broken" || outcome === "stopped" || this.running) {
      await this.load().catch(() => undefined);
    }
    if (outcome === "done") await this.#answerClientTool();
    return outcome;
  }

  #failed(error: unknown, at: { begun: boolean; stopped: boolean }): Outcome {
    if (at.stopped) return at.begun ? "stopped" : "refused";
    const known = error instanceof ApiError || error instanceof BrokenStream;
    this.failure = {
      message: known ? error.message : "Something went wrong. Please try again.",
    };
    this.#host.emit("error", { error: error instanceof Error ? error : new Error(String(error)) });
    return error instanceof BrokenStream ? "broken" : at.begun ? "done" : "refused";
  }

  /** When the newest item is a pending client tool call, the thread waits for the page. */
  async #answerClientTool(): Promise<void> {
    const call = this.items.findLast((item) => item.type !== "end_of_turn");
    if (call?.type !== "client_tool_call" || call.status !== "pending" || this.failure) return;
    const result = await this.#host.clientTool(call);
    this.items = upsert(this.items, { ...call, status: "completed" });
    await this.run("threads.add_client_tool_output", { thread_id: this.id, result });
  }

  #setThread(thread: Thread): void {
    this.id = thread.id;
    this.title = thread.title ?? null;
    this.status = thread.status ?? { type: "active" };
    this.imageDomains = thread.allowed_image_domains ?? [];
  }

  #apply(event: StreamEvent, standIn?: string): void {
    switch (event.type) {
      case "thread.created":
        this.#setThread(event.thread);
        this.#host.emit("thread.change", { threadId: event.thread.id });
        break;
      case "thread.updated":
        this.#setThread(event.thread);
        break;
      case "thread.item.added":
      case "thread.item.done":
      case "thread.item.replaced":
        if (standIn && event.item.type === "user_message")
          this.items = without(this.items, standIn);
        if (event.item.type !== "user_message") this.progress = null;
        this.items = upsert(this.items, event.item);
        break;
      case "thread.item.updated":
        this.progress = null;
        this.items = update(this.items, event.item_id, event.update);
        break;
      case "thread.item.removed":
        this.items = without(this.items, event.item_id);
        break;
      case "stream_options":
        this.canStop = event.stream_options.allow_cancel;
        break;
      case "progress_update":
        this.progress = { icon: event.icon, text: event.text };
        break;
      case "client_effect":
        this.#host.emit("effect", { name: event.name, data: event.data });
        break;
      case "notice":
        this.notices = [...this.notices, event];
        break;
      case "error":
        this.#serverError(event);
        break;
    }
  }

  #serverError(event: Extract<StreamEvent, { type: "error" }>): void {
    const message = this.lastUserMessage;
    this.failure = {
      message: event.message ?? "An error occurred while generating a response.",
      ...(event.allow_retry && message && { retry: () => void this.retry(message) }),
    };
    this.#host.emit("error", { error: new ApiError(`stream error ${event.code}`, 200) });
  }
}
