/** The menus for tools and models in the composer's bar. */
import type { ToolOption } from "@openai/chatkit";
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";

/** A menu in a `<details>` that closes on a choice or on Escape. */
function dropdown(label: TemplateResult, entries: TemplateResult[], side: string): TemplateResult {
  const close = (event: Event) => {
    const details = event.currentTarget as HTMLDetailsElement;
    if (event instanceof KeyboardEvent && event.key !== "Escape") return;
    if (event instanceof FocusEvent && details.contains(event.relatedTarget as Node)) return;
    details.open = false;
  };
  return html`<details class="dropdown ${side}" @keydown=${close} @focusout=${close}>
    <summary class="tool wide">${label}</summary>
    <div class="menu up">${entries}</div>
  </details>`;
}

const choose = (event: Event, act: () => void): void => {
  const details = (event.currentTarget as Element).closest("details");
  if (details) details.open = false;
  act();
};

export function modelPicker(chat: Chat): TemplateResult | typeof nothing {
  const models = chat.options.composer?.models ?? [];
  if (models.length === 0) return nothing;
  const selected = models.find(({ id }) => id === chat.editor.composer.modelId) ?? models[0];
  return dropdown(
    html`<span class="unseen">Model: </span><span class="model">${selected?.label}</span>
      ${icon("chevron-down", 14)}`,
    models.map(
      (model) => html`<button
        type="button"
        class="menu-entry"
        aria-pressed=${model === selected}
        ?disabled=${model.disabled}
        @click=${(event: Event) => choose(event, () => chat.editor.selectModel(model.id))}
      >
        <span>${model.label}</span>
        ${model === selected ? icon("check", 16) : nothing}
        ${model.description ? html`<small>${model.description}</small>` : nothing}
      </button>`,
    ),
    "right",
  );
}

export function toolMenu(chat: Chat): TemplateResult | typeof nothing {
  const tools = (chat.options.composer?.tools ?? []).filter((tool) => !tool.pinned);
  if (tools.length === 0) return nothing;
  return dropdown(
    html`${icon("settings-slider")}<span class="unseen">Tools</span>`,
    tools.map(
      (tool) => html`<button
        type="button"
        class="menu-entry"
        aria-pressed=${tool.id === chat.editor.composer.toolId}
        @click=${(event: Event) => choose(event, () => toggle(chat, tool))}
      >
        ${icon(tool.icon, 18)}<span>${tool.label}</span>
      </button>`,
    ),
    "left",
  );
}

/** Buttons of the pinned tools and of the chosen one. */
export function toolChips(chat: Chat): TemplateResult[] {
  const tools = chat.options.composer?.tools ?? [];
  return tools
    .filter((tool) => tool.pinned || tool.id === chat.editor.composer.toolId)
    .map((tool) => {
      const chosen = tool.id === chat.editor.composer.toolId;
      return html`<button
        type="button"
        class="tool wide"
        aria-pressed=${chosen}
        @click=${() => toggle(chat, tool)}
      >
        ${icon(tool.icon, 16)}<span>${tool.shortLabel ?? tool.label}</span>
        ${chosen ? icon("close", 12) : nothing}
      </button>`;
    });
}

const toggle = (chat: Chat, tool: ToolOption): void =>
  chat.editor.selectTool(tool.id === chat.editor.composer.toolId ? null : tool.id);
