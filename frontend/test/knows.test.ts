/**
 * The stand-in draws everything that ChatKit's Python package can send. The names come from that package
 * (`tests/support/chatkit_types.py`), so what a newer version adds fails here until it is drawn.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { render } from "lit-html";
import { beforeEach, describe, expect, it } from "vitest";
import { icon } from "../src/standin/icons";
import { VIEWS } from "../src/standin/widgets/registry";
import {
  answer,
  at,
  created,
  done,
  events,
  existing,
  mount,
  openStream,
  thread,
  userMessage,
  widget,
} from "./chatkit";
import { until } from "./wait";

const types = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../tests/support/chatkit-types.json"), "utf8"),
);
const sorted = (object: object) => Object.keys(object).sort();

beforeEach(() => sessionStorage.clear());

const url = {
  type: "url",
  url: "https://example.com/a",
  title: "A page",
  description: "Of a site",
};
const file = { type: "file", filename: "a.pdf", title: "A file" };
const entity = { type: "entity", id: "e", title: "An entity" };

const TASKS: Record<string, { task: object; shows: string[] }> = {
  custom: { task: { title: "Counted", content: "**42** of them" }, shows: ["Counted", "42"] },
  web_search: {
    task: { title_query: "Looked up", queries: ["one", "two"], sources: [url] },
    shows: ["Looked up", "one · two", "A page"],
  },
  thought: { task: { title: "Thought", content: "It may rain" }, shows: ["It may rain"] },
  file: { task: { title: "Read", sources: [file] }, shows: ["Read", "A file"] },
  image: { task: { title: "Drew it" }, shows: ["Drew it"] },
};

const cited = (...sources: object[]) => ({
  ...answer("m", "As it says"),
  content: [
    {
      type: "output_text",
      text: "As it says",
      annotations: sources.map((source) => ({ type: "annotation", source })),
    },
  ],
});

const questions = {
  freeform: { id: "f", type: "freeform", question: "What for?", description: "In a word" },
  multiple_choice: {
    id: "c",
    type: "multiple_choice",
    question: "Which?",
    options: [{ value: "This" }],
  },
};

/** An item of each type and the words that it shows; none for what a page does not show. */
const ITEMS: Record<string, { item: object; shows: string[] }> = {
  user_message: { item: userMessage("m", "Hello"), shows: ["Hello"] },
  assistant_message: { item: answer("m", "Good day"), shows: ["Good day"] },
  widget: {
    item: widget("m", { type: "Card", children: [{ type: "Text", value: "On a card" }] }),
    shows: ["On a card"],
  },
  workflow: {
    item: {
      type: "workflow",
      workflow: { type: "custom", tasks: [], summary: { title: "All done" } },
    },
    shows: ["All done"],
  },
  task: { item: { type: "task", task: { type: "custom", title: "Done" } }, shows: ["Done"] },
  structured_input: {
    item: { type: "structured_input", status: "pending", inputs: Object.values(questions) },
    shows: ["What for?", "In a word", "Which?", "This"],
  },
  generated_image: {
    item: { type: "generated_image", image: { id: "i", url: "/i.png" } },
    shows: [],
  },
  client_tool_call: { item: { type: "client_tool_call", status: "completed" }, shows: [] },
  end_of_turn: { item: { type: "end_of_turn" }, shows: [] },
};

const shown = async (item: object) => {
  const chat = await mount(existing([{ ...at, id: "m", ...item }, answer("end", "The end")]), {
    initialThread: "thr_1",
  });
  await chat.sees("The end");
  expect(chat.emitted.filter(({ name }) => name === "error")).toEqual([]);
  expect(chat.text()).not.toContain("cannot be shown");
  return chat;
};

it("has a drawing for each icon", async () => {
  const drawn = async (name: string) => {
    const box = document.createElement("div");
    render(icon(name), box);
    return (await until(() => box.querySelector("path"))).getAttribute("d");
  };
  const unknown = await drawn("no such icon");
  const asUnknown: string[] = [];
  for (const name of types.icons) if ((await drawn(name)) === unknown) asUnknown.push(name);
  // An unknown icon is the spark, which is right for these.
  expect(asUnknown).toEqual(["agent", "sparkle", "sparkle-double"]);
});

it("knows each component", () => {
  expect(sorted(types.components).filter((name) => !(name in VIEWS))).toEqual([]);
});

describe("each item", () => {
  it("has a sample here", () => expect(sorted(ITEMS)).toEqual(types.items));
  it.each(Object.entries(ITEMS))("%s", async (_, { item, shows }) => {
    const chat = await shown(item);
    for (const words of shows) expect(chat.text()).toContain(words);
  });
  it("is an image where one was drawn", async () => {
    const chat = await shown(ITEMS.generated_image?.item ?? {});
    expect(chat.root.querySelector('[data-item="generated_image"] img')).not.toBeNull();
  });
});

it("has a sample for each question here", () => {
  expect(sorted(questions)).toEqual(types.questions);
});

describe("each task", () => {
  it("has a sample here", () => expect(sorted(TASKS)).toEqual(types.tasks));
  it.each(Object.entries(TASKS))("%s", async (type, { task, shows }) => {
    const tasks = [{ type, ...task }];
    const chat = await shown({ type: "workflow", workflow: { type: "custom", tasks } });
    for (const words of shows) expect(chat.text()).toContain(words);
  });
  it.each<string>(types.indicators)("with the status %s", async (status_indicator) => {
    const tasks = [{ type: "custom", title: "Step", status_indicator }];
    const chat = await shown({ type: "workflow", workflow: { type: "custom", tasks } });
    expect(chat.root.querySelector(`[data-status="${status_indicator}"]`)).not.toBeNull();
  });
});

it.each([
  ["custom", "Working"],
  ["reasoning", "Thinking"],
])("a workflow of the type %s", async (type, words) => {
  expect(types.workflows).toEqual(["custom", "reasoning"]);
  const chat = await shown({ type: "workflow", workflow: { type, tasks: [] } });
  expect(chat.text()).toContain(words);
});

describe("each source", () => {
  const sources = { url, file, entity };
  it("has a sample here", () => expect(sorted(sources)).toEqual(types.sources));
  it.each(Object.entries(sources))("%s", async (_, source) => {
    const chat = await shown(cited(source));
    expect(chat.root.querySelector('[aria-label="Sources"]')?.textContent).toContain(source.title);
  });
  it("is named once, in however many places it is cited", async () => {
    const chat = await shown(cited(entity, entity, url));
    expect(chat.root.querySelectorAll('[aria-label="Sources"] li')).toHaveLength(2);
  });
});

describe("a conversation that is", () => {
  it("known by its status", () => expect(types.statuses).toEqual(["active", "closed", "locked"]));
  it.each(["closed", "locked"])("%s takes no message and says why", async (type) => {
    const chat = await mount(
      (operation) =>
        operation.type === "threads.get_by_id"
          ? Response.json({ ...thread, status: { type, reason: "It is settled." } })
          : existing([answer("m", "Good day")])(operation),
      { initialThread: "thr_1" },
    );
    await chat.sees("It is settled.");
    await until(() => chat.root.querySelector("textarea[data-composer]") === null);
  });
});

const added = (item: object) => ({ type: "thread.item.added", item });
const updated = (update: object) => ({ type: "thread.item.updated", item_id: "m", update });
const card = (...children: object[]) => widget("m", { type: "Card", children });
const workflow = {
  ...at,
  id: "m",
  type: "workflow",
  workflow: { type: "custom", tasks: [{ type: "custom", title: "First" }] },
};
const picture = { ...at, id: "m", type: "generated_image", image: null };
const part = (text: string) => ({ type: "output_text", text, annotations: [] });

/** Each update, after an item that it changes, with the words that are shown then. */
const UPDATES: Record<string, { before: object; update: object; shows: string }> = {
  "assistant_message.content_part.added": {
    before: answer("m", "One"),
    update: { content_index: 1, content: part("Two") },
    shows: "Two",
  },
  "assistant_message.content_part.annotation_added": {
    before: answer("m", "One"),
    update: {
      content_index: 0,
      annotation_index: 0,
      annotation: { type: "annotation", source: file },
    },
    shows: "A file",
  },
  "assistant_message.content_part.done": {
    before: answer("m", "On"),
    update: { content_index: 0, content: part("One") },
    shows: "One",
  },
  "assistant_message.content_part.text_delta": {
    before: answer("m", "On"),
    update: { content_index: 0, delta: "ward" },
    shows: "Onward",
  },
  "generated_image.updated": {
    before: picture,
    update: { image: { id: "i", url: "/draft.png" }, progress: 0.5 },
    shows: "",
  },
  "widget.component.updated": {
    before: card({ type: "Text", id: "t", value: "Old" }),
    update: { component_id: "t", component: { type: "Text", id: "t", value: "New" } },
    shows: "New",
  },
  "widget.root.updated": {
    before: card({ type: "Text", value: "Old" }),
    update: { widget: { type: "Card", children: [{ type: "Text", value: "New" }] } },
    shows: "New",
  },
  "widget.streaming_text.value_delta": {
    before: card({ type: "Markdown", id: "t", value: "On" }),
    update: { component_id: "t", delta: "ward", done: true },
    shows: "Onward",
  },
  "workflow.task.added": {
    before: workflow,
    update: { task_index: 1, task: { type: "custom", title: "Second" } },
    shows: "Second",
  },
  "workflow.task.updated": {
    before: workflow,
    update: { task_index: 0, task: { type: "custom", title: "Changed" } },
    shows: "Changed",
  },
};

const sent = async (...more: object[]) => {
  const chat = await mount(() => events(created, done(userMessage("u", "Hello")), ...more));
  chat.type("Hello");
  chat.submit();
  await until(() => chat.emitted.some(({ name }) => name === "response.end"));
  return chat;
};

/** An answer that goes on after these events. Before them it can be stopped. */
const streaming = async (...more: object[]) => {
  let stream!: ReturnType<typeof openStream>;
  const chat = await mount((operation) => {
    stream = openStream(operation);
    return stream.response;
  });
  chat.type("Hello");
  chat.submit();
  await chat.find("[data-stop]");
  await until(() => stream);
  for (const event of [created, ...more]) stream.push(event);
  return { chat, stream };
};

describe("each update", () => {
  it("has a sample here", () => expect(sorted(UPDATES)).toEqual(types.updates));
  it.each(Object.entries(UPDATES))("%s", async (type, { before, update, shows }) => {
    const chat = await sent(added(before), updated({ type, ...update }));
    await chat.sees(shows);
  });
  it("of an image shows the draft and how far it is", async () => {
    const { before, update } = UPDATES["generated_image.updated"] ?? { before: {}, update: {} };
    const chat = await sent(added(before), updated({ type: "generated_image.updated", ...update }));
    expect((await chat.find<HTMLProgressElement>("progress")).value).toBe(0.5);
    expect(chat.root.querySelector("img")?.getAttribute("src")).toBe("/draft.png");
  });
});

/** Each event of a stream: what the page has done with it, after the stream. */
const EVENTS: Record<string, (type: string) => Promise<void>> = {
  "thread.created": async () => {
    expect((await sent()).emitted.map(({ name }) => name)).toContain("thread.change");
  },
  "thread.updated": async (type) => {
    const status = { type: "closed", reason: "It is settled." };
    await (await sent({ type, thread: { ...thread, status } })).sees("It is settled.");
  },
  "thread.item.added": async (type) => {
    await (await sent({ type, item: answer("m", "Good day") })).sees("Good day");
  },
  "thread.item.done": async (type) => {
    await (await sent({ type, item: answer("m", "Good day") })).sees("Good day");
  },
  "thread.item.updated": async () => {
    await (
      await sent(
        added(workflow),
        updated({
          type: "workflow.task.added",
          task_index: 1,
          task: { type: "custom", title: "Second" },
        }),
      )
    ).sees("Second");
  },
  "thread.item.removed": async (type) => {
    const chat = await sent(done(answer("m", "Wrong")), { type, item_id: "m" });
    expect(chat.text()).not.toContain("Wrong");
  },
  "thread.item.replaced": async (type) => {
    const chat = await sent(done(answer("m", "Wrong")), { type, item: answer("m", "Right") });
    await chat.sees("Right");
    expect(chat.text()).not.toContain("Wrong");
  },
  stream_options: async (type) => {
    const { chat, stream } = await streaming({ type, stream_options: { allow_cancel: false } });
    await until(() => chat.root.querySelector("[data-stop]") === null);
    stream.close();
  },
  progress_update: async (type) => {
    const { chat, stream } = await streaming({ type, icon: "search", text: "Looking" });
    expect((await chat.find("[data-progress]")).textContent).toContain("Looking");
    stream.close();
  },
  client_effect: async (type) => {
    const chat = await sent({ type, name: "saved", data: { id: 7 } });
    expect(chat.emitted).toContainEqual({
      name: "effect",
      detail: { name: "saved", data: { id: 7 } },
    });
  },
  error: async (type) => {
    const chat = await sent({ type, code: "custom", message: "It broke.", allow_retry: true });
    await chat.sees("It broke.");
    await chat.button("Try again");
  },
  notice: async (type) => {
    for (const level of types.notices) {
      const chat = await sent({ type, level, title: "Mind", message: "the **gap**" });
      await chat.sees("Mind");
      expect(chat.root.querySelector(`.notice[data-level="${level}"] strong`)).not.toBeNull();
    }
  },
};

describe("each event", () => {
  it("has a test here", () => expect(sorted(EVENTS)).toEqual(types.events));
  it.each(Object.entries(EVENTS))("%s", (type, check) => check(type));
});
