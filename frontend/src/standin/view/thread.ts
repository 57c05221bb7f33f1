/** The thread: its turns, the progress of the answer, and errors. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Chat } from "../chat";
import { icon } from "../icons";
import { copyText } from "../items";
import { markdown } from "../markdown";
import type { Item, Notice, UserMessage } from "../types";
import { itemView } from "./items";
import { copyButton, toolButton } from "./parts";

type Turn = { key: string; question: UserMessage | null; answers: Item[] };

export function threadView(chat: Chat, host: HTMLElement): TemplateResult {
  const { conversation } = chat;
  const turns = turnsOf(conversation.items);
  return html`
    <div
      class="scroller"
      data-scroller
      tabindex="-1"
      aria-busy=${conversation.streaming}
      @click=${(event: MouseEvent) => onClick(event, host)}
    >
      <div class="thread">
        ${conversation.loading ? skeleton() : nothing}
        ${
          conversation.earlier
            ? html`<button
                type="button"
                class="quiet earlier"
                @click=${() => conversation.loadEarlier()}
              >
                Show earlier messages
              </button>`
            : nothing
        }
        ${repeat(
          turns,
          (turn) => turn.key,
          (turn, index) => turnView(chat, turn, index === turns.length - 1),
        )}
        ${progress(chat)} ${conversation.notices.map(noticeView)} ${failure(chat)}
      </div>
    </div>
    <div class="to-end">
      ${toolButton("chevron-down", "To the latest message", () => chat.toEnd())}
    </div>
  `;
}

export function turnsOf(items: readonly Item[]): Turn[] {
  const turns: Turn[] = [];
  for (const item of items) {
    const last = turns.at(-1);
    if (item.type === "user_message") turns.push({ key: item.id, question: item, answers: [] });
    else if (last) last.answers.push(item);
    else turns.push({ key: item.id, question: null, answers: [item] });
  }
  return turns;
}

function turnView(chat: Chat, turn: Turn, last: boolean): TemplateResult {
  const visible = turn.answers.filter(
    ({ type }) => type !== "end_of_turn" && type !== "client_tool_call",
  );
  const finished = visible.length > 0 && !(last && chat.conversation.streaming);
  return html`
    <div class="turn">
      ${turn.question ? itemView(chat, turn.question) : nothing}
      ${repeat(
        visible,
        (item) => item.id,
        (item) => itemView(chat, item),
      )}
      ${finished ? turnActions(chat, turn, visible) : nothing}
    </div>
  `;
}

function turnActions(chat: Chat, turn: Turn, answers: Item[]): TemplateResult {
  const { feedback, retry } = chat.options.threadItemActions ?? {};
  const text = answers.map(copyText).filter(Boolean).join("\n\n");
  const given = chat.conversation.feedback.get(answers[0]?.id ?? "");
  const thumb = (kind: "positive" | "negative", name: string, label: string) => html`
    <button
      type="button"
      class="tool small"
      aria-pressed=${given === kind}
      @click=${() => chat.give(kind, answers)}
    >
      ${icon(name, 16)}<span class="unseen">${label}</span>
    </button>
  `;
  return html`
    <div class="turn-actions">
      ${text ? copyButton(text) : nothing}
      ${
        feedback
          ? html`${thumb("positive", "thumb-up", "Good answer")}
            ${thumb("negative", "thumb-down", "Bad answer")}`
          : nothing
      }
      ${
        retry && turn.question && !chat.conversation.streaming
          ? toolButton(
              "reload",
              "Answer again",
              () => chat.conversation.retry(turn.question as UserMessage),
              16,
            )
          : nothing
      }
    </div>
  `;
}

function progress(chat: Chat): TemplateResult | typeof nothing {
  const { conversation } = chat;
  if (conversation.progress) {
    const { icon: name, text } = conversation.progress;
    return html`<p class="progress" data-progress>${icon(name ?? "sparkle", 18)}<span>${text}</span></p>`;
  }
  if (conversation.streaming && conversation.items.at(-1)?.type === "user_message") {
    return html`<p class="progress dots" role="img" aria-label="Thinking"><i></i><i></i><i></i></p>`;
  }
  if (conversation.running && !conversation.streaming) {
    return html`<p class="progress" data-running>
      ${icon("clock", 18)}<span>The answer is still being written…</span>
    </p>`;
  }
  const question = conversation.unanswered && conversation.lastUserMessage;
  if (question) {
    return html`<div class="notice" data-unanswered>
      ${icon("info", 18)}
      <p>This was not answered.</p>
      <button type="button" class="quiet" @click=${() => conversation.retry(question)}>
        Answer now
      </button>
    </div>`;
  }
  return nothing;
}

function noticeView(notice: Notice): TemplateResult {
  return html`<div class="notice" data-level=${notice.level} role="status">
    ${icon(notice.level === "info" ? "info" : "warning", 18)}
    <div>
      ${notice.title ? html`<strong>${notice.title}</strong>` : nothing}
      ${markdown(notice.message)}
    </div>
  </div>`;
}

function failure(chat: Chat): TemplateResult | typeof nothing {
  const { failure: failed } = chat.conversation;
  if (!failed) return nothing;
  return html`<div class="notice" data-level="danger" role="alert">
    ${icon("warning", 18)}
    <p>${failed.message}</p>
    ${
      failed.retry
        ? html`<button type="button" class="quiet" @click=${failed.retry}>Try again</button>`
        : nothing
    }
  </div>`;
}

const skeleton = (): TemplateResult =>
  html`<div class="skeleton" role="status" aria-label="Loading the conversation"><i></i><i></i><i></i></div>`;

/** Links that the page handles. */
function onClick(event: MouseEvent, host: HTMLElement): void {
  const href = (event.target as Element).closest("a")?.getAttribute("href") ?? "";
  if (!/^chatkit-link:/i.test(href)) return;
  event.preventDefault();
  const url = new URL(href);
  const detail = {
    name: (url.host || url.pathname).replace(/^\/+/, ""),
    data: Object.fromEntries(url.searchParams),
  };
  host.dispatchEvent(new CustomEvent("chatkit.deeplink", { detail }));
}
