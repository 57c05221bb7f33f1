/** Yours to edit, like the texts in `brand.ts`: what the page `/admin` says. It loads with it. */
import type { Totals } from "./report";

const locale = () => document.documentElement.lang || undefined;

export const whole = (value: number): string => Math.round(value).toLocaleString(locale());
export const dollars = (value: number): string =>
  value.toLocaleString(locale(), {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: value < 0.01 ? 4 : 2,
  });
export const milliseconds = (value: number): string => `${whole(value)} ms`;
export const short = (value: number): string =>
  value.toLocaleString(locale(), { notation: "compact", maximumSignificantDigits: 3 });

/** A date of UTC, such as 2026-11-26. */
export const dayName = (day: string, long = false): string =>
  new Date(day).toLocaleDateString(locale(), {
    timeZone: "UTC",
    day: "numeric",
    month: "short",
    ...(long && { year: "numeric" }),
  });
export const moment = (at: string): string =>
  new Date(at).toLocaleString(locale(), {
    timeZone: "UTC",
    dateStyle: "medium",
    timeStyle: "short",
  });

const share = (part: number, of: number): string =>
  (of ? part / of : 0).toLocaleString(locale(), { style: "percent", maximumFractionDigits: 1 });
const times = (count: number, one: string, more: string): string =>
  `${whole(count)} ${count === 1 ? one : more}`;
const most = (day: string, value: string): string =>
  day ? ` Most on ${dayName(day)}: ${value}.` : "";

export const texts = {
  title: "Use and quality",
  period: "Period",
  days: (count: number) => `${count} days`,
  range: (from: string, to: string) => `${dayName(from, true)} to ${dayName(to, true)}, UTC`,
  loading: "The report is loading…",
  empty: {
    title: "Nothing happened in this time",
    text: "As soon as somebody writes a message, it is counted here, some seconds later.",
  },
  refused: {
    title: "You may not see this report",
    text: "You need a sign-in that has the role admin, or the one that CHATKIT_ADMIN_ROLE names. Whoever manages your accounts can give you this role; then sign out, and in again.",
    here: "On your own machine: make dev SIGN_IN=demo, and sign in as Grace Hopper.",
  },
  unreachable: {
    title: "The report cannot be reached",
    text: "The server does not answer. Please try again in a moment.",
  },
  tryAgain: "Try again",
  toChat: "To the chat",
  table: "Numbers",
  tableOf: (title: string) => `Numbers: ${title}`,
  day: "Day",

  totals: "In all",
  tiles: {
    messages: "messages",
    people: "people on the busiest day",
    runs: "runs: answers and actions",
    failed: "of them failed",
    liked: "thumbs up",
    disliked: "thumbs down",
    dollars: "cost of models",
    tokens: "tokens read and written",
  } satisfies Record<string, string>,
  failedShare: ({ failed, runs }: Totals) => share(failed, runs),

  messages: {
    title: "Messages",
    series: "messages",
    summary: (count: number, day: string, value: number) =>
      `${times(count, "message", "messages")}.${most(day, whole(value))}`,
  },
  people: {
    title: "People",
    series: "people",
    summary: (day: string, value: number) =>
      `Who was answered on each day. Whoever writes on two days is counted on both.${most(day, whole(value))}`,
  },
  tokens: {
    title: "Tokens by model",
    summary: ({ read, written, cached }: Totals) =>
      `${short(read)} read, of which the providers had kept ${short(cached)}, and ${short(written)} written.`,
  },
  dollars: {
    title: "Dollars by model",
    summary: (sum: number, day: string, value: number) =>
      `${dollars(sum)}.${most(day, dollars(value))}`,
  },
  firstToken: {
    title: "Time to the first token",
    model: "Model",
    p50: "half within (p50)",
    p90: "nine of ten within (p90)",
    summary: (model: string, day: string, worst: number) =>
      day
        ? `Of ${model}. Its slowest day was ${dayName(day)}: nine of ten answers began within ${milliseconds(worst)}.`
        : `${model} has not answered.`,
  },
  outcomes: {
    title: "How runs ended",
    names: {
      completed: "completed",
      waiting: "waits for a person",
      stopped: "stopped",
      failed: "failed",
    } as Record<string, string>,
    summary: ({ runs, failed }: Totals) =>
      `${times(runs, "run", "runs")}, of which ${whole(failed)} failed (${share(failed, runs)}).`,
  },
  errors: { title: "Errors", name: "Kind", count: "Times", none: "No run has failed." },
  feedback: {
    title: "Feedback",
    positive: "thumbs up",
    negative: "thumbs down",
    summary: ({ liked, disliked }: Totals) =>
      `${times(liked, "thumb", "thumbs")} up and ${whole(disliked)} down.`,
  },
  tools: {
    title: "Tools",
    name: "Tool",
    count: "Calls",
    failed: "Failed",
    none: "No tool was called.",
  },
  questions: {
    title: "Questions to look at",
    text: "Whose answer got a thumb down, or was searched for in documents and cites none. make table THREAD=… shows the conversation.",
    at: "When (UTC)",
    why: "Why",
    question: "Question",
    thread: "Conversation",
    none: "There are none.",
    whys: { "thumb down": "thumb down", "no source": "no source" } as Record<string, string>,
  },
};
