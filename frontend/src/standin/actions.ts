/** Runs the actions of widgets: in the page or on the server, streaming or not. */
import type { ChatKitOptions } from "@openai/chatkit";
import { ApiError, type Client } from "./client";
import type { Conversation } from "./conversation";
import { upsert } from "./items";
import type { ActionConfig, Item, WidgetItem } from "./types";

type Given = {
  client: Client;
  options: () => ChatKitOptions;
  conversation: () => Conversation;
  changed: () => void;
  tell: (error: unknown) => void;
};

type Handle = NonNullable<NonNullable<ChatKitOptions["widgets"]>["onAction"]>;

export class Actions {
  readonly #given: Given;
  /** Actions that are running, as `item id` or `item id/component`. */
  readonly #busy = new Set<string>();
  readonly #revisions = new Map<string, number>();

  constructor(given: Given) {
    this.#given = given;
  }

  busy(key: string): boolean {
    return this.#busy.has(key);
  }

  /** Changes when an item's controls must be built again, because an action failed. */
  revision(item: WidgetItem): number {
    return this.#revisions.get(item.id) ?? 0;
  }

  /** Runs one action at a time for each `busyKey`, and any number where it is `null`. */
  async act(item: WidgetItem, action: ActionConfig, busyKey: string | null): Promise<void> {
    if (busyKey && this.#busy.has(busyKey)) return;
    if (busyKey) this.#busy.add(busyKey);
    this.#given.changed();
    try {
      if (!(await this.#perform(item, action))) this.#revise(item);
    } catch (error) {
      this.#revise(item);
      this.#given.tell(error);
    } finally {
      if (busyKey) this.#busy.delete(busyKey);
      this.#given.changed();
    }
  }

  async #perform(item: WidgetItem, { type, payload, handler, streaming }: ActionConfig) {
    const action = { type, payload: payload ?? {} };
    if (handler !== "client") return this.send(action, item.id, streaming !== false);
    const shown = { id: item.id, widget: item.widget } as unknown as Parameters<Handle>[1];
    const handle = this.#given.options().widgets?.onAction;
    if (!handle) throw new ApiError("This page cannot do that.", 0);
    await handle(action, shown);
    return true;
  }

  #revise(item: WidgetItem): void {
    this.#revisions.set(item.id, this.revision(item) + 1);
  }

  /** Returns `false` when the action was refused and the thread shows why. A sync action throws. */
  async send(action: object, itemId: string | undefined, streaming: boolean): Promise<boolean> {
    const conversation = this.#given.conversation();
    const params = {
      thread_id: conversation.id,
      ...(itemId && { item_id: itemId }),
      action,
    };
    if (streaming) return (await conversation.run("threads.custom_action", params)) !== "refused";
    const { updated_item } = await this.#given.client.request<{ updated_item?: Item }>(
      "threads.sync_custom_action",
      params,
    );
    if (updated_item) conversation.items = upsert(conversation.items, updated_item);
    return true;
  }
}
