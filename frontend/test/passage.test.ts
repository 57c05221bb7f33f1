/** A passage that an answer cites, in a dialog of the page. */
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import Passage from "../src/app/Passage";
import { until } from "./wait";

const FOUND = {
  title: "Returns",
  path: "shop/returns.pdf",
  headings: ["Returns", "How long"],
  page: 3,
  before: "What came before.",
  text: "Goods go back within 30 days.\n<b>Always.</b>",
  after: "",
  link: "https://files.example/returns.pdf?X-Amz-Signature=1#page=3",
};

let asked: string[];
let answer: () => Response | Promise<Response>;
let closed: number;
let root: ReturnType<typeof createRoot>;
let page: HTMLElement;

beforeEach(() => {
  [asked, closed] = [[], 0];
  page = document.body.appendChild(document.createElement("main"));
  root = createRoot(page);
});

afterEach(() => {
  root.unmount();
  page.remove();
});

async function open(id = "k:0a1b") {
  const server: typeof fetch = async (url) => {
    asked.push(String(url));
    return answer();
  };
  const entity = { id, title: "returns.pdf" };
  const onClose = () => {
    closed += 1;
  };
  root.render(createElement(Passage, { entity, chat: "/chatkit", fetch: server, onClose }));
  const dialog = await until(() => page.querySelector("dialog"));
  await until(() => asked.length > 0);
  return dialog;
}

it("shows the cited passage with its surroundings, its place and a link to the original", async () => {
  answer = () => Response.json(FOUND);
  const dialog = await open();
  const cited = await until(() => dialog.querySelector("mark"));
  expect(asked).toEqual(["/chatkit/knowledge/passages/0a1b"]);
  expect(dialog.open).toBe(true);
  expect(dialog.querySelector("h2")?.textContent).toBe("Returns");
  expect(dialog.textContent).toContain("shop/returns.pdf › Returns › How long › page 3");
  expect(cited.textContent).toBe(FOUND.text);
  expect(dialog.querySelectorAll("[role=document] p")).toHaveLength(1);
  const link = dialog.querySelector("a");
  expect(link?.href).toBe(FOUND.link);
  expect([link?.target, link?.rel]).toEqual(["_blank", "noopener"]);
});

it("says what the server says when the passage is not there any more", async () => {
  answer = () => Response.json({ message: "That passage does not exist." }, { status: 404 });
  const dialog = await open("k:a/b");
  const status = await until(() => dialog.querySelector("[role=status]"));
  await until(() => status.textContent === "That passage does not exist.");
  expect(asked).toEqual(["/chatkit/knowledge/passages/a%2Fb"]);
});

it("says so when the server cannot be reached, and tells the page when it is closed", async () => {
  answer = () => Promise.reject(new TypeError("offline"));
  const dialog = await open();
  await until(() => dialog.textContent?.includes("cannot be reached"));
  dialog.querySelector<HTMLButtonElement>("button[aria-label=Close]")?.click();
  await until(() => closed === 1);
});
