/** Where a chart's bars, areas and lines lie, on a plane of 100 by 100 with the origin at the top. */
import type { Component } from "../types";

export type Series = {
  type: "bar" | "area" | "line";
  dataKey: string;
  label?: string | null;
  stack?: string | null;
  color?: unknown;
  curveType?: string | null;
};
type Row = Record<string, unknown>;
export type Bar = { x: number; y: number; width: number; height: number };
/** `line` is what is stroked, `area` what is filled below it. */
export type Shape = {
  series: Series;
  index: number;
  line?: string;
  area?: string;
  bars?: Bar[];
};
export type Plot = { ticks: { value: number; y: number }[]; shapes: Shape[] };

type Point = { x: number; y: number };
type Span = { from: number; to: number };

/** A chart is some 480 pixels wide. Gaps are given in pixels. */
const UNITS_OF_A_PIXEL = 100 / 480;
const TICKS = 4;

export const rowsOf = ({ data }: Component): Row[] => (Array.isArray(data) ? data : []);
export const seriesOf = ({ series }: Component): Series[] => (Array.isArray(series) ? series : []);

/** A value that is no number is `NaN`: a line has a gap there, and a bar has no height. */
const numberOf = (row: Row, { dataKey }: Series): number =>
  typeof row[dataKey] === "number" ? row[dataKey] : Number.NaN;

export function plotOf(component: Component): Plot {
  const rows = rowsOf(component);
  const all = seriesOf(component);
  const spans = spansOf(rows, all);
  const reached = spans.flat().flatMap(({ from, to }) => [from, to]);
  const known = reached.filter(Number.isFinite);
  const scale = scaleOf(Math.min(0, ...known), Math.max(0, ...known));
  const band = 100 / Math.max(rows.length, 1);
  const slots = [...new Set(all.filter(isBar).map(slotOf))];
  const barGap = Number(component.barGap ?? 2) * UNITS_OF_A_PIXEL;
  const outside = Number(component.barCategoryGap ?? 12) * UNITS_OF_A_PIXEL;
  const room = Math.max(band - outside, band * 0.2);
  const width = Math.max((room - barGap * (slots.length - 1)) / Math.max(slots.length, 1), 0.2);
  const shapes = all.map((series, index): Shape => {
    const mine = spans[index] ?? [];
    if (isBar(series)) {
      const at = (band - room) / 2 + slots.indexOf(slotOf(series)) * (width + barGap);
      const bars = mine.map(({ from, to }, row) => {
        const [low, high] = [scale.y(from), scale.y(Number.isFinite(to) ? to : from)];
        return { x: row * band + at, width, y: Math.min(low, high), height: Math.abs(low - high) };
      });
      return { series, index, bars };
    }
    const points = (end: "from" | "to"): Point[] =>
      mine.flatMap((span, row) =>
        Number.isFinite(span.to) ? [{ x: (row + 0.5) * band, y: scale.y(span[end]) }] : [],
      );
    const top = curve(points("to"), series.curveType);
    if (series.type === "line" || !top) return { series, index, line: top };
    const base = curve(points("from").toReversed(), series.curveType).replace("M", "L");
    return { series, index, line: top, area: `${top}${base}Z` };
  });
  return { ticks: scale.ticks, shapes };
}

const isBar = ({ type }: Series): boolean => type === "bar";
const slotOf = ({ stack, dataKey }: Series): string => (stack ? `stack ${stack}` : dataKey);

/** From where to where each series goes in each row. Stacked ones begin where the last one ends. */
function spansOf(rows: Row[], all: Series[]): Span[][] {
  const ends = new Map<string, number>();
  return all.map((series) =>
    rows.map((row, at) => {
      const value = numberOf(row, series);
      if (!series.stack || series.type === "line") return { from: 0, to: value };
      const key = `${series.type} ${series.stack} ${at} ${value < 0}`;
      const from = ends.get(key) ?? 0;
      const to = from + (Number.isFinite(value) ? value : 0);
      ends.set(key, to);
      return { from, to };
    }),
  );
}

function scaleOf(low: number, high: number) {
  const step = niceStep((high - low || 1) / TICKS);
  const bottom = Math.floor(low / step) * step;
  const top = Math.max(Math.ceil(high / step), bottom / step + 1) * step;
  const y = (value: number) => 100 - ((value - bottom) / (top - bottom)) * 100;
  const count = Math.round((top - bottom) / step);
  const ticks = Array.from({ length: count + 1 }, (_, n) => {
    const value = Number((bottom + n * step).toPrecision(12));
    return { value, y: y(value) };
  });
  return { y, ticks };
}

/** 1, 2 or 5, times a power of ten, and not smaller than the rough step. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((nice) => nice * power >= rough) ?? 10) * power;
}

const round = (value: number): number => Number(value.toFixed(2));
const to = (kind: string, ...points: Point[]): string =>
  kind + points.map(({ x, y }) => `${round(x)},${round(y)}`).join(" ");

/** A path through the points: straight, in steps, or smooth. All smooth kinds are drawn alike. */
function curve(points: Point[], kind: string | null | undefined): string {
  const [first, ...rest] = points;
  if (!first) return "";
  const slopes = slopesOf(points);
  return (
    to("M", first) +
    rest
      .map((point, at) => {
        const before = points[at] as Point;
        const middle = (before.x + point.x) / 2;
        if (kind?.startsWith("linear")) return to("L", point);
        if (kind === "stepBefore") return to("L", { x: before.x, y: point.y }, point);
        if (kind === "stepAfter") return to("L", { x: point.x, y: before.y }, point);
        if (kind === "step") {
          return to("L", { x: middle, y: before.y }, { x: middle, y: point.y }, point);
        }
        const third = (point.x - before.x) / 3;
        const [leaving, coming] = [slopes[at] ?? 0, slopes[at + 1] ?? 0];
        return to(
          "C",
          { x: before.x + third, y: before.y + leaving * third },
          { x: point.x - third, y: point.y - coming * third },
          point,
        );
      })
      .join("") +
    (kind?.endsWith("Closed") ? "Z" : "")
  );
}

/** The slope at each point, flat at peaks, so that no curve is higher or lower than the data. */
function slopesOf(points: Point[]): number[] {
  const between = points.slice(1).map((point, at) => {
    const before = points[at] as Point;
    return (point.y - before.y) / (point.x - before.x);
  });
  return points.map((_, at) => {
    const [left, right] = [between[at - 1], between[at]];
    if (left === undefined || right === undefined) return left ?? right ?? 0;
    return left * right <= 0 ? 0 : (2 * left * right) / (left + right);
  });
}
