/** Charts: what is drawn, and what screen readers get. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { chart } from "../src/standin/widgets/chart";
import { existing, mount, widget } from "./chatkit";

const types = JSON.parse(
  readFileSync(resolve(import.meta.dirname, "../../tests/support/chatkit-types.json"), "utf8"),
);

beforeEach(() => sessionStorage.clear());

describe("a chart", () => {
  const data = [
    { month: "Jan", paid: 10, open: 5, left: -2 },
    { month: "Feb", paid: 20, open: 0, left: 4 },
    { month: "Mar", open: 10, left: 1 },
  ];
  const drawn = async (...series: object[]) => {
    const item = { type: "Chart", data, series, xAxis: "month", showYAxis: true };
    const chat = await mount(existing([widget("m", { type: "Card", children: [item] })]), {
      initialThread: "thr_1",
    });
    await chat.find(".w-chart table");
    return chat.find(".w-chart");
  };

  it.each<string>(types.series)("has a %s", async (type) => {
    const chart = await drawn({ type, dataKey: "paid", label: "Paid" });
    expect(chart.querySelector(`[data-series="${type}"]`)).not.toBeNull();
  });

  it.each<string>(types.curves)(
    "has a line of the kind %s through all its points",
    async (curveType) => {
      const chart = await drawn({ type: "line", dataKey: "open", label: "Open", curveType });
      const path = chart.querySelector(".line")?.getAttribute("d") ?? "";
      // The third category's centre, and 10 of 10: the top.
      expect(path).toContain("16.67,50");
      expect(path).toContain("83.33,0");
      expect(path).not.toMatch(/NaN|undefined/);
    },
  );

  it("is empty without rows, and says so where it cannot be drawn", async () => {
    const series = [{ type: "line", dataKey: "paid", label: "Paid" }];
    const empty = { type: "Chart", data: [], series, xAxis: "month" };
    const broken = { type: "Chart", data, series };
    const reported = vi.spyOn(globalThis, "reportError").mockReturnValue();
    const root = { type: "Card", children: [empty, broken] };
    const chat = await mount(existing([widget("m", root)]), { initialThread: "thr_1" });
    await chat.sees("This part of the conversation cannot be shown.");
    await chat.find(".w-chart table");
    expect(reported).toHaveBeenCalledOnce();
  });

  it("can be drawn into a figure that the page has removed meanwhile", () => {
    const component = { type: "Chart", data, series: [], xAxis: "month" };
    expect(() => chart(component, document.createElement("figure"))).not.toThrow();
  });

  it("stacks bars upon each other, and others beside each other", async () => {
    const stacked = { type: "bar", stack: "s" };
    const chart = await drawn(
      { ...stacked, dataKey: "paid", label: "Paid" },
      { ...stacked, dataKey: "open", label: "Open" },
    );
    const first = [...chart.querySelectorAll("g")].map((group) => group.querySelector("rect"));
    const [paid, open] = first.map((bar) =>
      ["x", "y", "height"].map((name) => Number(bar?.getAttribute(name))),
    );
    expect(paid?.[0]).toBe(open?.[0]);
    expect((open?.[1] ?? 0) + (open?.[2] ?? 0)).toBeCloseTo(paid?.[1] ?? -1);
  });

  it("has room below zero, and leaves out what is no number", async () => {
    const chart = await drawn({ type: "bar", dataKey: "left", label: null });
    expect(chart.querySelector(".w-chart-y")?.textContent).toContain("-2");
    const gap = await drawn({ type: "line", dataKey: "paid", label: "Paid", curveType: "linear" });
    expect(gap.querySelector(".line")?.getAttribute("d")).toBe("M16.67,50L50,0");
  });

  it("says its numbers to a screen reader, in a table", async () => {
    const chart = await drawn({ type: "bar", dataKey: "paid", label: "Paid" });
    const rows = [...chart.querySelectorAll("table tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent?.trim()),
    );
    expect(rows).toEqual([
      ["", "Paid"],
      ["Jan", "10"],
      ["Feb", "20"],
      ["Mar", ""],
    ]);
    expect(chart.querySelector("svg")?.closest('[aria-hidden="true"]')).not.toBeNull();
  });
});
