/** The whole element: header, thread or start screen, composer, history. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { copyText } from "../items";
import { markdown } from "../markdown";
import { words } from "../markdown/words";
import { composerView } from "./composer";
import { headerView } from "./header";
import { historyView } from "./history";
import { startView } from "./start";
import { threadView } from "./thread";

export function chatView(chat: Chat, host: HTMLElement): TemplateResult {
  const { conversation, options, history } = chat;
  const untold = conversation.notices.length === 0 && !conversation.failure;
  const empty = conversation.id === null && conversation.items.length === 0 && untold;
  const { disclaimer } = options;
  return html`
    <section class="chat" aria-label=${options.frameTitle ?? "Chat"} ?inert=${history.open}>
      ${options.header?.enabled === false ? nothing : headerView(chat)}
      ${empty && !conversation.streaming ? startView(chat) : threadView(chat, host)}
      ${composerView(chat)}
      ${
        disclaimer
          ? html`<div class="disclaimer" ?data-strong=${disclaimer.highContrast}>
              ${markdown(disclaimer.text)}
            </div>`
          : nothing
      }
    </section>
    ${history.open ? historyView(chat) : nothing}
    <div class="unseen" role="status" aria-live="polite">${announcement(chat)}</div>
  `;
}

/** Text for screen readers: first that an answer is coming, then the whole answer, once. */
function announcement(chat: Chat): string {
  const { conversation } = chat;
  if (conversation.streaming) return conversation.progress?.text ?? "The assistant is answering.";
  if (conversation.failure) return "";
  // An answer without a message, such as a card, does not repeat the message of the turn before.
  const asked = conversation.items.findLastIndex((item) => item.type === "user_message");
  const answers = conversation.items.slice(asked + 1);
  const last = answers.findLast((item) => item.type === "assistant_message" || copyText(item));
  if (!last) return "";
  return last.type === "assistant_message" ? words(copyText(last)) : copyText(last);
}
