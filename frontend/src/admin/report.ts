/** `GET /chatkit/report`, and the rows and sums that are made of it. */

export type ModelDay = {
  model: string;
  provider: string;
  answers: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  dollars: number;
  firstTokenP50Ms: number | null;
  firstTokenP90Ms: number | null;
};

/** `day` is a date of UTC, such as 2026-11-26. */
export type Day = {
  day: string;
  people: number;
  messages: number;
  outcomes: Record<string, number>;
  errors: Record<string, number>;
  feedback: Record<string, number>;
  tools: Record<string, { calls: number; failed: number }>;
  models: ModelDay[];
};

export type Question = {
  at: string;
  /** `thumb down` or `no source`. */
  why: string;
  thread: string;
  item: string;
  /** `null` where the server keeps no text in reports. */
  text: string | null;
};

/** Both ends count. Days on which nothing happened may be missing. */
export type Report = { from: string; to: string; days: Day[]; questions: Question[] };

/** A row of a plot: its day, and the numbers by the keys of the series. */
export type Row = { day: string } & Record<string, string | number | null>;
export type Series = { key: string; label: string; tone: string };
export type Bar = { name: string; count: number; failed?: number };

/** So many models have a colour of their own; the others are drawn as one. */
const MODELS = 6;
const OTHERS = "others";
const MS_OF_A_DAY = 86_400_000;

const nothing = (day: string): Day => ({
  day,
  people: 0,
  messages: 0,
  outcomes: {},
  errors: {},
  feedback: {},
  tools: {},
  models: [],
});

/** All days from the first to the last. */
export function daysOf({ from, to, days }: Report): Day[] {
  const known = new Map(days.map((day) => [day.day, day]));
  const all: Day[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += MS_OF_A_DAY) {
    const day = new Date(at).toISOString().slice(0, 10);
    all.push(known.get(day) ?? nothing(day));
  }
  return all;
}

export const isEmpty = ({ days, questions }: Report): boolean =>
  questions.length === 0 &&
  days.every(
    ({ messages, people, models, outcomes, feedback }) =>
      !messages && !people && !models.length && !sum(outcomes) && !sum(feedback),
  );

export const sum = (numbers: Record<string, number>): number =>
  Object.values(numbers).reduce((total, number) => total + number, 0);

export const total = (days: Day[], of: (day: Day) => number): number =>
  days.reduce((so_far, day) => so_far + of(day), 0);

const modelsTotal = (days: Day[], of: (model: ModelDay) => number): number =>
  total(days, ({ models }) => models.reduce((so_far, model) => so_far + of(model), 0));

export type Totals = {
  messages: number;
  /** On the day with the most, because a person of two days is counted on both. */
  people: number;
  dollars: number;
  read: number;
  written: number;
  cached: number;
  runs: number;
  failed: number;
  liked: number;
  disliked: number;
};

export function totalsOf(days: Day[]): Totals {
  return {
    messages: total(days, ({ messages }) => messages),
    people: Math.max(0, ...days.map(({ people }) => people)),
    dollars: modelsTotal(days, ({ dollars }) => dollars),
    read: modelsTotal(days, ({ inputTokens }) => inputTokens),
    written: modelsTotal(days, ({ outputTokens }) => outputTokens),
    cached: modelsTotal(days, ({ cachedTokens }) => cachedTokens),
    runs: total(days, ({ outcomes }) => sum(outcomes)),
    failed: total(days, ({ outcomes }) => outcomes.failed ?? 0),
    liked: total(days, ({ feedback }) => feedback.positive ?? 0),
    disliked: total(days, ({ feedback }) => feedback.negative ?? 0),
  };
}

/** The day with the highest number; the earlier one of two. */
export function peak(rows: Row[], of: (row: Row) => number): { day: string; value: number } {
  const values = rows.map((row) => ({ day: row.day, value: of(row) }));
  return values.reduce((best, each) => (each.value > best.value ? each : best), {
    day: "",
    value: 0,
  });
}

/** The names of all models, the most used first. */
export const modelNames = (days: Day[]): string[] => {
  const answers = new Map<string, number>();
  for (const model of days.flatMap(({ models }) => models).filter(nameOf)) {
    answers.set(nameOf(model), (answers.get(nameOf(model)) ?? 0) + model.answers);
  }
  return [...answers].sort((one, other) => other[1] - one[1]).map(([name]) => name);
};

/** Empty for what no model has answered, such as a widget's action, which has no tokens or price. */
const nameOf = ({ provider, model }: ModelDay): string => `${provider} ${model}`.trim();

export function byModel(
  days: Day[],
  of: (model: ModelDay) => number,
): { rows: Row[]; series: Series[] } {
  const names = modelNames(days);
  const drawn = names.slice(0, MODELS);
  const series = drawn.map((label, at) => ({ key: `m${at}`, label, tone: `--tone-${at}` }));
  if (names.length > MODELS) series.push({ key: "rest", label: OTHERS, tone: "--page-muted" });
  const rows = days.map(({ day, models }) => {
    const row: Row = { day };
    for (const { key } of series) row[key] = 0;
    for (const model of models.filter(nameOf)) {
      const at = drawn.indexOf(nameOf(model));
      const key = at < 0 ? "rest" : `m${at}`;
      row[key] = Number(row[key]) + of(model);
    }
    return row;
  });
  return { rows, series };
}

/** The first token's times of one model, in milliseconds; `null` on days without an answer. */
export const firstTokens = (days: Day[], name: string): Row[] =>
  days.map(({ day, models }) => {
    const model = models.find((each) => nameOf(each) === name);
    return { day, p50: model?.firstTokenP50Ms ?? null, p90: model?.firstTokenP90Ms ?? null };
  });

/** Rows of named numbers, such as outcomes. Every one of `keys` has a number. */
export const counted = (
  days: Day[],
  of: (day: Day) => Record<string, number>,
  keys: string[],
): Row[] =>
  days.map((day) => ({
    day: day.day,
    ...Object.fromEntries(keys.map((key) => [key, of(day)[key] ?? 0])),
  }));

export function errorBars(days: Day[]): Bar[] {
  const all = new Map<string, number>();
  for (const [name, count] of days.flatMap(({ errors }) => Object.entries(errors))) {
    all.set(name, (all.get(name) ?? 0) + count);
  }
  return byCount([...all].map(([name, count]) => ({ name, count })));
}

export function toolBars(days: Day[]): Bar[] {
  const all = new Map<string, Required<Bar>>();
  for (const [name, { calls, failed }] of days.flatMap(({ tools }) => Object.entries(tools))) {
    const bar = all.get(name) ?? { name, count: 0, failed: 0 };
    all.set(name, { name, count: bar.count + calls, failed: bar.failed + failed });
  }
  return byCount([...all.values()]);
}

const byCount = (bars: Bar[]): Bar[] =>
  bars.sort((one, other) => other.count - one.count || one.name.localeCompare(other.name));
