/** A widget in a thread, and the preview of an entity, which is a widget without a thread. */
import { html, type TemplateResult } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import type { Chat } from "../chat";
import type { Component, WidgetItem } from "../types";
import { type Act, type Context, labelledFields } from "./context";
import { componentView } from "./registry";

export function widgetItemView(chat: Chat, item: WidgetItem): TemplateResult {
  const act: Act = (action, source) => {
    const behaviour = action.loadingBehavior ?? "auto";
    const scope = behaviour === "auto" ? source.scope : behaviour;
    const key = { none: null, container: item.id, self: `${item.id}/${source.path}` }[scope];
    void chat.actions.act(
      item,
      { ...action, payload: { ...action.payload, ...source.values } },
      key,
    );
  };
  const context: Context = {
    act,
    busy: (path) => chat.actions.busy(`${item.id}/${path}`),
    locked: chat.actions.busy(item.id),
    fieldId: (name) => `${item.id}-${name}`,
    labelled: labelledFields(item.widget),
    imageDomains: chat.conversation.imageDomains,
  };
  const revision = chat.actions.revision(item);
  return html`<div
    class="widget"
    data-item="widget"
    data-item-id=${item.id}
    ?inert=${context.locked}
    aria-busy=${context.locked}
  >
    ${keyed(revision, componentView(item.widget, context, "0"))}
  </div>`;
}

export function previewView(chat: Chat, preview: Component): TemplateResult {
  const context: Context = {
    act: () => undefined,
    busy: () => false,
    locked: false,
    fieldId: (name) => `preview-${name}`,
    labelled: new Set(),
    imageDomains: chat.conversation.imageDomains,
  };
  return html`<div class="widget">${componentView(preview, context, "0")}</div>`;
}
