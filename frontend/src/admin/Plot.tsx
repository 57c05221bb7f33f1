/** A plot with its title, a summary in words, and its numbers as a table. */
import { type ReactNode, useId } from "react";
import { plotOf } from "../standin/widgets/plot";
import { dayName, short, texts } from "./admin-texts";
import type { Row, Series } from "./report";

/** So many days are named below a plot. */
const NAMED = 6;
/** The part of a day's width that stays free, in the pixels of a plot that is 480 wide. */
const gapOf = (rows: number): number => (0.25 * 480) / Math.max(rows, 1);

export function Plot(props: {
  title: string;
  summary: string;
  rows: Row[];
  series: Series[];
  kind?: "bar" | "line";
  written: (value: number) => string;
  children?: ReactNode;
}): ReactNode {
  const { title, summary, rows, series, kind = "bar", written, children } = props;
  const id = useId();
  const { ticks, shapes } = plotOf({
    type: "Chart",
    data: rows,
    barCategoryGap: gapOf(rows.length),
    series: series.map(({ key }) => ({
      type: kind,
      dataKey: key,
      curveType: "linear",
      ...(kind === "bar" && { stack: "all" }),
    })),
  });
  const width = 100 / Math.max(rows.length, 1);
  const every = Math.ceil(rows.length / NAMED);
  const value = (row: Row, { key }: Series): string =>
    typeof row[key] === "number" ? written(row[key]) : "–";
  return (
    <section className="figure" aria-labelledby={`${id}t`}>
      <h2 id={`${id}t`}>{title}</h2>
      <p id={`${id}s`}>{summary}</p>
      {children}
      {series.length > 1 && (
        <ul className="legend" aria-hidden="true">
          {series.map(({ key, label, tone }) => (
            <li key={key}>
              <i style={{ background: `var(${tone})` }} />
              {label}
            </li>
          ))}
        </ul>
      )}
      <div className="plane">
        <div className="scale" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick.value} style={{ top: `${tick.y}%` }}>
              {short(tick.value)}
            </span>
          ))}
        </div>
        <svg
          viewBox="0 0 100 100"
          preserveAspectRatio="none"
          role="img"
          aria-label={title}
          aria-describedby={`${id}s`}
        >
          {ticks.map(({ value, y }) => (
            <line key={value} className="grid" x1="0" x2="100" y1={y} y2={y} />
          ))}
          {shapes.map(({ index, bars, line }) => {
            const { key, tone } = series[index] as Series;
            return (
              <g key={key} style={{ color: `var(${tone})` }}>
                {bars?.map(({ x, y, width, height }) => (
                  <rect key={x} x={x} y={y} width={width} height={height} />
                ))}
                {line && <path d={line} />}
                {line && dots(rows, key, ticks)}
              </g>
            );
          })}
          {rows.map((row, at) => (
            <rect className="row" key={row.day} x={at * width} y="0" width={width} height="100">
              <title>
                {[
                  dayName(row.day, true),
                  ...series.map((each) => `${each.label}: ${value(row, each)}`),
                ].join("\n")}
              </title>
            </rect>
          ))}
        </svg>
        <div className="days" aria-hidden="true">
          {rows.map(
            ({ day }, at) =>
              at % every === 0 && (
                <span key={day} style={{ left: `${(at + 0.5) * width}%` }}>
                  {dayName(day)}
                </span>
              ),
          )}
        </div>
      </div>
      <details>
        <summary aria-label={texts.tableOf(title)}>{texts.table}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: so that keys can scroll it */}
        <section className="numbers" tabIndex={0} aria-label={texts.tableOf(title)}>
          <table>
            <thead>
              <tr>
                <th scope="col">{texts.day}</th>
                {series.map(({ key, label }) => (
                  <th scope="col" key={key}>
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.toReversed().map((row) => (
                <tr key={row.day}>
                  <th scope="row">{dayName(row.day, true)}</th>
                  {series.map((each) => (
                    <td key={each.key}>{value(row, each)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </section>
  );
}

/** A day between two without a number is no line, so each day is a short line of its own, too. */
function dots(rows: Row[], key: string, ticks: { value: number; y: number }[]): ReactNode {
  const top = ticks.at(-1)?.value ?? 1;
  return rows.map((row, at) => {
    const value = row[key];
    if (typeof value !== "number") return null;
    const [x, y] = [((at + 0.5) * 100) / rows.length, 100 - (value / top) * 100];
    return <path key={row.day} className="dot" d={`M${x},${y}h0`} />;
  });
}
