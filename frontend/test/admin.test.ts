/** The page /admin: what is computed of a report, and what people see of it. */
import { act, createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import Admin from "../src/admin/Admin";
import {
  byModel,
  type Day,
  daysOf,
  errorBars,
  firstTokens,
  type ModelDay,
  peak,
  type Report,
  toolBars,
} from "../src/admin/report";
import { until } from "./wait";

const model = (name: string, of: Partial<ModelDay> = {}): ModelDay => ({
  model: name,
  provider: "openai",
  answers: 1,
  inputTokens: 100,
  outputTokens: 10,
  cachedTokens: 40,
  dollars: 0.5,
  firstTokenP50Ms: 400,
  firstTokenP90Ms: 900,
  ...of,
});

const day = (date: string, of: Partial<Day> = {}): Day => ({
  day: date,
  people: 2,
  messages: 5,
  outcomes: { completed: 4, failed: 1 },
  errors: { RateLimitError: 1 },
  feedback: { positive: 2, negative: 1 },
  tools: { clock: { calls: 1, failed: 0 }, search_knowledge: { calls: 3, failed: 1 } },
  models: [model("gpt-5")],
  ...of,
});

const report = (...days: Day[]): Report => ({
  from: "2026-10-31",
  to: "2026-11-02",
  days,
  questions: [],
});

describe("a report", () => {
  it("has all days from the first to the last, those without anything too", () => {
    const days = daysOf(report(day("2026-11-01")));
    expect(days.map(({ day, messages }) => [day, messages])).toEqual([
      ["2026-10-31", 0],
      ["2026-11-01", 5],
      ["2026-11-02", 0],
    ]);
  });

  it("draws six models, the most used ones, and all others as one", () => {
    const models = [..."abcdefgh"].map((name, at) => model(name, { answers: 10 - at }));
    const { rows, series } = byModel([day("2026-11-01", { models })], ({ dollars }) => dollars);
    expect(series.map(({ label }) => label)).toEqual([
      ..."abcdef".split("").map((name) => `openai ${name}`),
      "others",
    ]);
    expect(rows).toEqual([
      { day: "2026-11-01", m0: 0.5, m1: 0.5, m2: 0.5, m3: 0.5, m4: 0.5, m5: 0.5, rest: 1 },
    ]);
  });

  it("keeps models of one name at two providers apart", () => {
    const models = [model("m"), model("m", { provider: "gemini", firstTokenP50Ms: 7 })];
    const days = [day("2026-11-01", { models }), day("2026-11-02", { models: [] })];
    expect(byModel(days, ({ answers }) => answers).series).toHaveLength(2);
    // What no model has answered has neither name nor provider.
    const more = [...days, day("2026-11-03", { models: [model("", { provider: "" })] })];
    expect(byModel(more, ({ answers }) => answers)).toEqual({
      ...byModel(days, ({ answers }) => answers),
      rows: expect.arrayContaining([{ day: "2026-11-03", m0: 0, m1: 0 }]),
    });
    expect(firstTokens(days, "gemini m")).toEqual([
      { day: "2026-11-01", p50: 7, p90: 900 },
      { day: "2026-11-02", p50: null, p90: null },
    ]);
  });

  it("adds up tools and errors, the most frequent first", () => {
    const days = [
      day("2026-11-01"),
      day("2026-11-02", { errors: { APITimeoutError: 5, RateLimitError: 1 } }),
    ];
    expect(toolBars(days)).toEqual([
      { name: "search_knowledge", count: 6, failed: 2 },
      { name: "clock", count: 2, failed: 0 },
    ]);
    expect(errorBars(days)).toEqual([
      { name: "APITimeoutError", count: 5 },
      { name: "RateLimitError", count: 2 },
    ]);
  });

  it("names no day as the busiest when nothing happened", () => {
    expect(peak([{ day: "2026-11-01", n: 0 }], ({ n }) => Number(n))).toEqual({
      day: "",
      value: 0,
    });
  });
});

describe("the page", () => {
  let asked: string[];
  let answer: () => Response | Promise<Response>;
  let root: ReturnType<typeof createRoot>;
  let page: HTMLElement;

  const server: typeof fetch = async (url) => {
    asked.push(String(url));
    return answer();
  };

  beforeEach(() => {
    document.documentElement.lang = "en";
    asked = [];
    page = document.body.appendChild(document.createElement("main"));
    root = createRoot(page);
  });

  afterEach(() => {
    root.unmount();
    page.remove();
  });

  const show = async (...texts: string[]) => {
    root.render(createElement(Admin, { chat: "/chatkit", fetch: server }));
    for (const text of texts) await until(() => page.textContent?.includes(text));
  };
  const figure = (title: string): Element => {
    const found = [...page.querySelectorAll(".figure")].find(
      (each) => each.querySelector("h2")?.textContent === title,
    );
    if (!found) throw new Error(`There is no ${title}.`);
    return found;
  };

  it("asks for 30 days, shows sums in words, and each plot's numbers in a table", async () => {
    answer = () => Response.json(report(day("2026-10-31"), day("2026-11-02", { messages: 9 })));
    await show("14 messages. Most on Nov 2: 9.", "$1.00", "10 runs, of which 2 failed (20%).");
    expect(asked).toEqual(["/chatkit/report?days=30"]);
    const messages = figure("Messages");
    expect(messages.querySelector("svg")?.getAttribute("aria-label")).toBe("Messages");
    expect(messages.querySelector("details")?.open).toBe(false);
    const rows = [...messages.querySelectorAll("tbody tr")].map(({ textContent }) => textContent);
    expect(rows).toEqual(["Nov 2, 20269", "Nov 1, 20260", "Oct 31, 20265"]);
    const first = [...figure("Time to the first token").querySelectorAll("tbody tr")];
    expect(first[1]?.textContent).toBe("Nov 1, 2026––");
  });

  it("asks again for another period, and the answer for an earlier one changes nothing", async () => {
    let arrive: (response: Response) => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    await show("loading");
    await until(() => asked.length);
    answer = () => Response.json(report(day("2026-11-01", { messages: 7 })));
    page.querySelector<HTMLInputElement>("input[type=radio]")?.click();
    await until(() => page.textContent?.includes("7 messages"));
    expect(asked).toEqual(["/chatkit/report?days=30", "/chatkit/report?days=7"]);
    const late = Response.json(report(day("2026-11-01", { messages: 30 })));
    // React has drawn what the answer changes when `act` returns.
    vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
    await act(async () => {
      arrive(late);
      await until(() => late.bodyUsed);
    });
    vi.unstubAllGlobals();
    expect(page.textContent).toContain("7 messages");
  });

  it("shows why a question is listed, where, and its text where the server has it", async () => {
    const question = { at: "2026-11-01T10:00:00Z", thread: "thr_1", item: "msg_1" };
    const questions = [
      { ...question, why: "thumb down", text: "Why so slow?" },
      { ...question, why: "no source", text: null },
    ];
    answer = () => Response.json({ ...report(day("2026-11-01")), questions });
    await show("Why so slow?");
    const rows = [...figure("Questions to look at").querySelectorAll("tbody tr")];
    expect(rows.map(({ textContent }) => textContent)).toEqual([
      expect.stringMatching(/Nov 1, 2026.*thumb downWhy so slow\?thr_1/),
      expect.stringMatching(/no sourcethr_1/),
    ]);
  });

  it("says that nothing happened", async () => {
    answer = () => Response.json(report());
    await show("Nothing happened in this time");
    expect(page.querySelector("svg")).toBeNull();
  });

  it("says who may see it to somebody without the role", async () => {
    answer = () => Response.json({ message: "You need the role admin." }, { status: 403 });
    await show("You may not see this report", "the role admin", "You need the role admin.");
    expect(page.querySelector("a")?.getAttribute("href")).toBe("/");
  });

  it("asks again when it was not reached", async () => {
    answer = () => Promise.reject(new TypeError("no network"));
    await show("The report cannot be reached");
    answer = () => Response.json(report(day("2026-11-01")));
    page.querySelector("button")?.click();
    await until(() => page.textContent?.includes("5 messages"));
  });
});
