/** The steps of the assistant before its answer: thoughts, searches, tasks. */
import { html, nothing, type TemplateResult } from "lit-html";
import type { Chat } from "../chat";
import { icon } from "../icons";
import { markdown } from "../markdown";
import type { Task, WorkflowItem } from "../types";
import { sourceView } from "./items";

export function workflowView(chat: Chat, item: WorkflowItem): TemplateResult {
  const { workflow } = item;
  const current = workflow.tasks.at(-1);
  const running = !workflow.summary && chat.conversation.streaming;
  const title = workflow.summary
    ? (workflow.summary.title ?? `Thought for ${workflow.summary.duration ?? 0} s`)
    : ((running ? current?.title : null) ??
      (workflow.type === "reasoning" ? "Thinking" : "Working"));
  return html`<details class="workflow" data-item="workflow" ?open=${workflow.expanded ?? false}>
    <summary class=${running ? "running" : ""}>
      ${icon(workflow.summary?.icon ?? (workflow.type === "reasoning" ? "lightbulb" : "bolt"), 18)}
      <span>${title}</span>${icon("chevron-down", 16)}
    </summary>
    <ol>
      ${workflow.tasks.map((task) => html`<li>${taskView(chat, task)}</li>`)}
    </ol>
  </details>`;
}

const TASK_ICONS: Record<Task["type"], string> = {
  custom: "bolt",
  web_search: "search",
  thought: "lightbulb",
  file: "document",
  image: "square-image",
};

export function taskView(chat: Chat, task: Task): TemplateResult {
  const done = task.status_indicator === "complete";
  const title = task.title ?? task.title_query;
  return html`<div class="task" data-status=${task.status_indicator ?? "none"}>
    ${icon(done ? "check" : (task.icon ?? TASK_ICONS[task.type]), 16)}
    <div>
      ${title ? html`<strong>${title}</strong>` : nothing}
      ${task.content ? markdown(task.content) : nothing}
      ${task.queries?.length ? html`<p>${task.queries.join(" · ")}</p>` : nothing}
      ${
        task.sources?.length
          ? html`<ul class="sources">
              ${task.sources.map((source) => html`<li>${sourceView(chat, source)}</li>`)}
            </ul>`
          : nothing
      }
    </div>
  </div>`;
}
