/** Applies each event of the stream to the items of a thread. */
import type { AssistantContent, Component, Item, ItemUpdate } from "./types";

/** Replaces the item with the same id, or adds it at the end. */
export function upsert(items: readonly Item[], item: Item): Item[] {
  const index = items.findIndex((other) => other.id === item.id);
  if (index < 0) return [...items, item];
  return items.with(index, item);
}

export const without = (items: readonly Item[], id: string): Item[] =>
  items.filter((item) => item.id !== id);

/** The items with one of them updated. An update for an unknown item changes nothing. */
export function update(items: readonly Item[], id: string, change: ItemUpdate): Item[] {
  const index = items.findIndex((item) => item.id === id);
  const item = items[index];
  if (!item) return [...items];
  return items.with(index, apply(item, change));
}

function apply(item: Item, change: ItemUpdate): Item {
  switch (item.type) {
    case "assistant_message":
      return { ...item, content: applyToContent(item.content, change) };
    case "widget":
      return { ...item, widget: applyToWidget(item.widget, change) };
    case "workflow": {
      if (change.type !== "workflow.task.added" && change.type !== "workflow.task.updated") {
        return item;
      }
      const tasks = [...item.workflow.tasks];
      if (change.type === "workflow.task.added") tasks.splice(change.task_index, 0, change.task);
      else tasks[change.task_index] = change.task;
      return { ...item, workflow: { ...item.workflow, tasks } };
    }
    case "generated_image":
      if (change.type !== "generated_image.updated") return item;
      return { ...item, image: change.image, progress: change.progress };
    default:
      return item;
  }
}

function applyToContent(content: AssistantContent[], change: ItemUpdate): AssistantContent[] {
  if (!("content_index" in change)) return content;
  const parts = [...content];
  // An update may arrive for a part that was not added before.
  while (parts.length <= change.content_index) {
    parts.push({ type: "output_text", text: "", annotations: [] });
  }
  const part = parts[change.content_index] as AssistantContent;
  if (change.type === "assistant_message.content_part.text_delta") {
    parts[change.content_index] = { ...part, text: part.text + change.delta };
  } else if (change.type === "assistant_message.content_part.annotation_added") {
    const annotations = [...part.annotations];
    annotations.splice(change.annotation_index, 0, change.annotation);
    parts[change.content_index] = { ...part, annotations };
  } else {
    parts[change.content_index] = {
      ...change.content,
      annotations: change.content.annotations ?? [],
    };
  }
  return parts;
}

function applyToWidget(widget: Component, change: ItemUpdate): Component {
  switch (change.type) {
    case "widget.root.updated":
      return change.widget;
    case "widget.component.updated":
      return mapComponent(widget, change.component_id, () => change.component);
    case "widget.streaming_text.value_delta":
      return mapComponent(widget, change.component_id, (component) => ({
        ...component,
        value: String(component.value ?? "") + change.delta,
        streaming: !change.done,
      }));
    default:
      return widget;
  }
}

/** A copy of the tree in which the component with this id is replaced. */
function mapComponent(
  component: Component,
  id: string,
  change: (component: Component) => Component,
): Component {
  if (component.id === id) return change(component);
  const { children } = component;
  if (!children) return component;
  if (!Array.isArray(children)) {
    return { ...component, children: mapComponent(children, id, change) };
  }
  return { ...component, children: children.map((child) => mapComponent(child, id, change)) };
}

/** The text of an item, for the clipboard, and where the item cannot be drawn. */
export function copyText(item: Item): string {
  if (item.type === "widget") return item.copy_text ?? "";
  if (item.type !== "assistant_message" && item.type !== "user_message") return "";
  // The server may send an item that is not as its type says.
  const parts: readonly { text?: unknown }[] = Array.isArray(item.content) ? item.content : [];
  return parts.map((part) => String(part?.text ?? "")).join("\n\n");
}
