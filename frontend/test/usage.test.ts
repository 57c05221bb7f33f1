/** The line of a visitor's own use. */
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import Usage from "../src/app/Usage";
import { until } from "./wait";

const RESETS_AT = Date.UTC(2026, 0, 2) / 1000;

let limits: object[];
let asked: string[];
let refused: boolean;
let root: ReturnType<typeof createRoot>;
let page: HTMLElement;

const limit = (name: string, used: number, of: number, resets_at: number | null = RESETS_AT) => ({
  limit: name,
  used,
  of,
  resets_at,
});

const server: typeof fetch = async (url) => {
  asked.push(String(url));
  return refused ? Response.json({ message: "No." }, { status: 429 }) : Response.json({ limits });
};

beforeEach(() => {
  document.documentElement.lang = "en";
  [limits, asked, refused] = [[], [], false];
  page = document.body.appendChild(document.createElement("main"));
  root = createRoot(page);
});

afterEach(() => {
  root.unmount();
  page.remove();
});

const show = () => root.render(createElement(Usage, { chat: "/chatkit", fetch: server }));
const text = () => page.textContent?.trim();
const status = () => page.querySelector("[role=status]")?.textContent;

/** As the element does it: the event does not bubble. */
async function answerEnds() {
  const before = asked.length;
  const element = page.appendChild(document.createElement("openai-chatkit"));
  element.dispatchEvent(new CustomEvent("chatkit.response.end"));
  element.remove();
  await until(() => asked.length > before);
}

it("names the limit of the day that is nearest to its end", async () => {
  limits = [
    limit("messages_per_minute", 9, 10),
    limit("messages_per_day", 18, 200),
    limit("input_tokens_per_day", 1_200_000, 2_000_000),
    limit("answers_at_once", 3, 3, null),
    limit("of_a_newer_server_per_day", 9, 10),
  ];
  show();
  await until(() => text() === "1,200,000 of 2,000,000 tokens read for you today.");
  expect(asked).toEqual(["/chatkit/usage"]);
});

it.each([
  [limit("messages_per_day", 18, 200), "18 of 200 messages today."],
  [
    limit("output_tokens_per_day", 1_000, 400_000),
    "1,000 of 400,000 tokens written for you today.",
  ],
  [limit("upload_bytes_per_day", 12_400_000, 200_000_000), "12 of 200 MB of files today."],
  [limit("dollars_per_day", 0.125, 1), "$0.13 of $1.00 today."],
])("says it in words", async (one, words) => {
  limits = [one];
  show();
  await until(() => text() === words);
  expect(status()).toBe("");
});

it("is up to date after each answer, and is read out once when little is left", async () => {
  limits = [limit("messages_per_day", 3, 5)];
  show();
  await until(() => text() === "3 of 5 messages today.");
  limits = [limit("messages_per_day", 4, 5)];
  await answerEnds();
  await until(() => text()?.startsWith("4 of 5 messages today. Little is left"));
  const time = new Date(RESETS_AT * 1000).toLocaleTimeString("en", { timeStyle: "short" });
  expect(status()).toBe(`Little is left of your limit for today, which resets at ${time}.`);
  const changes: MutationRecord[] = [];
  const region = page.querySelector("[role=status]") as Element;
  const observer = new MutationObserver((found) => changes.push(...found));
  observer.observe(region, { childList: true, characterData: true, subtree: true });
  limits = [limit("messages_per_day", 5, 5)];
  await answerEnds();
  await until(() => text()?.startsWith("5 of 5 messages today. Little is left"));
  expect([...changes, ...observer.takeRecords()]).toEqual([]);
});

it("stays as it is when the server does not say", async () => {
  limits = [limit("messages_per_day", 3, 5)];
  show();
  await until(() => text() === "3 of 5 messages today.");
  refused = true;
  await answerEnds();
  refused = false;
  limits = [limit("messages_per_day", 4, 5)];
  expect(text()).toBe("3 of 5 messages today.");
  await answerEnds();
  await until(() => text()?.startsWith("4 of 5"));
});

it("is empty where the limits of a person are none of the day", async () => {
  limits = [limit("messages_per_minute", 1, 10)];
  show();
  await until(() => asked.length === 1);
  await answerEnds();
  expect(text()).toBe("");
});
