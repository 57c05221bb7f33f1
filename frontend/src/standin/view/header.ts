import type { HeaderOption } from "@openai/chatkit";
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import { toolButton } from "./parts";

export function headerView(chat: Chat): TemplateResult {
  const { header, history } = chat.options;
  const title = header?.title?.text ?? chat.conversation.title ?? "";
  return html`
    <header class="header">
      ${action(header?.leftAction, "Menu")}
      ${
        history?.enabled === false
          ? nothing
          : toolButton("history", "Conversations", () => chat.showHistory())
      }
      ${
        title && header?.title?.enabled !== false
          ? html`<h2 class="header-title" title=${title}>${title}</h2>`
          : html`<span class="header-title"></span>`
      }
      <button
        type="button"
        class="tool"
        ?disabled=${chat.conversation.id === null && chat.conversation.items.length === 0}
        @click=${() => chat.openThread(null)}
      >
        ${icon("compose")}<span class="unseen">New conversation</span>
      </button>
      ${action(header?.rightAction, "More")}
    </header>
  `;
}

const LABELS: Record<string, string> = {
  "light-mode": "Light appearance",
  "dark-mode": "Dark appearance",
  home: "Home",
};

function action(option: HeaderOption["leftAction"], label: string) {
  if (!option) return nothing;
  return toolButton(option.icon, LABELS[option.icon] ?? label, () => option.onClick());
}
