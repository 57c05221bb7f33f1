/** A chart: an SVG for those who see it, and a table with its numbers for screen readers. */
import { html, nothing, svg, type TemplateResult } from "lit-html";
import { styled } from "../css";
import style from "../styles/chart.css?inline";
import type { Component } from "../types";
import { type Plot, plotOf, rowsOf, type Series, type Shape, seriesOf } from "./plot";
import { color } from "./style";

const COLORS: Record<string, string> = {
  blue: "var(--blue)",
  orange: "var(--orange)",
  green: "var(--green)",
  purple: "var(--violet)",
  pink: "var(--pink)",
  yellow: "var(--yellow)",
  red: "var(--red)",
};
const IN_TURN = Object.values(COLORS);

const toneOf = ({ color: given }: Series, index: number): string =>
  (typeof given === "string" && COLORS[given]) || color(given) || (IN_TURN[index % 7] as string);

const nameOf = ({ label, dataKey }: Series): string => label || dataKey;
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat();
const words = (value: unknown): string =>
  typeof value === "number" ? whole.format(value) : String(value ?? "");

type Axis = { dataKey: string; hide?: boolean; labels?: Record<string, string> };

const sheet = new CSSStyleSheet();
sheet.replaceSync(style);

/** What is in a chart's `figure`. The chart's style is added to the element around it. */
export function chart(component: Component, figure: HTMLElement): TemplateResult {
  // There are none when the figure was removed while this file was loaded.
  const { adoptedStyleSheets: sheets } = figure.getRootNode() as Partial<ShadowRoot>;
  if (sheets && !sheets.includes(sheet)) sheets.push(sheet);
  const given = component.xAxis as string | Axis;
  const axis: Axis = typeof given === "string" ? { dataKey: given } : given;
  const labels = rowsOf(component).map((row) => {
    const value = String(row[axis.dataKey] ?? "");
    return axis.labels?.[value] ?? value;
  });
  const plot = plotOf(component);
  const names = seriesOf(component).map(nameOf);
  return html`
    ${component.showLegend === false ? nothing : legend(component)}
    <div class="w-chart-plane" aria-hidden="true">
      ${component.showYAxis ? yAxis(plot) : nothing}
      <svg viewBox="0 0 100 100" preserveAspectRatio="none">
        ${plot.ticks.map(({ y }) => svg`<line class="grid" x1="0" x2="100" y1=${y} y2=${y} />`)}
        ${plot.shapes.map(shape)}
        ${component.showTooltip === false ? nothing : tooltips(component, labels)}
      </svg>
      ${
        axis.hide
          ? nothing
          : html`<div class="w-chart-x">${labels.map((label) => html`<span>${label}</span>`)}</div>`
      }
    </div>
    ${table(component, labels, names)}
  `;
}

function shape({ series, index, line, area, bars }: Shape): TemplateResult {
  const tone = toneOf(series, index);
  if (bars) {
    return svg`<g data-series="bar" ${styled({ fill: tone })}>${bars.map(
      ({ x, y, width, height }) => svg`<rect x=${x} y=${y} width=${width} height=${height} />`,
    )}</g>`;
  }
  return svg`<g data-series=${series.type} ${styled({ fill: tone, stroke: tone })}>
    ${area ? svg`<path class="area" d=${area} />` : nothing}
    <path class="line" d=${line ?? ""} />
  </g>`;
}

/** One area for each row, with the values of the row as its title. */
function tooltips(component: Component, labels: string[]): TemplateResult[] {
  const rows = rowsOf(component);
  const width = 100 / Math.max(rows.length, 1);
  return rows.map((row, at) => {
    const values = seriesOf(component).map(
      (series) => `${nameOf(series)}: ${words(row[series.dataKey])}`,
    );
    return svg`<rect class="row" x=${at * width} y="0" width=${width} height="100">
      <title>${[labels[at], ...values].join("\n")}</title>
    </rect>`;
  });
}

const legend = (component: Component): TemplateResult =>
  html`<ul class="w-chart-legend" aria-hidden="true">
    ${seriesOf(component).map(
      (series, index) =>
        html`<li><i ${styled({ background: toneOf(series, index) })}></i>${nameOf(series)}</li>`,
    )}
  </ul>`;

const yAxis = ({ ticks }: Plot): TemplateResult =>
  html`<div class="w-chart-y">
    ${ticks.map(
      ({ value, y }) => html`<span ${styled({ top: `${y}%` })}>${short.format(value)}</span>`,
    )}
  </div>`;

const table = (component: Component, labels: string[], names: string[]): TemplateResult =>
  html`<div class="unseen">
    <table>
      <caption>Chart</caption>
      <thead>
        <tr>
          <td></td>
          ${names.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rowsOf(component).map(
          (row, at) => html`<tr>
            <th scope="row">${labels[at]}</th>
            ${seriesOf(component).map(({ dataKey }) => html`<td>${words(row[dataKey])}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
