/** Yours to edit, together with `src/app/assistant.ts`: what the starter does with the page. */
import { expect, it, vi } from "vitest";
import { assistantOptions, onDeeplink, onEffect, type PageActions } from "../src/app/assistant";

function starter() {
  const page = {
    sendCustomAction: vi.fn<PageActions["sendCustomAction"]>(async () => undefined),
    setComposerValue: vi.fn<PageActions["setComposerValue"]>(async () => undefined),
    focusComposer: vi.fn<PageActions["focusComposer"]>(async () => undefined),
    setLook: vi.fn<PageActions["setLook"]>(),
    say: vi.fn<PageActions["say"]>(),
  };
  return { page, options: assistantOptions(() => page) };
}

type Item = Parameters<NonNullable<ReturnType<typeof assistantOptions>["onWidgetAction"]>>[1];
const item = { id: "card", widget: { type: "Card" } } as unknown as Item;

it("fills the composer or changes the look with each command", async () => {
  const { page, options } = starter();
  const { commands } = options;
  if (!commands?.enabled) throw new Error("The starter has commands.");
  const found = await commands.onSearch?.("");
  for (const command of found ?? []) {
    vi.clearAllMocks();
    await commands.onSelect?.(command);
    const filled = page.setComposerValue.mock.calls.map(([{ text }]) => text);
    expect(filled.filter(Boolean).length + page.setLook.mock.calls.length, command.id).toBe(1);
  }
  expect((await commands.onSearch?.("CHECK"))?.map(({ id }) => id)).toEqual(["checklist"]);
});

it("changes the look when the assistant asks for it", async () => {
  const { page, options } = starter();
  const call = { name: "switch_theme", params: { theme: "dark" } };
  expect(await options.onClientTool?.(call)).toEqual({ theme: "dark" });
  expect(page.setLook).toHaveBeenCalledWith("dark");
  expect(await options.onClientTool?.({ name: "fly", params: {} })).toHaveProperty("error");
});

it("changes the look for the appearance card, then tells the server", async () => {
  const { page, options } = starter();
  await options.onWidgetAction?.({ type: "theme.set", payload: { scheme: "dark" } }, item);
  expect(page.setLook).toHaveBeenCalledWith("dark");
  const applied = { type: "theme.applied", payload: { scheme: "dark" } };
  expect(page.sendCustomAction.mock.calls).toEqual([[applied, "card"]]);
});

it("passes every other action of a card on to the server", async () => {
  const { page, options } = starter();
  await options.onWidgetAction?.({ type: "other" }, item);
  expect(page.sendCustomAction.mock.calls).toEqual([[{ type: "other" }, "card"]]);
});

it("asks about a mention that is clicked", () => {
  const { page, options } = starter();
  options.onEntityClick?.({ id: "task", title: "Say hello" });
  expect(page.setComposerValue).toHaveBeenCalledWith({ text: "Tell me more about Say hello." });
  expect(page.focusComposer).toHaveBeenCalled();
});

it("announces a saved note, and ignores unknown effects", () => {
  const { page } = starter();
  onEffect("unknown", {}, page);
  onEffect("note_saved", { title: "Rivers" }, page);
  expect(page.say.mock.calls).toEqual([["Saved: Rivers"]]);
});

it("fills the composer from a link in an answer, and ignores unknown links", () => {
  const { page } = starter();
  onDeeplink("unknown", {}, page);
  onDeeplink("compose", { text: "Plan my week" }, page);
  expect(page.setComposerValue.mock.calls).toEqual([[{ text: "Plan my week" }]]);
});
