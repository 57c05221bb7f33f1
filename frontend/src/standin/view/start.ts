import { html, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";

export function startView(chat: Chat): TemplateResult {
  const { greeting = "What can I help with today?", prompts = [] } = chat.options.startScreen ?? {};
  return html`
    <div class="start">
      <h1 class="greeting">${greeting}</h1>
      <ul class="prompts">
        ${prompts.map(
          ({ label, prompt, icon: name }) => html`<li>
            <button
              type="button"
              class="prompt"
              @click=${() =>
                chat.sendUserMessage(
                  typeof prompt === "string" ? { text: prompt } : { content: prompt },
                )}
            >
              ${icon(name)}<span>${label}</span>
            </button>
          </li>`,
        )}
      </ul>
    </div>
  `;
}
