/** The panel with all conversations. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Chat } from "../chat";
import { drawn } from "../drawn";
import { icon } from "../icons";
import type { Thread } from "../types";
import { dayOf, toolButton } from "./parts";

export function historyView(chat: Chat): TemplateResult {
  const { history } = chat;
  const close = (event: KeyboardEvent) => {
    if (event.key === "Escape") chat.hideHistory();
  };
  return html`
    <div class="scrim" @click=${() => chat.hideHistory()}></div>
    <section class="history" role="dialog" aria-modal="true" aria-label="Conversations" @keydown=${close}>
      <header class="header">
        <h2 class="header-title">Conversations</h2>
        <button
          type="button"
          class="tool"
          @click=${() => chat.hideHistory()}
          ${drawn(focus)}
        >
          ${icon("close")}<span class="unseen">Close</span>
        </button>
      </header>
      ${history.error ? html`<p class="notice" data-level="danger" role="alert">${history.error}</p>` : nothing}
      ${
        !history.loading && history.threads.length === 0 && !history.error
          ? html`<p class="hint">No conversations yet. What you ask is kept here.</p>`
          : nothing
      }
      <ul class="threads">
        ${repeat(
          history.threads,
          (thread) => thread.id,
          (thread) => html`<li aria-current=${thread.id === chat.conversation.id}>
            ${row(chat, thread)}
          </li>`,
        )}
      </ul>
      ${history.loading ? html`<div class="skeleton" role="status" aria-label="Loading"><i></i><i></i></div>` : nothing}
      ${
        history.more && !history.loading
          ? html`<button type="button" class="quiet" @click=${() => history.load(history.more)}>
              Show more
            </button>`
          : nothing
      }
    </section>
  `;
}

/** Moves the focus into the panel when it opens. */
function focus(element: Element): void {
  queueMicrotask(() => {
    (element as HTMLElement).focus();
    if (element instanceof HTMLInputElement) element.select();
  });
}

function row(chat: Chat, thread: Thread): TemplateResult {
  const { history, options } = chat;
  const title = thread.title || "Untitled conversation";
  if (history.renaming === thread.id) return renameForm(chat, thread);
  if (history.deleting === thread.id) {
    return html`<div class="confirm" role="alertdialog" aria-label="Delete ${title}?">
      <span>Delete “${title}”?</span>
      <button type="button" class="quiet" @click=${() => set(chat, "deleting", null)} ${drawn(focus)}>
        Keep
      </button>
      <button type="button" class="danger" @click=${() => chat.deleteThread(thread.id)}>Delete</button>
    </div>`;
  }
  const open = () => {
    chat.hideHistory();
    void chat.openThread(thread.id);
  };
  return html`
    <button type="button" class="open" @click=${open}>
      <span>${title}</span><small>${dayOf(thread.created_at, options.locale)}</small>
    </button>
    ${
      options.history?.showRename === false
        ? nothing
        : toolButton("write", `Rename ${title}`, () => set(chat, "renaming", thread.id), 16)
    }
    ${
      options.history?.showDelete === false
        ? nothing
        : toolButton("trash", `Delete ${title}`, () => set(chat, "deleting", thread.id), 16)
    }
  `;
}

function set(chat: Chat, what: "renaming" | "deleting", id: string | null): void {
  chat.history.renaming = null;
  chat.history.deleting = null;
  chat.history[what] = id;
  chat.changed();
}

function renameForm(chat: Chat, thread: Thread): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const title = String(new FormData(event.currentTarget as HTMLFormElement).get("title")).trim();
    if (title && title !== thread.title) void chat.rename(thread.id, title);
    else set(chat, "renaming", null);
  };
  const cancel = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    set(chat, "renaming", null);
  };
  return html`<form class="rename" @submit=${submit} @keydown=${cancel}>
    <input
      class="field"
      name="title"
      maxlength="200"
      aria-label="New title"
      .value=${thread.title ?? ""}
      ${drawn(focus)}
    />
    <button type="submit" class="primary">Save</button>
  </form>`;
}
