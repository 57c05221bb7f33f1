/** The composer: text, mentions, files, tools, model, dictation, send and stop. */
import { html, nothing, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import type { Chat } from "../chat";
import { splitMentions } from "../composer";
import { icon } from "../icons";
import { acceptAttribute } from "../uploads";
import { dictationView } from "./dictation";
import { menuView } from "./menu";
import { toolButton } from "./parts";
import { modelPicker, toolChips, toolMenu } from "./pickers";
import { uploadsView } from "./uploads";

export function composerView(chat: Chat): TemplateResult {
  const { conversation } = chat;
  const { composer, dictation, hint } = chat.editor;
  const { status } = conversation;
  if (status.type !== "active") {
    return html`<p class="composer-closed" role="status">
      ${status.reason ?? `This conversation is ${status.type}.`}
      <button type="button" class="quiet" @click=${() => chat.openThread(null)}>
        Start a new one
      </button>
    </p>`;
  }
  const problem = hint ?? dictation.error;
  const submit = (event: Event) => {
    event.preventDefault();
    void chat.submit();
  };
  return html`
    <form
      class="composer"
      @submit=${submit}
      @dragover=${(event: DragEvent) => event.preventDefault()}
      @drop=${(event: DragEvent) => drop(event, chat)}
    >
      ${menuView(chat)}
      ${problem ? html`<p class="hint" role="alert">${problem}</p>` : nothing}
      <div class="composer-box">
        ${
          composer.reply
            ? html`<blockquote class="quote">
                ${composer.reply}
                ${toolButton("close", "Remove the quote", () => chat.editor.dropReply(), 14)}
              </blockquote>`
            : nothing
        }
        ${uploadsView(chat)}
        ${dictation.state === "idle" ? field(chat) : dictationView(chat)}
        <div class="composer-bar">
          ${attachButton(chat)} ${mentionButton(chat)} ${toolMenu(chat)} ${toolChips(chat)}
          <span class="gap"></span>
          ${modelPicker(chat)} ${microphone(chat)} ${sendOrStop(chat)}
        </div>
      </div>
    </form>
  `;
}

function field(chat: Chat): TemplateResult {
  const { options } = chat;
  const { composer, menu } = chat.editor;
  const tool = options.composer?.tools?.find(({ id }) => id === composer.toolId);
  const placeholder =
    tool?.placeholderOverride ?? options.composer?.placeholder ?? "Message the AI";
  const follow = (event: Event) => {
    const input = event.currentTarget as HTMLTextAreaElement;
    chat.editor.setText(input.value);
    void menu.follow(input.value, input.selectionStart);
  };
  return html`<div class="field-wrap">
    <div class="mirror" aria-hidden="true">${splitMentions(composer.text, composer.mentions).map(
      (part) => (typeof part === "string" ? part : html`<mark>@${part.title}</mark>`),
    )}${"\u200b"}</div>
    <textarea
      data-composer
      rows="1"
      aria-label=${placeholder}
      placeholder=${placeholder}
      role="combobox"
      aria-autocomplete="list"
      aria-expanded=${menu.open}
      aria-controls="composer-menu"
      aria-activedescendant=${menu.open ? `entry-${menu.active}` : nothing}
      .value=${live(composer.text)}
      @input=${follow}
      @click=${follow}
      @blur=${(event: Event) => closeLater(event, chat)}
      @keydown=${(event: KeyboardEvent) => keydown(event, chat)}
      @paste=${(event: ClipboardEvent) => paste(event, chat)}
    ></textarea>
  </div>`;
}

/** Waits before it closes the menu: a click on the menu or its button gives the focus back. */
function closeLater(event: Event, chat: Chat): void {
  const field = event.currentTarget as Element;
  setTimeout(() => {
    if (!field.matches(":focus")) chat.editor.menu.close();
  }, 150);
}

function keydown(event: KeyboardEvent, chat: Chat): void {
  const { menu } = chat.editor;
  if (menu.open) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) menu.move(move);
    else if (event.key === "Escape") menu.close();
    else if ((event.key === "Enter" || event.key === "Tab") && menu.current) {
      void chat.editor.choose(menu.current);
    } else return;
    event.preventDefault();
    return;
  }
  // While an input method composes a word, Enter confirms the word.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    void chat.submit();
  }
}

function paste(event: ClipboardEvent, chat: Chat): void {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length === 0 || !chat.options.composer?.attachments?.enabled) return;
  event.preventDefault();
  chat.editor.attach(files);
}

function drop(event: DragEvent, chat: Chat): void {
  event.preventDefault();
  chat.editor.attach([...(event.dataTransfer?.files ?? [])]);
}

function attachButton(chat: Chat): TemplateResult | typeof nothing {
  const limits = chat.options.composer?.attachments;
  if (!limits?.enabled) return nothing;
  const chosen = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    chat.editor.attach([...(input.files ?? [])]);
    input.value = "";
  };
  return html`<label class="tool">
    ${icon("attach")}<span class="unseen">Attach files</span>
    <input
      class="unseen"
      type="file"
      multiple
      accept=${acceptAttribute(limits.accept)}
      @change=${chosen}
    />
  </label>`;
}

function mentionButton(chat: Chat): TemplateResult | typeof nothing {
  const { entities } = chat.options;
  if (!entities?.onTagSearch || !entities.showComposerMenu) return nothing;
  const insert = () => {
    const { text } = chat.editor.composer;
    const next = text && !/\s$/.test(text) ? `${text} @` : `${text}@`;
    chat.editor.setText(next);
    void chat.editor.menu.follow(next, next.length);
    chat.editor.focus(next.length);
  };
  return toolButton("at", "Mention something", insert);
}

function microphone(chat: Chat): TemplateResult | typeof nothing {
  if (!chat.options.composer?.dictation?.enabled || chat.editor.dictation.state !== "idle")
    return nothing;
  return toolButton("mic", "Dictate", () => chat.editor.dictation.start());
}

function sendOrStop(chat: Chat): TemplateResult | typeof nothing {
  const { conversation } = chat;
  if (conversation.streaming) {
    if (!conversation.canStop) return nothing;
    return html`<button type="button" class="send" data-stop @click=${() => conversation.stop()}>
      ${icon("stop")}<span class="unseen">Stop</span>
    </button>`;
  }
  return html`<button type="submit" class="send" ?disabled=${!chat.editor.composer.ready}>
    ${icon("send")}<span class="unseen">Send</span>
  </button>`;
}
