/** What the composer shows during dictation. */
import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import type { Chat } from "../chat";
import { icon } from "../icons";

export function dictationView(chat: Chat): TemplateResult {
  const { dictation } = chat.editor;
  if (dictation.state === "transcribing") {
    return html`<p class="dictation" role="status">Writing down what you said…</p>`;
  }
  return html`<div class="dictation">
    <button type="button" class="tool" @click=${() => dictation.cancel()}>
      ${icon("close")}<span class="unseen">Cancel dictation</span>
    </button>
    <meter max="1" aria-label="Level" ${ref((meter) => follow(chat, meter))}></meter>
    <span role="status">Listening…</span>
    <button type="button" class="tool" @click=${() => dictation.finish()}>
      ${icon("check")}<span class="unseen">Finish dictation</span>
    </button>
  </div>`;
}

function follow(chat: Chat, meter?: Element): void {
  if (!meter) return;
  const tick = () => {
    if (!meter.isConnected || chat.editor.dictation.state !== "recording") return;
    (meter as HTMLMeterElement).value = chat.editor.dictation.level();
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
