/** What a component knows about the widget around it. */
import type { ActionConfig, Component } from "../types";

export type Source = {
  /** The path of this component in its widget. */
  path: string;
  /** What to block while the action runs, when the action says `auto`. */
  scope: "none" | "self" | "container";
  /** The values of the form's fields, or of the control alone. */
  values: Record<string, unknown>;
};

export type Act = (action: ActionConfig, source: Source) => void;

export type Context = {
  act: Act;
  busy: (path: string) => boolean;
  locked: boolean;
  /** The element id of a field, for its `Label`. */
  fieldId: (name: unknown) => string;
  /** The names of the fields that have a `Label`. The others need an `aria-label`. */
  labelled: ReadonlySet<unknown>;
  imageDomains: readonly string[];
};

/**
 * The values of the form around an element. A checkbox gives `true` or `false`; a name with
 * several values gives a list.
 */
export function formValues(element: Element): Record<string, unknown> {
  const form = element.closest("form[data-widget-form]") as HTMLFormElement | null;
  if (!form) return {};
  const values: Record<string, unknown> = {};
  const data = new FormData(form);
  for (const name of new Set(data.keys())) {
    const all = data.getAll(name).map(String);
    values[name] = all.length > 1 ? all : all[0];
  }
  for (const box of form.querySelectorAll<HTMLInputElement>("input[type=checkbox][name]")) {
    values[box.name] = box.checked;
  }
  return values;
}

/** The names of the fields that a widget has a `Label` for. */
export function labelledFields(component: Component): Set<unknown> {
  const found = new Set<unknown>();
  const look = (at: Component): void => {
    if (at.type === "Label") found.add(at.fieldName);
    for (const child of childrenOf(at)) look(child);
  };
  look(component);
  return found;
}

export const childrenOf = ({ children }: Component): Component[] =>
  Array.isArray(children) ? children : children ? [children] : [];
