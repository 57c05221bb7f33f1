/** An entity in a text: a button with a preview on hover and focus. */
import type { Entity } from "@openai/chatkit";
import { html, nothing, render, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import type { Component } from "../types";
import { previewView } from "../widgets";

export function entityTag(chat: Chat, entity: Entity): TemplateResult {
  const { entities } = chat.options;
  if (!entity.interactive || !entities) {
    return html`<span class="entity">${icon(entity.icon, 14)}${entity.title}</span>`;
  }
  return html`<span class="entity-anchor"
    ><button
      type="button"
      class="entity"
      @click=${() => entities.onClick?.(entity)}
      @mouseenter=${(event: Event) => showPreview(event, chat, entity)}
      @mouseleave=${hidePreview}
      @focus=${(event: Event) => showPreview(event, chat, entity)}
      @blur=${hidePreview}
    >
      ${icon(entity.icon, 14)}${entity.title}</button
    ><span class="preview" role="tooltip" hidden></span
  ></span>`;
}

const boxOf = (event: Event): HTMLElement | null =>
  (event.currentTarget as Element).parentElement?.querySelector<HTMLElement>(".preview") ?? null;

async function showPreview(event: Event, chat: Chat, entity: Entity): Promise<void> {
  const box = boxOf(event);
  if (!box) return;
  box.dataset.wanted = "yes";
  const answer = await chat.options.entities?.onRequestPreview?.(entity).catch(() => null);
  if (!answer?.preview || box.dataset.wanted !== "yes") return;
  render(previewView(chat, answer.preview as unknown as Component), box);
  box.hidden = false;
}

function hidePreview(event: Event): void {
  const box = boxOf(event);
  if (!box) return;
  box.dataset.wanted = "no";
  box.hidden = true;
  render(nothing, box);
}
