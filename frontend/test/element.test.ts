import { beforeEach, describe, expect, it } from "vitest";
import {
  answer,
  at,
  created,
  done,
  events,
  mount,
  type Operation,
  openStream,
  page,
  type Script,
  thread,
  userMessage,
  widget,
} from "./chatkit";
import { until } from "./wait";

beforeEach(() => sessionStorage.clear());

/** A thread that exists, with these items. */
const existing =
  (items: unknown[], rest: Script = () => Response.json({})): Script =>
  (operation) => {
    if (operation.type === "threads.get_by_id") return Response.json(thread);
    if (operation.type === "items.list") return page([...items].reverse());
    return rest(operation);
  };

describe("a message", () => {
  it("is shown at once, answered word by word, and the thread is announced", async () => {
    let stream!: ReturnType<typeof openStream>;
    const chat = await mount((operation) => {
      stream = openStream(operation);
      return stream.response;
    });
    chat.type("Hello");
    chat.submit();
    await chat.sees("You said: Hello");
    await until(() => stream);
    stream.push(created);
    stream.push(done(userMessage("m1", "Hello")));
    stream.push({ type: "thread.item.added", item: answer("m2", "") });
    const update = { type: "assistant_message.content_part.text_delta", content_index: 0 };
    stream.push({
      type: "thread.item.updated",
      item_id: "m2",
      update: { ...update, delta: "Good " },
    });
    await chat.sees("Good");
    expect(chat.text()).not.toContain("morning");
    stream.push({
      type: "thread.item.updated",
      item_id: "m2",
      update: { ...update, delta: "morning" },
    });
    await chat.sees("Good morning");
    stream.close();
    await chat.button("Send");
    expect(chat.root.querySelectorAll('[data-item="user_message"]')).toHaveLength(1);
    expect(chat.emitted).toContainEqual({ name: "thread.change", detail: { threadId: "thr_1" } });
    expect(chat.operations[0]?.params).toMatchObject({
      input: { content: [{ type: "input_text", text: "Hello" }], attachments: [] },
    });
  });

  it("that is refused comes back into the composer, with the server's words", async () => {
    const chat = await mount(() => Response.json({ message: "Too long." }, { status: 422 }));
    chat.type("A precious text");
    chat.submit();
    await chat.sees("Too long.");
    await until(() => chat.composer.value === "A precious text");
  });

  it("that was not sent survives a reload", async () => {
    const script: Script = () => Response.json({});
    (await mount(script)).type("half a thou");
    const reloaded = await mount(script);
    expect(reloaded.composer.value).toBe("half a thou");
  });

  it("is not sent while it is empty", async () => {
    const chat = await mount(() => Response.json({}));
    chat.type("   ");
    chat.submit();
    expect(chat.operations).toEqual([]);
  });
});

describe("an answer", () => {
  it("can be stopped, keeps what there is, and aborts the request", async () => {
    let operation!: Operation;
    const chat = await mount((asked) => {
      operation = asked;
      const stream = openStream(asked);
      stream.push(created);
      stream.push({ type: "thread.item.added", item: answer("m2", "Once upon") });
      return stream.response;
    });
    chat.type("A story");
    chat.submit();
    await chat.sees("Once upon");
    (await chat.button("Stop")).click();
    await until(() => operation.signal?.aborted);
    await chat.button("Send");
    expect(chat.text()).toContain("Once upon");
    expect(chat.root.querySelector('[role="alert"]')).toBeNull();
  });

  it("cannot be stopped where the server says so", async () => {
    const chat = await mount((asked) => {
      const stream = openStream(asked);
      stream.push({ type: "stream_options", stream_options: { allow_cancel: false } });
      stream.push({ type: "progress_update", text: "Looking around" });
      return stream.response;
    });
    chat.type("x");
    chat.submit();
    await chat.sees("Looking around");
    expect(chat.root.querySelector("[data-stop]")).toBeNull();
  });

  it("that fails shows why, and is asked for again", async () => {
    const chat = await mount(({ type }) =>
      type === "threads.retry_after_item"
        ? events(done(answer("m3", "Second try")))
        : events(created, done(userMessage("m1", "Hi")), {
            type: "error",
            code: "custom",
            message: "The model is busy.",
            allow_retry: true,
          }),
    );
    chat.type("Hi");
    chat.submit();
    await chat.sees("The model is busy.");
    (await chat.button("Try again")).click();
    await chat.sees("Second try");
    expect(chat.of("threads.retry_after_item")[0]?.params).toEqual({
      thread_id: "thr_1",
      item_id: "m1",
    });
    expect(chat.text()).not.toContain("busy");
  });

  it("whose connection breaks is loaded again, because it may be whole on the server", async () => {
    const chat = await mount((asked) => {
      if (asked.type === "threads.get_by_id") return Response.json(thread);
      if (asked.type === "items.list")
        return page([answer("m2", "Whole"), userMessage("m1", "Hi")]);
      const stream = openStream(asked);
      stream.push(created);
      stream.push(done(userMessage("m1", "Hi")));
      setTimeout(() => stream.break(), 20);
      return stream.response;
    });
    chat.type("Hi");
    chat.submit();
    await chat.sees("The connection was lost.");
    await chat.sees("Whole");
  });

  it("brings notices and effects", async () => {
    const chat = await mount(() =>
      events(
        created,
        { type: "notice", level: "warning", title: "Nearly", message: "**9** of 10 used" },
        { type: "client_effect", name: "wave", data: { n: 1 } },
      ),
    );
    chat.type("Hi");
    chat.submit();
    await chat.sees("Nearly");
    expect(chat.root.querySelector(".notice strong + .markdown strong")?.textContent).toBe("9");
    expect(chat.emitted).toContainEqual({
      name: "effect",
      detail: { name: "wave", data: { n: 1 } },
    });
  });

  it("that waits for the page's tool gets the tool's result", async () => {
    const call = {
      ...at,
      id: "c1",
      type: "client_tool_call",
      status: "pending",
      call_id: "x",
      name: "look",
      arguments: { far: true },
    };
    const chat = await mount(
      ({ type }) =>
        type === "threads.create"
          ? events(created, done(call))
          : events(done(answer("m2", "I saw it"))),
      { onClientTool: async ({ name, params }) => ({ name, ...params }) },
    );
    chat.type("Look");
    chat.submit();
    await chat.sees("I saw it");
    expect(chat.of("threads.add_client_tool_output")[0]?.params).toEqual({
      thread_id: "thr_1",
      result: { name: "look", far: true },
    });
  });
});

describe("a thread", () => {
  it("is opened by its id, the newest items first asked for and the earlier on demand", async () => {
    const chat = await mount(
      ({ type, params }) => {
        if (type === "threads.get_by_id") return Response.json(thread);
        if (params.after) return page([userMessage("m0", "The very first")]);
        return page([answer("m2", "Yes."), userMessage("m1", "Really?")], "m1");
      },
      { initialThread: "thr_1" },
    );
    await chat.sees("Really?");
    await chat.sees("A title");
    (await chat.button("Show earlier messages")).click();
    await chat.sees("The very first");
    const order = [...chat.root.querySelectorAll("[data-item]")].map((item) =>
      item.textContent?.trim(),
    );
    expect(order.join(" ")).toMatch(/very first.*Really\?.*Yes\./s);
  });

  it("that is gone leads to a new one and says so", async () => {
    const gone: Script = () => Response.json({ message: "Not found." }, { status: 404 });
    const chat = await mount(gone, { initialThread: "thr_9" });
    await chat.sees("does not exist any more");
    expect(chat.emitted.at(-1)).toEqual({ name: "thread.change", detail: { threadId: null } });
  });

  it("that is locked takes no message and says why", async () => {
    const locked = { ...thread, status: { type: "locked", reason: "Being reviewed." } };
    const chat = await mount(
      ({ type }) => (type === "items.list" ? page([]) : Response.json(locked)),
      { initialThread: "thr_1" },
    );
    await chat.sees("Being reviewed.");
    expect(chat.root.querySelector("textarea[data-composer]")).toBeNull();
  });

  it("says that its answer is being written elsewhere, and shows it when it is there", async () => {
    let over = false;
    const script: Script = ({ type }) => {
      const running = over ? "" : `run_1 ${Date.now() + 60_000}`;
      const items = [...(over ? [answer("m2", "Done.")] : []), userMessage("m1", "Slow?")];
      const response = type === "items.list" ? page(items) : Response.json(thread);
      response.headers.set("x-chatkit-running", running);
      return response;
    };
    const chat = await mount(script, { initialThread: "thr_1" });
    await chat.find("[data-running]");
    over = true;
    await chat.element.fetchUpdates();
    await chat.sees("Done.");
    expect(chat.root.querySelector("[data-running]")).toBeNull();
  });

  it("whose last question was never answered offers to answer it", async () => {
    const chat = await mount(
      existing([userMessage("m1", "Hello?")], () => events(done(answer("m2", "Here I am.")))),
      { initialThread: "thr_1" },
    );
    (await chat.button("Answer now")).click();
    await chat.sees("Here I am.");
    expect(chat.root.querySelector("[data-unanswered]")).toBeNull();
  });
});

describe("a turn's actions", () => {
  it("give feedback about all of its answers", async () => {
    const items = [userMessage("m1", "Hi"), answer("m2", "One"), answer("m3", "Two")];
    const chat = await mount(existing(items), {
      initialThread: "thr_1",
      threadItemActions: { feedback: true },
    });
    const good = await chat.button("Good answer");
    good.click();
    await until(() => good.getAttribute("aria-pressed") === "true");
    expect(chat.of("items.feedback")[0]?.params).toEqual({
      thread_id: "thr_1",
      item_ids: ["m2", "m3"],
      kind: "positive",
    });
  });
});

describe("structured input", () => {
  const questions = {
    ...at,
    id: "q",
    type: "structured_input",
    status: "pending",
    inputs: [
      { id: "goal", type: "freeform", question: "What for?" },
      {
        id: "depth",
        type: "multiple_choice",
        question: "How much?",
        options: [{ value: "All" }, { value: "Some" }],
      },
    ],
  };

  it("is answered with choices and words", async () => {
    const chat = await mount(
      existing([userMessage("m1", "Hi"), questions], () =>
        events({ type: "thread.item.replaced", item: { ...questions, status: "answered" } }),
      ),
      { initialThread: "thr_1" },
    );
    (await chat.find<HTMLTextAreaElement>(".question textarea")).value = "A trip";
    (await chat.find<HTMLInputElement>('input[value="Some"]')).checked = true;
    (await chat.button("Answer")).click();
    await until(() => chat.of("threads.add_structured_input").length);
    expect(chat.of("threads.add_structured_input")[0]?.params).toEqual({
      thread_id: "thr_1",
      item_id: "q",
      input: {
        status: "answered",
        answers: {
          goal: { values: ["A trip"], skipped: false },
          depth: { values: ["Some"], skipped: false },
        },
      },
    });
  });

  it("can be skipped", async () => {
    const chat = await mount(
      existing([questions], () =>
        events({ type: "thread.item.replaced", item: { ...questions, status: "skipped" } }),
      ),
      { initialThread: "thr_1" },
    );
    (await chat.button("Skip")).click();
    await chat.sees("skipped");
    expect(chat.of("threads.add_structured_input")[0]?.params.input).toEqual({
      status: "skipped",
      answers: {},
    });
  });
});

describe("a widget", () => {
  const checkbox = (done: boolean) => ({
    type: "Card",
    children: [
      {
        type: "Checkbox",
        name: "milk",
        label: "Milk",
        defaultChecked: done,
        onChangeAction: { type: "tick", payload: { id: 1 }, streaming: false },
      },
      { type: "Badge", label: done ? "all done" : "1 open" },
    ],
  });

  it("is changed in place by a sync action", async () => {
    const chat = await mount(
      existing([widget("w1", checkbox(false))], () =>
        Response.json({ updated_item: widget("w1", checkbox(true)) }),
      ),
      { initialThread: "thr_1" },
    );
    (await chat.find<HTMLInputElement>('input[name="milk"]')).click();
    await chat.sees("all done");
    expect(chat.of("threads.sync_custom_action")[0]?.params).toEqual({
      thread_id: "thr_1",
      item_id: "w1",
      action: { type: "tick", payload: { id: 1, milk: true } },
    });
  });

  it("goes back to what it was when its action is refused, with the server's words", async () => {
    const chat = await mount(
      existing([widget("w1", checkbox(false))], () =>
        Response.json({ message: "Somebody else was faster." }, { status: 409 }),
      ),
      { initialThread: "thr_1" },
    );
    (await chat.find<HTMLInputElement>('input[name="milk"]')).click();
    await chat.sees("Somebody else was faster.");
    await until(
      () => chat.root.querySelector<HTMLInputElement>('input[name="milk"]')?.checked === false,
    );
  });

  it("sends its form's fields with the action, and nothing before the required ones are there", async () => {
    const form = {
      type: "Card",
      children: [
        {
          type: "Form",
          onSubmitAction: { type: "save", payload: { id: 7 } },
          children: [
            { type: "Input", name: "who", required: true },
            {
              type: "Select",
              name: "size",
              options: [
                { value: "s", label: "S" },
                { value: "m", label: "M" },
              ],
              defaultValue: "m",
            },
            { type: "Checkbox", name: "gift", label: "A gift" },
            {
              type: "RadioGroup",
              name: "pay",
              options: [{ value: "card", label: "Card" }],
              defaultValue: "card",
            },
            { type: "Button", submit: true, label: "Save" },
          ],
        },
      ],
    };
    const chat = await mount(
      existing([widget("w1", form)], () => events(done(answer("m2", "Saved")))),
      { initialThread: "thr_1" },
    );
    const save = await chat.button("Save");
    save.click();
    expect(chat.of("threads.custom_action")).toEqual([]);
    (await chat.find<HTMLInputElement>('input[name="who"]')).value = "Ada";
    save.click();
    await chat.sees("Saved");
    expect(chat.of("threads.custom_action")[0]?.params.action).toEqual({
      type: "save",
      payload: { id: 7, who: "Ada", size: "m", gift: false, pay: "card" },
    });
  });

  it("hands a client action to the page, which goes on to the server", async () => {
    const button = {
      type: "Card",
      children: [
        {
          type: "Button",
          label: "Dark",
          onClickAction: { type: "theme.set", handler: "client", payload: { scheme: "dark" } },
        },
      ],
    };
    const handled: unknown[] = [];
    const chat = await mount(
      existing([widget("w1", button)], () => events()),
      {
        initialThread: "thr_1",
        widgets: {
          onAction: async (action, item) => {
            handled.push([action, item.id]);
            await chat.element.sendCustomAction({ type: "theme.applied" }, item.id);
          },
        },
      },
    );
    (await chat.button("Dark")).click();
    await until(() => chat.of("threads.custom_action").length);
    expect(handled).toEqual([[{ type: "theme.set", payload: { scheme: "dark" } }, "w1"]]);
    expect(chat.of("threads.custom_action")[0]?.params).toMatchObject({
      item_id: "w1",
      action: { type: "theme.applied" },
    });
  });

  it("lets a list's item be chosen, and shows the rest on demand", async () => {
    const list = {
      type: "ListView",
      limit: 1,
      children: ["Sea", "City"].map((value) => ({
        type: "ListViewItem",
        onClickAction: { type: "pick", payload: { value } },
        children: [{ type: "Text", value }],
      })),
    };
    const chat = await mount(
      existing([widget("w1", list)], () => events(done(answer("m9", "To the sea!")))),
      { initialThread: "thr_1" },
    );
    await chat.sees("Show 1 more");
    (await chat.button("Sea")).click();
    await chat.sees("To the sea!");
  });
});

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
