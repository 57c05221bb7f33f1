/** The list of threads: paging, renaming, deleting. */
import { ApiError, type Client } from "./client";
import type { Page, Thread } from "./types";

const PAGE = 20;

export class History {
  open = false;
  threads: Thread[] = [];
  loading = false;
  error: string | null = null;
  more: string | null = null;
  /** The thread whose title is being edited, and the one whose deletion must be confirmed. */
  renaming: string | null = null;
  deleting: string | null = null;

  readonly #client: Client;
  readonly #changed: () => void;

  constructor(client: Client, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  async load(after: string | null = null): Promise<void> {
    this.loading = true;
    await this.#try(async () => {
      const page = await this.#client.request<Page<Thread>>("threads.list", {
        limit: PAGE,
        order: "desc",
        ...(after && { after }),
      });
      const known = new Set(after ? this.threads.map((thread) => thread.id) : []);
      const fresh = page.data.filter((thread) => !known.has(thread.id));
      this.threads = after ? [...this.threads, ...fresh] : fresh;
      this.more = page.has_more ? (page.after ?? null) : null;
    });
    this.loading = false;
    this.#changed();
  }

  async rename(id: string, title: string): Promise<void> {
    this.renaming = null;
    const before = this.threads;
    this.threads = before.map((thread) => (thread.id === id ? { ...thread, title } : thread));
    const done = await this.#try(() =>
      this.#client.request("threads.update", { thread_id: id, title }),
    );
    if (!done) this.threads = before;
    this.#changed();
  }

  /** Returns `true` when the thread was deleted. */
  async delete(id: string): Promise<boolean> {
    this.deleting = null;
    const done = await this.#try(() => this.#client.request("threads.delete", { thread_id: id }));
    if (done) this.threads = this.threads.filter((thread) => thread.id !== id);
    this.#changed();
    return done;
  }

  async #try(action: () => Promise<unknown>): Promise<boolean> {
    this.error = null;
    this.#changed();
    try {
      await action();
      return true;
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : "Something went wrong.";
      return false;
    }
  }
}
