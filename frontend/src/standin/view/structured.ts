/** A form with questions of the assistant (`structured_input`): choices or free text. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import type { StructuredInputItem, StructuredQuestion } from "../types";

export function structuredInputView(chat: Chat, item: StructuredInputItem): TemplateResult {
  if (item.status !== "pending") return answered(item);
  const locked = chat.conversation.streaming;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    answer(chat, item, "answered", answersOf(event.currentTarget as HTMLFormElement, item));
  };
  return html`<form class="structured" data-item="structured_input" @submit=${submit}>
    ${item.inputs.map((question) => questionView(item, question))}
    <div class="row-end">
      <button
        type="button"
        class="quiet"
        ?disabled=${locked}
        @click=${() => answer(chat, item, "skipped", {})}
      >
        Skip
      </button>
      <button type="submit" class="primary" ?disabled=${locked}>Answer</button>
    </div>
  </form>`;
}

function answered(item: StructuredInputItem): TemplateResult {
  return html`<dl class="structured" data-item="structured_input">
    ${item.inputs.map(
      (question) => html`<dt>${question.question}</dt>
        <dd>
          ${
            question.answer && !question.answer.skipped
              ? question.answer.values.join(", ")
              : html`<em>skipped</em>`
          }
        </dd>`,
    )}
  </dl>`;
}

function questionView(item: StructuredInputItem, question: StructuredQuestion): TemplateResult {
  const name = `${item.id}-${question.id}`;
  if (question.type === "freeform") {
    return html`<label class="question">
      <span>${question.question}</span>
      ${question.description ? html`<small>${question.description}</small>` : nothing}
      <textarea class="field" rows="2" name=${name}></textarea>
    </label>`;
  }
  return html`<fieldset class="question">
    <legend>${question.question}</legend>
    ${question.options?.map(
      ({ value }) => html`<label class="choice">
        <input type=${question.multiple ? "checkbox" : "radio"} name=${name} value=${value} />
        <span>${value}</span>
      </label>`,
    )}
    <label class="choice own">
      ${icon("write", 16)}
      <span class="unseen">Another answer</span>
      <input class="field" type="text" name=${name} placeholder="Something else…" />
    </label>
  </fieldset>`;
}

type Answers = Record<string, { values: string[]; skipped: boolean }>;

function answersOf(form: HTMLFormElement, item: StructuredInputItem): Answers {
  const data = new FormData(form);
  return Object.fromEntries(
    item.inputs.map((question) => {
      const all = data.getAll(`${item.id}-${question.id}`).map(String);
      const values = all.map((value) => value.trim()).filter(Boolean);
      // The free text comes last. Where only one answer is allowed, it replaces the choice.
      const counted = question.multiple ? values : values.slice(-1);
      return [question.id, { values: counted, skipped: counted.length === 0 }];
    }),
  );
}

function answer(
  chat: Chat,
  item: StructuredInputItem,
  status: "answered" | "skipped",
  answers: Answers,
): void {
  void chat.conversation.run("threads.add_structured_input", {
    thread_id: item.thread_id,
    item_id: item.id,
    input: { status, answers },
  });
}
