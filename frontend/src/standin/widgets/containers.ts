import { html, nothing, type TemplateResult } from "lit-html";
import { styled } from "../css";
import { icon } from "../icons";
import type { ActionConfig, Component } from "../types";
import { type Context, childrenOf, formValues } from "./context";
import { children, componentView, type View } from "./registry";
import { box, color, isImageAddress, pixels, units } from "./style";

const boxed =
  (direction: "row" | "col"): View =>
  (component, context, path) =>
    html`<div
      class="w-box"
      ${styled(box(component, (component.direction as "row" | "col") ?? direction))}
    >
      ${children(component, context, path)}
    </div>`;

export const boxView = boxed("col");
export const col = boxed("col");
export const row: View = (component, context, path) =>
  html`<div class="w-box w-row" ${styled(box(component, "row"))}>
    ${children(component, context, path)}
  </div>`;

export const basic: View = (component, context, path) =>
  themed(component, boxView(component, context, path));

/** A child with another `key` fades in. The wrapper has no box, so it changes no layout. */
export const transition: View = (component, context, path) =>
  html`<div class="w-transition">${children(component, context, path)}</div>`;

/** A part with a theme of its own, whatever the page's is. */
const themed = (
  { theme }: Component,
  inside: TemplateResult | typeof nothing,
): TemplateResult | typeof nothing =>
  theme ? html`<div class="w-themed" data-theme=${theme}>${inside}</div>` : inside;

export const spacer: View = ({ minSize }) =>
  html`<span class="w-spacer" ${styled({ "min-width": minSize ? `${minSize}px` : undefined })}></span>`;

export const divider: View = ({ color: tone, flush, size, spacing }) =>
  html`<hr
    class="w-divider"
    ?data-flush=${Boolean(flush)}
    ${styled({
      "border-color": color(tone),
      "border-top-width": pixels(size),
      "margin-block": units(spacing),
    })}
  />`;

type CardAction = { label: string; action: ActionConfig };

export const card: View = (component, context, path) => {
  const { asForm, size, collapsed } = component;
  const confirm = component.confirm as CardAction | undefined;
  const cancel = component.cancel as CardAction | undefined;
  const body = html`
    ${status(component)}
    ${
      collapsed
        ? nothing
        : html`<div class="w-card-body" ${styled(box(component, "col"))}>
            ${children(component, context, path)}
          </div>`
    }
    ${
      (confirm || cancel) && !collapsed
        ? html`<footer class="w-card-footer">
            ${cancel ? cardButton(cancel, context, path, "quiet", false) : nothing}
            ${confirm ? cardButton(confirm, context, path, "primary", Boolean(asForm)) : nothing}
          </footer>`
        : nothing
    }
  `;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!confirm) return;
    const values = formValues(event.currentTarget as Element);
    context.act(confirm.action, { path, scope: "container", values });
  };
  const cls = `w-card w-card-${size ?? "md"}`;
  return themed(
    component,
    asForm
      ? html`<form class=${cls} data-widget-form @submit=${submit}>${body}</form>`
      : html`<div class=${cls}>${body}</div>`,
  );
};

function cardButton(
  { label, action }: CardAction,
  context: Context,
  path: string,
  cls: string,
  submits: boolean,
): TemplateResult {
  const press = (event: Event) => {
    if (submits) return;
    const values = formValues(event.currentTarget as Element);
    context.act(action, { path, scope: "container", values });
  };
  return html`<button type=${submits ? "submit" : "button"} class=${cls} ?disabled=${context.locked} @click=${press}>
    ${label}
  </button>`;
}

function status(component: Component): TemplateResult | typeof nothing {
  const value = component.status as Status | undefined;
  if (!value) return nothing;
  const { text, favicon, frame } = value;
  return html`<p class="w-status">
    ${
      favicon && isImageAddress(favicon)
        ? html`<img src=${favicon} alt="" width="16" height="16" ?data-frame=${Boolean(frame)} />`
        : icon(value.icon, 16)
    }${text}
  </p>`;
}

type Status = { text: string; icon?: string; favicon?: string; frame?: boolean };

const SHOWN = 5;

export const listView: View = (component, context, path) => {
  const items = childrenOf(component);
  const { limit } = component;
  const most = typeof limit === "number" ? limit : limit === "auto" ? SHOWN : items.length;
  const entries = items.map((item, index) => listItem(item, context, `${path}.${index}`));
  const rest = entries.slice(most);
  const list = html`<div class="w-list">
    ${status(component)} ${entries.slice(0, most)}
    ${
      rest.length
        ? html`<details class="w-more">
            <summary>Show ${rest.length} more</summary>
            ${rest}
          </details>`
        : nothing
    }
  </div>`;
  return themed(component, list);
};

export const listItem: View = (item, context, path) => {
  const action = item.onClickAction as ActionConfig | undefined;
  const inside = childrenOf(item).map((child, index) =>
    componentView(child, context, `${path}.${index}`),
  );
  const styles = styled(box(item, "row"));
  if (!action) return html`<div class="w-list-item" ${styles}>${inside}</div>`;
  return html`<button
    type="button"
    class="w-list-item"
    aria-busy=${context.busy(path)}
    ${styles}
    @click=${() => context.act(action, { path, scope: "self", values: {} })}
  >
    ${inside}
  </button>`;
};
