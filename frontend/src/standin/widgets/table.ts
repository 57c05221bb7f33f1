import { html } from "lit-html";
import type { Component } from "../types";
import { type Context, childrenOf } from "./context";
import { children, type View } from "./registry";

export const table: View = (component, context, path) => {
  const rows = childrenOf(component);
  return html`<div class="table" tabindex="0">
    <table>
      <tbody>
        ${rows.map((row, index) => rowView(row, context, `${path}.${index}`))}
      </tbody>
    </table>
  </div>`;
};

function rowView(row: Component, context: Context, path: string) {
  return html`<tr>
    ${childrenOf(row).map((cell, index) => {
      const inside = children(cell, context, `${path}.${index}`);
      return row.header
        ? html`<th colspan=${cell.colSpan ?? 1} rowspan=${cell.rowSpan ?? 1}>${inside}</th>`
        : html`<td colspan=${cell.colSpan ?? 1} rowspan=${cell.rowSpan ?? 1}>${inside}</td>`;
    })}
  </tr>`;
}
