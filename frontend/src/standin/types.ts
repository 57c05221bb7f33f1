/** The JSON of ChatKit's protocol (openai-chatkit 1.6.5, `chatkit/types.py`). */
import type { OpenAIChatKit, UserMessageContent } from "@openai/chatkit";

export type Page<T> = { data: T[]; has_more: boolean; after?: string | null };

export type ThreadStatus = { type: "active" | "locked" | "closed"; reason?: string | null };

export type Thread = {
  id: string;
  title?: string | null;
  created_at: string;
  status?: ThreadStatus;
  allowed_image_domains?: string[] | null;
  items: Page<Item>;
};

type ItemBase = { id: string; thread_id: string; created_at: string };

export type Attachment = {
  id: string;
  type: "file" | "image";
  name: string;
  mime_type: string;
  preview_url?: string;
  upload_descriptor?: { url: string; method: "POST" | "PUT"; headers?: Record<string, string> };
};

export type UserMessage = ItemBase & {
  type: "user_message";
  content: UserMessageContent[];
  attachments: Attachment[];
  quoted_text?: string | null;
};

export type SourceBase = { title: string; description?: string | null; timestamp?: string | null };

export type Source =
  | (SourceBase & { type: "url"; url: string; attribution?: string | null })
  | (SourceBase & { type: "file"; filename: string })
  | {
      type: "entity";
      id: string;
      title: string;
      icon?: string;
      label?: string;
      inline_label?: string;
      interactive?: boolean;
      group?: string;
      data?: Record<string, string>;
    };

export type Annotation = { type: "annotation"; source: Source; index?: number | null };

export type AssistantContent = { type: "output_text"; text: string; annotations: Annotation[] };

export type AssistantMessage = ItemBase & {
  type: "assistant_message";
  content: AssistantContent[];
};

export type ClientToolCall = ItemBase & {
  type: "client_tool_call";
  status: "pending" | "completed";
  name: string;
  arguments: Record<string, unknown>;
};

export type Component = {
  type: string;
  id?: string;
  key?: string;
  children?: Component | Component[] | null;
  [property: string]: unknown;
};

export type WidgetItem = ItemBase & {
  type: "widget";
  widget: Component;
  copy_text?: string | null;
};

export type GeneratedImageItem = ItemBase & {
  type: "generated_image";
  image?: { id: string; url: string } | null;
  progress?: number | null;
};

export type StructuredQuestion = {
  id: string;
  type: "multiple_choice" | "freeform";
  question: string;
  description?: string | null;
  options?: { value: string }[];
  multiple?: boolean;
  answer?: { values: string[]; skipped: boolean } | null;
};

export type StructuredInputItem = ItemBase & {
  type: "structured_input";
  status: "pending" | "answered" | "skipped";
  inputs: StructuredQuestion[];
};

export type Task = {
  type: "custom" | "web_search" | "thought" | "file" | "image";
  status_indicator?: "none" | "loading" | "complete";
  title?: string | null;
  title_query?: string | null;
  icon?: string | null;
  content?: string | null;
  queries?: string[];
  sources?: Source[];
};

export type WorkflowItem = ItemBase & {
  type: "workflow";
  workflow: {
    type: "custom" | "reasoning";
    tasks: Task[];
    summary?: { title?: string; icon?: string | null; duration?: number } | null;
    expanded?: boolean;
  };
};

export type TaskItem = ItemBase & { type: "task"; task: Task };
export type EndOfTurn = ItemBase & { type: "end_of_turn" };

export type Item =
  | UserMessage
  | AssistantMessage
  | ClientToolCall
  | WidgetItem
  | GeneratedImageItem
  | StructuredInputItem
  | WorkflowItem
  | TaskItem
  | EndOfTurn;

export type ItemUpdate =
  | {
      type: "assistant_message.content_part.added" | "assistant_message.content_part.done";
      content_index: number;
      content: AssistantContent;
    }
  | {
      type: "assistant_message.content_part.text_delta";
      content_index: number;
      delta: string;
    }
  | {
      type: "assistant_message.content_part.annotation_added";
      content_index: number;
      annotation_index: number;
      annotation: Annotation;
    }
  | {
      type: "widget.streaming_text.value_delta";
      component_id: string;
      delta: string;
      done: boolean;
    }
  | { type: "widget.root.updated"; widget: Component }
  | { type: "widget.component.updated"; component_id: string; component: Component }
  | { type: "workflow.task.added" | "workflow.task.updated"; task_index: number; task: Task }
  | {
      type: "generated_image.updated";
      image: { id: string; url: string };
      progress?: number | null;
    };

export type Notice = {
  level: "info" | "warning" | "danger";
  message: string;
  title?: string | null;
};

export type StreamEvent =
  | { type: "thread.created" | "thread.updated"; thread: Thread }
  | { type: "thread.item.added" | "thread.item.done" | "thread.item.replaced"; item: Item }
  | { type: "thread.item.updated"; item_id: string; update: ItemUpdate }
  | { type: "thread.item.removed"; item_id: string }
  | { type: "stream_options"; stream_options: { allow_cancel: boolean } }
  | { type: "progress_update"; icon?: string | null; text: string }
  | { type: "client_effect"; name: string; data?: Record<string, unknown> }
  | { type: "error"; code: string; message?: string | null; allow_retry?: boolean }
  | ({ type: "notice" } & Notice);

/** A widget's `ActionConfig` (`chatkit/actions.py`). */
export type ActionConfig = {
  type: string;
  payload?: Record<string, unknown> | null;
  handler?: "client" | "server";
  loadingBehavior?: "auto" | "none" | "self" | "container";
  streaming?: boolean;
};

export type ComposerValue = Parameters<OpenAIChatKit["setComposerValue"]>[0];
export type OutgoingMessage = Parameters<OpenAIChatKit["sendUserMessage"]>[0];
