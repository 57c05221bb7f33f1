import { describe, expect, it } from "vitest";
import { update, upsert } from "../src/standin/items";
import type { AssistantMessage, Item, WidgetItem, WorkflowItem } from "../src/standin/types";

const base = { thread_id: "t", created_at: "2026-01-01T00:00:00" };
const answer: AssistantMessage = { ...base, id: "a", type: "assistant_message", content: [] };

const text = (items: Item[]) =>
  (items[0] as AssistantMessage).content.map((part) => part.text).join("|");

describe("an assistant's message", () => {
  it("grows by its deltas, also for a part that was never announced", () => {
    const type = "assistant_message.content_part.text_delta" as const;
    let items: Item[] = [answer];
    items = update(items, "a", { type, content_index: 0, delta: "Hel" });
    items = update(items, "a", { type, content_index: 0, delta: "lo" });
    items = update(items, "a", { type, content_index: 1, delta: "there" });
    expect(text(items)).toBe("Hello|there");
  });

  it("is what the finished part says", () => {
    const items = update([answer], "a", {
      type: "assistant_message.content_part.done",
      content_index: 0,
      content: { type: "output_text", text: "Whole", annotations: [] },
    });
    expect(text(items)).toBe("Whole");
  });
});

describe("a widget", () => {
  const item: WidgetItem = {
    ...base,
    id: "w",
    type: "widget",
    widget: {
      type: "Card",
      children: [{ type: "Row", children: [{ type: "Text", id: "x", value: "a" }] }],
    },
  };

  it("streams text into the component that is named", () => {
    const [after] = update([item], "w", {
      type: "widget.streaming_text.value_delta",
      component_id: "x",
      delta: "b",
      done: false,
    }) as [WidgetItem];
    expect(JSON.stringify(after.widget)).toContain('"value":"ab"');
    expect(JSON.stringify(item.widget)).toContain('"value":"a"');
  });

  it("replaces one component, or the whole", () => {
    const component = { type: "Text", id: "x", value: "new" };
    const [one] = update([item], "w", {
      type: "widget.component.updated",
      component_id: "x",
      component,
    }) as [WidgetItem];
    expect(JSON.stringify(one.widget)).toContain('"new"');
    const widget = { type: "ListView", children: [] };
    const [whole] = update([item], "w", { type: "widget.root.updated", widget }) as [WidgetItem];
    expect(whole.widget).toBe(widget);
  });
});

it("adds and changes a workflow's tasks in their places", () => {
  const workflow: WorkflowItem = {
    ...base,
    id: "f",
    type: "workflow",
    workflow: { type: "reasoning", tasks: [] },
  };
  let items: Item[] = [workflow];
  const task = { type: "thought" as const, content: "hm" };
  items = update(items, "f", { type: "workflow.task.added", task_index: 0, task });
  const changed = { ...task, content: "ah" };
  items = update(items, "f", { type: "workflow.task.updated", task_index: 0, task: changed });
  expect((items[0] as WorkflowItem).workflow.tasks).toEqual([changed]);
});

it("keeps an item's place when it comes again", () => {
  const other = { ...answer, id: "b" };
  const items = upsert([answer, other], { ...answer, content: [] });
  expect(items.map(({ id }) => id)).toEqual(["a", "b"]);
});
