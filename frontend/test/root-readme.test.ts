/** Runs the line of the repository's README that makes a tool of the page. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("the page's tool in the README answers with the time zone", () => {
  const [, line] = readFileSync("../README.md", "utf8").match(/```ts\n(.*?)```/s) ?? [];
  const call = new Function("name", "params", line ?? "");
  expect(call("time_zone", {})).toEqual({
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  expect(call("another", {})).toBeUndefined();
});
