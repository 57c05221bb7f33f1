import { beforeEach, describe, expect, it } from "vitest";
import { answer, created, events, existing, mount, page, thread, userMessage } from "./chatkit";
import { until } from "./wait";

beforeEach(() => sessionStorage.clear());

describe("mentions", () => {
  it("are searched after @, chosen by keyboard, and sent as tags", async () => {
    const chat = await mount(() => events(created), {
      entities: {
        onTagSearch: async (query) =>
          [
            { id: "1", title: "Ada", group: "People" },
            { id: "2", title: "Bob" },
          ].filter(({ title }) => title.toLowerCase().startsWith(query)),
      },
    });
    chat.type("ask @a");
    chat.composer.setSelectionRange(6, 6);
    chat.composer.dispatchEvent(new Event("input"));
    await until(() => chat.root.querySelector('[role="option"]')?.textContent?.includes("Ada"));
    chat.submit();
    await until(() => chat.composer.value === "ask @Ada ");
    chat.submit();
    await until(() => chat.of("threads.create").length);
    expect(chat.of("threads.create")[0]?.params).toMatchObject({
      input: {
        content: [
          { type: "input_text", text: "ask " },
          { type: "input_tag", id: "1", text: "Ada", group: "People" },
        ],
      },
    });
  });
});

describe("history", () => {
  const threads = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...thread,
      id: `t${from + index}`,
      title: `Talk ${from + index}`,
    }));

  it("pages, renames and deletes", async () => {
    const chat = await mount(({ type, params }) => {
      if (type === "threads.list")
        return params.after ? page(threads(3, 1)) : page(threads(1, 2), "t2");
      return Response.json({});
    });
    await chat.element.showHistory();
    await chat.sees("Talk 2");
    (await chat.button("Show more")).click();
    await chat.sees("Talk 3");
    (await chat.button("Rename Talk 1")).click();
    const field = await chat.find<HTMLInputElement>('input[name="title"]');
    field.value = "Better";
    (await chat.button("Save")).click();
    await chat.sees("Better");
    expect(chat.of("threads.update")[0]?.params).toEqual({ thread_id: "t1", title: "Better" });
    (await chat.button("Delete Talk 2")).click();
    (await chat.button("Delete")).click();
    await until(() => !chat.text().includes("Talk 2"));
    expect(chat.of("threads.delete")[0]?.params).toEqual({ thread_id: "t2" });
  });

  it("keeps the focus where the keyboard was when what it was on is gone", async () => {
    const chat = await mount(({ type }) =>
      type === "threads.list" ? page(threads(1, 2)) : Response.json({}),
    );
    const focused = () => chat.root.activeElement?.textContent?.trim() ?? "";
    await chat.element.showHistory();
    const rename = await chat.button("Rename Talk 1");
    rename.focus();
    rename.click();
    await until(() => chat.root.activeElement?.getAttribute("name") === "title");
    (await chat.button("Save")).click();
    await until(() => focused().startsWith("Talk 1"));
    const remove = await chat.button("Delete Talk 2");
    remove.focus();
    remove.click();
    await until(() => focused() === "Keep");
    const sure = await chat.button("Delete");
    sure.focus();
    sure.click();
    await until(() => !chat.text().includes("Talk 2"));
    await until(() => focused() === "Close");
  });

  it("puts a title back that could not be changed", async () => {
    const chat = await mount(({ type }) =>
      type === "threads.list"
        ? page(threads(1, 1))
        : Response.json({ message: "Not now." }, { status: 409 }),
    );
    await chat.element.showHistory();
    (await chat.button("Rename Talk 1")).click();
    (await chat.find<HTMLInputElement>('input[name="title"]')).value = "Other";
    (await chat.button("Save")).click();
    await chat.sees("Not now.");
    await chat.sees("Talk 1");
  });
});

describe("a link for the page", () => {
  it("is handed to the page and not followed", async () => {
    const said = answer("m2", "[Write it](chatkit-link://compose?text=Dear%20Ada)");
    const chat = await mount(existing([userMessage("m1", "Hi"), said]), { initialThread: "thr_1" });
    const followed: unknown[] = [];
    chat.element.addEventListener("chatkit.deeplink", ({ detail }) => followed.push(detail));
    (await chat.find("a")).click();
    expect(followed).toEqual([{ name: "compose", data: { text: "Dear Ada" } }]);
  });
});

describe("the theme", () => {
  it("becomes the element's own properties", async () => {
    const chat = await mount(() => Response.json({}), {
      theme: {
        colorScheme: "dark",
        radius: "sharp",
        density: "compact",
        color: { accent: { primary: "#ff0000", level: 1 } },
        typography: { baseSize: 18 },
      },
    });
    expect(chat.element.dataset.scheme).toBe("dark");
    expect(chat.element.style.getPropertyValue("--accent")).toBe("#ff0000");
    expect(chat.element.style.getPropertyValue("--radius")).toBe("2px");
    expect(chat.element.style.fontSize).toBe("18px");
  });
});

describe("what the page can do with it", () => {
  it("sets the composer, picks model and tool, and sends them along", async () => {
    const chat = await mount(() => events(created), {
      composer: {
        models: [
          { id: "a", label: "A", default: true },
          { id: "b", label: "B" },
        ],
        tools: [{ id: "search", label: "Search", icon: "search" }],
      },
    });
    await chat.element.setComposerValue({
      text: "Hi",
      selectedToolId: "search",
      selectedModelId: "b",
    });
    await until(() => chat.composer.value === "Hi");
    chat.submit();
    await until(() => chat.of("threads.create").length);
    expect(chat.of("threads.create")[0]?.params).toMatchObject({
      input: { inference_options: { model: "b", tool_choice: { id: "search" } } },
    });
  });

  it("sends a message for the visitor, in a new thread if it likes", async () => {
    const chat = await mount(
      existing([userMessage("m1", "Old")], () => events(created)),
      { initialThread: "thr_1" },
    );
    await chat.sees("Old");
    await chat.element.sendUserMessage({ text: "New", newThread: true });
    expect(chat.of("threads.create")).toHaveLength(1);
  });
});
