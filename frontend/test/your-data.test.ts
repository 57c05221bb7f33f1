/** The dialog with a visitor's own data: to save it, and to delete it. */
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import YourData from "../src/app/YourData";
import { until } from "./wait";

const ID = "anon_0199b2c0d3e4";
const WHOLE = '{"user": "x", "entries": [\n\n], "complete": true}\n';

let answers: (() => Response | Promise<Response>)[];
let asked: string[];
let began: number;
let ended: number;
let root: ReturnType<typeof createRoot>;
let page: HTMLElement;

beforeEach(() => {
  [answers, asked, began, ended] = [[], [], 0, 0];
  page = document.body.appendChild(document.createElement("main"));
  root = createRoot(page);
  URL.createObjectURL = () => "blob:made";
  URL.revokeObjectURL = () => undefined;
});

afterEach(() => {
  root.unmount();
  page.remove();
});

async function open(signedIn = false) {
  const server: typeof fetch = async (url, init) => {
    asked.push(`${init?.method ?? "GET"} ${url}`);
    return (answers.shift() as () => Response)();
  };
  const session = { user: { id: ID }, signedIn, token: null, expiresAt: "" };
  const signOut = async () => {
    ended += 1;
  };
  const startAnew = () => {
    began += 1;
  };
  root.render(
    createElement(YourData, {
      chat: "/chatkit",
      fetch: server,
      session,
      signOut: signedIn ? signOut : null,
      onClose: () => undefined,
      startAnew,
    }),
  );
  return await until(() => page.querySelector("dialog"));
}

const button = (words: string) =>
  [...page.querySelectorAll("button")].find((each) => each.textContent === words) as
    | HTMLButtonElement
    | undefined;
const press = async (words: string) => (await until(() => button(words))).click();
const said = () => page.querySelector("[role=status]")?.textContent;

async function type(text: string) {
  const input = await until(() => page.querySelector("input"));
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set;
  set?.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

it("shows the id by which a visitor can ask about their data", async () => {
  const dialog = await open();
  await until(() => dialog.open);
  expect(dialog.querySelector("code")?.textContent).toBe(ID);
});

it("saves everything as a file", async () => {
  const clicked: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    clicked.push(`${this.download} ${this.href}`);
  });
  answers = [() => new Response(WHOLE)];
  await open();
  await press("Download my data");
  await until(() => said()?.startsWith("Your data is saved"));
  expect(asked).toEqual(["GET /chatkit/me/export"]);
  expect(clicked).toEqual(["my-data.json blob:made"]);
});

it.each([
  [() => new Response(WHOLE.slice(0, -20)), "The download broke off. Please try again."],
  [() => Response.json({ message: "Please wait." }, { status: 429 }), "Please wait."],
  [() => Promise.reject(new TypeError("no")), /cannot be reached/],
])("says why nothing was saved", async (answer, words) => {
  answers = [answer];
  await open();
  await press("Download my data");
  await until(() => said() && !said()?.startsWith("Your data is being"));
  expect(said()).toMatch(words);
  expect(button("Download my data")?.disabled).toBe(false);
});

it("deletes everything once the word was typed, in as many requests as it takes", async () => {
  answers = [
    () => Response.json({ done: false }, { status: 202 }),
    () => Response.json({ done: true }),
  ];
  await open();
  await press("Delete my data…");
  const deleting = await until(() => button("Delete everything"));
  expect(deleting.disabled).toBe(true);
  deleting.closest("form")?.requestSubmit();
  await type("Delete ");
  await until(() => !deleting.disabled);
  expect(asked).toEqual([]);
  deleting.click();
  await until(() => began === 1);
  expect(asked).toEqual(["POST /chatkit/me/delete", "POST /chatkit/me/delete"]);
});

it("tells whoever has signed in that their account stays, and signs them out", async () => {
  answers = [() => Response.json({ done: true })];
  const dialog = await open(true);
  await press("Delete my data…");
  await until(() => dialog.textContent?.includes("Your account stays where you sign in"));
  await type("delete");
  await until(() => button("Delete everything")?.disabled === false);
  await press("Delete everything");
  await until(() => ended === 1);
  expect(began).toBe(0);
});

it("says why nothing was deleted, and stays", async () => {
  answers = [() => Response.json({ message: "Please wait." }, { status: 429 })];
  await open();
  await press("Delete my data…");
  await type("delete");
  await until(() => button("Delete everything")?.disabled === false);
  await press("Delete everything");
  await until(() => said() === "Please wait.");
  expect(began).toBe(0);
});
