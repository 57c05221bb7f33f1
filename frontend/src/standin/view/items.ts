/** One item of a thread. */
import type { Entity } from "@openai/chatkit";
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import { copyText } from "../items";
import { later } from "../later";
import { markdown } from "../markdown";
import type {
  AssistantMessage,
  Attachment,
  GeneratedImageItem,
  Item,
  Source,
  SourceBase,
  UserMessage,
} from "../types";
import { widgetItemView } from "../widgets";
import { entityTag } from "./entity";
import { taskView, workflowView } from "./workflow";

/** An item that cannot be drawn is plain text, so that the other items are drawn. */
export function itemView(chat: Chat, item: Item): TemplateResult | typeof nothing {
  try {
    return viewOf(chat, item);
  } catch (error) {
    chat.cannotDraw(item, error);
    const text = copyText(item) || "This part of the conversation cannot be shown.";
    return html`<p class="undrawn" data-item=${item.type}>${text}</p>`;
  }
}

function viewOf(chat: Chat, item: Item): TemplateResult | typeof nothing {
  switch (item.type) {
    case "user_message":
      return userMessage(chat, item);
    case "assistant_message":
      return assistantMessage(chat, item);
    case "widget":
      return widgetItemView(chat, item);
    case "workflow":
      return workflowView(chat, item);
    case "task":
      return html`<div class="workflow">${taskView(chat, item.task)}</div>`;
    case "structured_input":
      return html`<div ${later(async () => (await import("../rare")).structuredInputView(chat, item))}></div>`;
    case "generated_image":
      return generatedImage(item);
    default:
      return nothing;
  }
}

function userMessage(chat: Chat, item: UserMessage): TemplateResult {
  const pending = item.id.startsWith("sending-");
  return html`
    <div class="user" data-item="user_message" ?data-pending=${pending}>
      ${item.quoted_text ? html`<blockquote class="quote">${item.quoted_text}</blockquote>` : nothing}
      ${item.attachments.length ? html`<ul class="files">${item.attachments.map((file) => attached(chat, file, pending))}</ul>` : nothing}
      <div class="bubble"><span class="unseen">You said: </span>${item.content.map((part) =>
        part.type === "input_text"
          ? part.text
          : entityTag(chat, {
              id: part.id,
              title: part.text,
              group: part.group,
              interactive: part.interactive,
              data: part.data as Entity["data"],
            }),
      )}</div>
    </div>
  `;
}

/** An image opens in a tab of its own, any other file is saved, once the message is sent. */
function attached(chat: Chat, file: Attachment, pending: boolean): TemplateResult {
  const isImage = file.type === "image" && file.preview_url;
  const shown = isImage
    ? html`<img src=${file.preview_url} alt=${file.name} />`
    : html`${icon("document")}<span>${file.name}</span>`;
  if (pending) return html`<li class="file">${shown}</li>`;
  return html`<li class="file">
    ${
      isImage
        ? html`<a href=${file.preview_url} target="_blank" rel="noopener noreferrer">${shown}</a>`
        : html`<button
            type="button"
            aria-label="Save ${file.name}"
            @click=${() => chat.saveFile(file)}
          >${shown}</button>`
    }
  </li>`;
}

function assistantMessage(chat: Chat, item: AssistantMessage): TemplateResult {
  const annotations = item.content.flatMap((part) => part.annotations ?? []);
  // Several places may cite one source.
  const sources = new Map(annotations.map(({ source }) => [JSON.stringify(source), source]));
  const domains = chat.conversation.imageDomains;
  return html`
    <div class="assistant" data-item="assistant_message">
      ${item.content.map((part) => markdown(part.text, domains))}
      ${
        sources.size
          ? html`<ul class="sources" aria-label="Sources">
              ${[...sources.values()].map((source) => html`<li>${sourceView(chat, source)}</li>`)}
            </ul>`
          : nothing
      }
    </div>
  `;
}

export function sourceView(chat: Chat, source: Source): TemplateResult {
  if (source.type === "url") {
    const safe = /^https?:\/\//i.test(source.url) ? source.url : "#";
    return html`<a
      class="chip"
      href=${safe}
      title=${more(source)}
      target="_blank"
      rel="noopener noreferrer"
    >
      ${icon("globe", 16)}${source.attribution ?? source.title}
    </a>`;
  }
  if (source.type === "file") {
    return html`<span class="chip" title=${more(source)}>${icon("document", 16)}${source.title || source.filename}</span>`;
  }
  return entityTag(chat, source);
}

/** What a source says beyond its title. */
const more = ({ description, timestamp }: SourceBase) =>
  [description, timestamp].filter(Boolean).join(" · ") || nothing;

function generatedImage(item: GeneratedImageItem): TemplateResult {
  return html`<div class="generated" data-item="generated_image">
    ${
      item.image
        ? html`<img src=${item.image.url} alt="Generated image" />`
        : html`<div class="skeleton"><i></i></div>`
    }
    ${
      typeof item.progress === "number"
        ? html`<progress value=${item.progress} aria-label="The image is being drawn"></progress>`
        : nothing
    }
  </div>`;
}
