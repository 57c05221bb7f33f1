/** What the composer shows during dictation. */
import { html, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { drawn } from "../drawn";
import { toolButton } from "./parts";

export function dictationView(chat: Chat): TemplateResult {
  const { dictation } = chat.editor;
  if (dictation.state === "transcribing") {
    return html`<p class="dictation" role="status">Writing down what you said…</p>`;
  }
  return html`<div class="dictation">
    ${toolButton("close", "Cancel dictation", () => dictation.cancel())}
    <meter max="1" aria-label="Level" ${drawn((meter) => follow(chat, meter))}></meter>
    <span role="status">Listening…</span>
    ${toolButton("check", "Finish dictation", () => dictation.finish())}
  </div>`;
}

function follow(chat: Chat, meter: Element): void {
  const tick = () => {
    if (!meter.isConnected || chat.editor.dictation.state !== "recording") return;
    (meter as HTMLMeterElement).value = chat.editor.dictation.level();
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
