/** Buttons and form controls. The HTML elements keep the values until the form is sent. */
import { html, nothing, type TemplateResult } from "lit-html";
import { styled } from "../css";
import { icon } from "../icons";
import type { ActionConfig, Component } from "../types";
import { type Context, formValues } from "./context";
import { children, type View } from "./registry";
import { box, FONT_SIZES, typography } from "./style";

const ICON_SIZES: Record<string, number> = { sm: 16, md: 18, lg: 20, xl: 24, "2xl": 28 };

export const button: View = (component, context, path) => {
  const { label: words, submit, iconStart, iconEnd, iconSize, block, disabled, pill } = component;
  const drawn = (name: unknown) =>
    icon(name as string | undefined, ICON_SIZES[String(iconSize ?? "sm")]);
  const action = component.onClickAction as ActionConfig | undefined;
  const busy = context.busy(path);
  const press = (event: Event) => {
    if (!action) return;
    const values = formValues(event.currentTarget as Element);
    context.act(action, { path, scope: "self", values });
  };
  const primary =
    component.style === "primary" ||
    (component.color === "primary" && component.variant !== "ghost");
  return html`<button
    type=${submit ? "submit" : "button"}
    class="w-button"
    data-style=${primary ? "primary" : "secondary"}
    data-color=${component.color ?? (primary ? "primary" : "secondary")}
    data-variant=${component.variant ?? (primary ? "solid" : "outline")}
    data-size=${component.size ?? "md"}
    ?data-block=${Boolean(block)}
    ?data-pill=${pill !== false}
    ?data-uniform=${Boolean(component.uniform)}
    ?disabled=${Boolean(disabled) || busy || context.locked}
    aria-busy=${busy}
    aria-label=${words ? nothing : String(iconStart ?? iconEnd ?? "button")}
    @click=${press}
  >
    ${drawn(iconStart)}${words ? html`<span>${words}</span>` : nothing}${drawn(iconEnd)}
  </button>`;
};

export const form: View = (component, context, path) => {
  const action = component.onSubmitAction as ActionConfig | undefined;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!action) return;
    const values = formValues(event.currentTarget as Element);
    context.act(action, { path, scope: "container", values });
  };
  const direction = (component.direction as "row" | "col" | undefined) ?? "col";
  return html`<form class="w-box w-form" data-widget-form ${styled(box(component, direction))} @submit=${submit}>
    ${children(component, context, path)}
  </form>`;
};

/** Dispatches a control's `onChangeAction` with the values of its form, or with its own value. */
function changed(
  component: Component,
  context: Context,
  path: string,
  value: (at: Element) => unknown,
) {
  const action = component.onChangeAction as ActionConfig | undefined;
  if (!action) return nothing;
  return (event: Event) => {
    const at = event.currentTarget as Element;
    const values = { ...formValues(at), [String(component.name)]: value(at) };
    context.act(action, { path, scope: "none", values });
  };
}

const currentValue = (at: Element): string => (at as HTMLInputElement).value;

/** The `aria-label` of a control that has no `Label`. */
function named({ placeholder, ariaLabel, name }: Component, { labelled }: Context) {
  if (labelled.has(name)) return nothing;
  return String(ariaLabel ?? placeholder ?? String(name).replace(/[._-]+/g, " "));
}

export const input: View = (component, context) =>
  html`<input
    class="field"
    type=${component.inputType ?? "text"}
    id=${context.fieldId(component.name)}
    name=${component.name}
    aria-label=${named(component, context)}
    placeholder=${component.placeholder ?? nothing}
    pattern=${component.pattern ?? nothing}
    ?required=${component.required}
    ?disabled=${component.disabled}
    .value=${String(component.defaultValue ?? "")}
  />`;

export const textarea: View = (component, context) =>
  html`<textarea
    class="field"
    id=${context.fieldId(component.name)}
    name=${component.name}
    rows=${component.rows ?? 3}
    aria-label=${named(component, context)}
    placeholder=${component.placeholder ?? nothing}
    ?required=${component.required}
    ?disabled=${component.disabled}
    .value=${String(component.defaultValue ?? "")}
  ></textarea>`;

type Option = { value: string; label: string; disabled?: boolean };

export const select: View = (component, context, path) =>
  html`<select
    class="field"
    id=${context.fieldId(component.name)}
    name=${component.name}
    aria-label=${named(component, context)}
    ?disabled=${component.disabled}
    @change=${changed(component, context, path, currentValue)}
  >
    ${
      component.placeholder || component.clearable
        ? html`<option value="">${component.placeholder ?? ""}</option>`
        : nothing
    }
    ${((component.options as Option[]) ?? []).map(
      (option) => html`<option
        value=${option.value}
        ?disabled=${option.disabled}
        .selected=${option.value === component.defaultValue}
      >
        ${option.label}
      </option>`,
    )}
  </select>`;

export const checkbox: View = (component, context, path) =>
  html`<label class="choice">
    <input
      type="checkbox"
      name=${component.name}
      aria-label=${component.label ? nothing : named(component, context)}
      ?required=${component.required}
      ?disabled=${component.disabled}
      .checked=${Boolean(component.defaultChecked)}
      @change=${changed(component, context, path, (at) => (at as HTMLInputElement).checked)}
    />
    ${component.label ? html`<span>${component.label}</span>` : nothing}
  </label>`;

export const radioGroup: View = (component, context, path) => {
  const row = component.direction === "row";
  return html`<div class="w-radios" role="radiogroup" aria-label=${named(component, context)} ?data-row=${row}>
    ${((component.options as Option[]) ?? []).map(
      (option): TemplateResult => html`<label class="choice">
        <input
          type="radio"
          name=${component.name}
          value=${option.value}
          ?required=${component.required}
          ?disabled=${option.disabled || component.disabled}
          .checked=${option.value === component.defaultValue}
          @change=${changed(component, context, path, currentValue)}
        />
        <span>${option.label}</span>
      </label>`,
    )}
  </div>`;
};

const day = (value: unknown): string => String(value ?? "").slice(0, 10);

export const datePicker: View = (component, context, path) =>
  html`<input
    class="field"
    type="date"
    id=${context.fieldId(component.name)}
    name=${component.name}
    aria-label=${named(component, context)}
    min=${component.min ? day(component.min) : nothing}
    max=${component.max ? day(component.max) : nothing}
    ?disabled=${component.disabled}
    .value=${day(component.defaultValue)}
    @change=${changed(component, context, path, currentValue)}
  />`;

export const label: View = (component, context) =>
  html`<label
    class="w-label"
    for=${context.fieldId(component.fieldName)}
    ${styled(typography(component, FONT_SIZES))}
    >${component.value}</label
  >`;
