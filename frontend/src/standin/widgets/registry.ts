/** The function that draws each component. An unknown type draws its children. */
import { html, type nothing, type TemplateResult } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { styled } from "../css";
import { later } from "../later";
import type { Component } from "../types";
import {
  basic,
  boxView,
  card,
  col,
  divider,
  listItem,
  listView,
  row,
  spacer,
  transition,
} from "./containers";
import { type Context, childrenOf } from "./context";
import {
  button,
  checkbox,
  datePicker,
  form,
  input,
  label,
  radioGroup,
  select,
  textarea,
} from "./controls";
import { block } from "./style";
import { table } from "./table";
import { badge, caption, iconView, image, markdown, textView, title } from "./text";

export type View = (
  component: Component,
  context: Context,
  path: string,
) => TemplateResult | typeof nothing;

const chart: View = (component) =>
  html`<figure
    class="w-chart"
    ${styled(block(component))}
    ${later(async (element) => (await import("../rare")).chart(component, element))}
  ></figure>`;

export const VIEWS: Record<string, View> = {
  Basic: basic,
  Card: card,
  ListView: listView,
  ListViewItem: listItem,
  Box: boxView,
  Row: row,
  Col: col,
  Spacer: spacer,
  Divider: divider,
  Text: textView,
  Title: title,
  Caption: caption,
  Markdown: markdown,
  Badge: badge,
  Icon: iconView,
  Image: image,
  Button: button,
  Form: form,
  Input: input,
  Textarea: textarea,
  Select: select,
  Checkbox: checkbox,
  RadioGroup: radioGroup,
  DatePicker: datePicker,
  Label: label,
  Chart: chart,
  Transition: transition,
  Table: table,
};

/** Components inside each other. A browser cannot draw any number of them. */
const MAX_DEPTH = 100;

/** Throws a `RangeError` for a widget that is too deep. */
export const componentView: View = (component, context, path) => {
  if (path.split(".").length > MAX_DEPTH) throw new RangeError("The widget is too deep.");
  return (VIEWS[component.type] ?? children)(component, context, path);
};

/** A component whose `key` changed is built again, without its old state. */
export const children: View = (component, context, path) =>
  html`${childrenOf(component).map((child, index) =>
    keyed(child.key ?? index, componentView(child, context, `${path}.${index}`)),
  )}`;
