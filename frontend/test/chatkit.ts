/** A scripted ChatKit server behind `options.api.fetch`, and the stand-in element on the page. */
import type { ChatKitOptions, OpenAIChatKit } from "@openai/chatkit";
import { defineStandIn } from "../src/standin";
import { until } from "./wait";

export type Operation = {
  type: string;
  params: Record<string, unknown>;
  signal?: AbortSignal | null;
};
export type Script = (operation: Operation) => Response | Promise<Response>;

const encoder = new TextEncoder();
export const chunk = (event: unknown) => encoder.encode(`data: ${JSON.stringify(event)}\n\n`);

export function events(...list: unknown[]): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const event of list) controller.enqueue(chunk(event));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** A stream that stays open until the test closes it or the request is aborted. */
export function openStream({ signal }: Operation) {
  let controller!: ReadableStreamDefaultController;
  const body = new ReadableStream({
    start(given) {
      controller = given;
    },
  });
  signal?.addEventListener("abort", () => controller.error(signal.reason));
  return {
    response: new Response(body, { headers: { "content-type": "text/event-stream" } }),
    push: (event: unknown) => controller.enqueue(chunk(event)),
    close: () => controller.close(),
    break: () => controller.error(new TypeError("network error")),
  };
}

export const at = { thread_id: "thr_1", created_at: "2026-01-01T10:00:00" };
export const thread = {
  id: "thr_1",
  title: "A title",
  created_at: at.created_at,
  items: { data: [] },
};

export const userMessage = (id: string, text: string) => ({
  ...at,
  id,
  type: "user_message",
  content: [{ type: "input_text", text }],
  attachments: [],
  inference_options: {},
});

export const answer = (id: string, text: string) => ({
  ...at,
  id,
  type: "assistant_message",
  content: [{ type: "output_text", text, annotations: [] }],
});

export const widget = (id: string, root: object) => ({ ...at, id, type: "widget", widget: root });

export const created = { type: "thread.created", thread };
export const done = (item: unknown) => ({ type: "thread.item.done", item });

/** A page of items or threads. */
export const page = (data: unknown[], more: string | null = null) =>
  Response.json({ data, has_more: more !== null, after: more });

/** A thread that exists, with these items. */
export const existing =
  (items: unknown[], rest: Script = () => Response.json({})): Script =>
  (operation) => {
    if (operation.type === "threads.get_by_id") return Response.json(thread);
    if (operation.type === "items.list") return page([...items].reverse());
    return rest(operation);
  };

export async function mount(script: Script, options: Partial<ChatKitOptions> = {}) {
  defineStandIn();
  const operations: Operation[] = [];
  const element = document.createElement("openai-chatkit") as OpenAIChatKit;
  document.body.replaceChildren(element);
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const operation = {
      ...JSON.parse(String(init?.body ?? "{}")),
      signal: init?.signal,
    } as Operation;
    operations.push(operation);
    return script(operation);
  };
  const emitted: { name: string; detail: unknown }[] = [];
  for (const name of [
    "ready",
    "error",
    "effect",
    "thread.change",
    "response.start",
    "response.end",
  ]) {
    element.addEventListener(`chatkit.${name}`, (event) =>
      emitted.push({ name, detail: (event as CustomEvent).detail }),
    );
  }
  element.setOptions({ api: { url: "/chatkit", domainKey: "x", fetch }, ...options });
  const root = element.shadowRoot as ShadowRoot;
  const find = <T extends HTMLElement>(selector: string) =>
    until(() => root.querySelector<T>(selector));
  const button = (name: string) =>
    until(() =>
      [...root.querySelectorAll<HTMLButtonElement>("button")].find(
        (candidate) => candidate.textContent?.trim() === name,
      ),
    );
  const text = () => (root.textContent ?? "").replace(/\s+/g, " ");
  const sees = (words: string) => until(() => text().includes(words));
  await find(".composer, .composer-closed");
  const composer = root.querySelector("textarea[data-composer]") as HTMLTextAreaElement;
  const type = (value: string) => {
    composer.value = value;
    composer.dispatchEvent(new Event("input"));
  };
  const submit = () =>
    composer.dispatchEvent(
      new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }),
    );
  const of = (name: string) => operations.filter((operation) => operation.type === name);
  return {
    element,
    root,
    operations,
    emitted,
    find,
    button,
    text,
    sees,
    composer,
    type,
    submit,
    of,
  };
}
