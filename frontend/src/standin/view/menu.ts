import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";

/** The list above the composer. It exists while closed too, because the text field refers to it. */
export function menuView(chat: Chat): TemplateResult {
  const { menu } = chat.editor;
  return html`<div
    id="composer-menu"
    class="menu up"
    role="listbox"
    aria-label="Suggestions"
    ?hidden=${!menu.open}
  >
    ${menu.entries.map((entry, index) => {
      const heading = entry.group && entry.group !== menu.entries[index - 1]?.group;
      return html`
        ${heading ? html`<div class="menu-group" role="presentation">${entry.group}</div>` : nothing}
        <div
          id="entry-${index}"
          class="menu-entry"
          role="option"
          aria-selected=${index === menu.active}
          @mousedown=${(event: Event) => {
            event.preventDefault();
            void chat.editor.choose(entry);
          }}
        >
          ${icon(entry.icon ?? (entry.kind === "entity" ? "at" : "bolt"), 18)}
          <span>${entry.label}</span>
          ${
            entry.kind === "command" && entry.command.description
              ? html`<small>${entry.command.description}</small>`
              : nothing
          }
        </div>
      `;
    })}
  </div>`;
}
