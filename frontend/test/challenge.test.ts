import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { until } from "./wait";

const challenge = { script: "https://challenges.test/api.js", siteKey: "0x4", action: "enter" };
const removed: string[] = [];
let shown: Record<string, unknown> & { element: HTMLElement };
let solveChallenge: typeof import("../src/chatkit/challenge").solveChallenge;

const turnstile = {
  render(element: HTMLElement, options: Record<string, unknown>) {
    shown = { ...options, element };
    return "widget-1";
  },
  remove: (id: string) => removed.push(id),
};
const call = (name: string, ...given: unknown[]) =>
  (shown[name] as (...given: unknown[]) => unknown)(...given);

const script = () => until(() => document.querySelector<HTMLScriptElement>("script[src]"));

async function arrives() {
  const found = await script();
  vi.stubGlobal("turnstile", turnstile);
  found.dispatchEvent(new Event("load"));
  await until(() => shown);
}

beforeEach(async () => {
  removed.length = 0;
  shown = undefined as never;
  vi.resetModules();
  ({ solveChallenge } = await import("../src/chatkit/challenge"));
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.head.replaceChildren();
});

it("shows the widget in the element, and returns the token of the solved challenge", async () => {
  const element = document.createElement("div");
  const solving = solveChallenge(challenge, element, { scheme: "dark" });
  expect((await script()).src).toBe(challenge.script);
  await arrives();
  expect(shown).toMatchObject({ element, sitekey: "0x4", action: "enter", theme: "dark" });
  call("callback", "a token");
  expect(await solving).toBe("a token");
  expect(removed).toEqual(["widget-1"]);
});

it("loads the script once", async () => {
  const first = solveChallenge(challenge, document.createElement("div"));
  await arrives();
  call("callback", "one");
  await first;
  shown = undefined as never;
  const second = solveChallenge(challenge, document.createElement("div"));
  await until(() => shown);
  call("callback", "two");
  expect(await second).toBe("two");
  expect(document.querySelectorAll("script")).toHaveLength(1);
});

it("says that the script is blocked, and loads it anew the next time", async () => {
  const blocked = solveChallenge(challenge, document.createElement("div"));
  (await script()).dispatchEvent(new Event("error"));
  await expect(blocked).rejects.toMatchObject({
    name: "ChallengeError",
    message: expect.stringContaining("could not be loaded"),
  });
  const again = solveChallenge(challenge, document.createElement("div"));
  await arrives();
  call("callback", "a token");
  expect(await again).toBe("a token");
});

it.each([
  ["error-callback", ["300010"], "The check failed (300010)."],
  ["error-callback", [undefined], "The check failed."],
  ["unsupported-callback", [], "This browser cannot show the check."],
])("says what went wrong: %s %s", async (name, given, message) => {
  const solving = solveChallenge(challenge, document.createElement("div"));
  await arrives();
  call(name, ...given);
  await expect(solving).rejects.toMatchObject({ name: "ChallengeError", message });
  expect(removed).toEqual(["widget-1"]);
});

it("removes the widget when the page goes on without it", async () => {
  const ending = new AbortController();
  const solving = solveChallenge(challenge, document.createElement("div"), ending);
  await arrives();
  ending.abort();
  await expect(solving).rejects.toMatchObject({ name: "AbortError" });
  expect(removed).toEqual(["widget-1"]);
});
