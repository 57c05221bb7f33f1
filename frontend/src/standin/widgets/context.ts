/** What a component needs to know of where it stands. */
import type { ActionConfig } from "../types";

export type Source = {
  /** Which component this is, in its widget. */
  path: string;
  /** What to block meanwhile, when the action itself leaves it open (`auto`). */
  scope: "none" | "self" | "container";
  /** What was filled in: the form's fields, or the control's own. */
  values: Record<string, unknown>;
};

export type Act = (action: ActionConfig, source: Source) => void;

export type Context = {
  act: Act;
  busy: (path: string) => boolean;
  locked: boolean;
  imageDomains: readonly string[];
};

/**
 * The fields of the form around an element. A checkbox is `true` or `false`, also when it is off;
 * a name with several values gives a list.
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
