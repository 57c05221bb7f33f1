import { beforeEach, describe, expect, it } from "vitest";
import {
  answer,
  at,
  created,
  done,
  events,
  existing,
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

  it("that was stopped stays on the screen until the server has stored it, with its title", async () => {
    let stored = false;
    const chat = await mount((asked) => {
      const running = new Headers(
        stored ? {} : { "x-chatkit-running": `r ${Date.now() + 60_000}` },
      );
      if (asked.type === "threads.get_by_id") return Response.json(thread, { headers: running });
      const items = [
        ...(stored ? [answer("m2", "Once upon a")] : []),
        userMessage("m1", "A story"),
      ];
      if (asked.type === "items.list") return page(items);
      const stream = openStream(asked);
      stream.push({ ...created, thread: { ...thread, title: null } });
      stream.push(done(userMessage("m1", "A story")));
      stream.push({ type: "thread.item.added", item: answer("m2", "Once upon") });
      return stream.response;
    });
    chat.type("A story");
    chat.submit();
    await chat.sees("Once upon");
    (await chat.button("Stop")).click();
    await until(() => chat.of("items.list").length === 1);
    await chat.button("Send");
    expect(chat.text()).toContain("Once upon");
    expect(chat.root.querySelector("[data-running]")).toBeNull();
    stored = true;
    await chat.element.fetchUpdates();
    await chat.sees("Once upon a");
    await chat.sees("A title");
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

  it("that is asked for again and refused leaves the earlier one", async () => {
    const items = [userMessage("m1", "Hi"), answer("m2", "The first answer")];
    const chat = await mount(
      existing(items, () => Response.json({ message: "Come back tomorrow." }, { status: 429 })),
      { initialThread: "thr_1", threadItemActions: { retry: true } },
    );
    (await chat.button("Answer again")).click();
    await chat.sees("Come back tomorrow.");
    expect(chat.of("threads.retry_after_item")).toHaveLength(1);
    await chat.sees("The first answer");
  });

  it("that is written for a request sent before is shown when it is there", async () => {
    let over = false;
    const chat = await mount(({ type }) => {
      const question = userMessage("m1", "Hi");
      const running = over ? "" : `run_1 ${Date.now() + 60_000}`;
      const response =
        type === "threads.create"
          ? events(created)
          : type === "items.list"
            ? page([...(over ? [answer("m2", "Here it is.")] : []), question])
            : Response.json(thread);
      response.headers.set("x-chatkit-running", running);
      return response;
    });
    chat.type("Hi");
    chat.submit();
    await chat.find("[data-running]");
    await until(() => chat.of("items.list").length === 1);
    await chat.sees("You said: Hi");
    expect(chat.composer.value).toBe("");
    over = true;
    await chat.element.fetchUpdates();
    await chat.sees("Here it is.");
    expect(chat.root.querySelector("[data-running]")).toBeNull();
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

describe("a page that can do nothing", () => {
  it("says so to the assistant and to the visitor", async () => {
    const call = { ...at, id: "c1", type: "client_tool_call", status: "pending", name: "look" };
    const press = {
      type: "Button",
      label: "Dark",
      onClickAction: { type: "x", handler: "client" },
    };
    const chat = await mount(({ type }) =>
      type === "threads.create"
        ? events(created, done(widget("w1", { type: "Card", children: [press] })), done(call))
        : events(done(answer("m2", "Understood"))),
    );
    chat.type("Look");
    chat.submit();
    await chat.sees("Understood");
    expect(chat.of("threads.add_client_tool_output")[0]?.params).toMatchObject({
      result: { error: "This page has no tool named look." },
    });
    (await chat.button("Dark")).click();
    await chat.sees("This page cannot do that.");
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

describe("a screen reader", () => {
  const announced = async (...answers: unknown[]) => {
    const items = [userMessage("m1", "Old?"), answer("m2", "The old answer")];
    const chat = await mount(existing([...items, userMessage("m3", "New?"), ...answers]), {
      initialThread: "thr_1",
    });
    await chat.sees("New?");
    return (await chat.find(".unseen[role=status]")).textContent;
  };

  it("gets the words of an answer without the signs of Markdown", async () => {
    const text =
      "# Plan\n\n**Bold** and `code`, a [link](https://a.test) and ![a cat](b.png)\n\n" +
      "- [x] one\n  1. *two*\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x\n```\n\n---";
    expect(await announced(answer("m4", text))).toBe(
      "Plan\nBold and code, a link and a cat\none\ntwo\nsaid\na, b\n1, 2\nlet x",
    );
  });

  it("gets what a card says, and not the answer before it once more", async () => {
    const card = widget("m4", { type: "Card", children: [] });
    expect(await announced({ ...card, copy_text: "Two to do" })).toBe("Two to do");
    expect(await announced(card)).toBe("");
  });
});

describe("an item that cannot be drawn", () => {
  const deep = (levels: number): object =>
    levels === 0 ? { type: "Text", value: "x" } : { type: "Box", children: [deep(levels - 1)] };
  it.each([
    ["a message without parts", { ...answer("m2", ""), content: null }, "cannot be shown"],
    [
      "a source that is none",
      { ...answer("m2", ""), content: [{ type: "output_text", text: "Odd", annotations: [null] }] },
      "Odd",
    ],
    ["a workflow without steps", { ...answer("m2", ""), type: "workflow" }, "cannot be shown"],
    ["a widget that is too deep", { ...widget("m2", deep(500)), copy_text: "Deep" }, "Deep"],
    ["a widget without a root", { ...answer("m2", ""), type: "widget" }, "cannot be shown"],
  ])("is plain text and leaves the others in place: %s", async (_, item, words) => {
    const items = [userMessage("m1", "Before"), item, answer("m3", "After")];
    const chat = await mount(existing(items), { initialThread: "thr_1" });
    await chat.sees("After");
    expect(chat.text()).toContain("Before");
    expect(chat.text()).toContain(words);
    expect(chat.emitted.filter(({ name }) => name === "error")).toHaveLength(1);
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

  it("show the feedback of before, and take it back", async () => {
    const items = [userMessage("m1", "Hi"), answer("m2 a", "One")];
    const thread = existing(items);
    let refuse = false;
    const chat = await mount(
      async (operation) => {
        if (refuse && !operation.type) return Response.json({ message: "No." }, { status: 404 });
        const response = await thread(operation);
        if (operation.type === "items.list") {
          response.headers.set("x-chatkit-feedback", "m2%20a=negative other=odd");
        }
        return response;
      },
      { initialThread: "thr_1", threadItemActions: { feedback: true } },
    );
    const pressed = async (name: string) => (await chat.button(name)).getAttribute("aria-pressed");
    await chat.sees("One");
    expect([await pressed("Good answer"), await pressed("Bad answer")]).toEqual(["false", "true"]);
    refuse = true;
    (await chat.button("Bad answer")).click();
    await chat.sees("No.");
    expect(await pressed("Bad answer")).toBe("true");
    refuse = false;
    (await chat.button("Bad answer")).click();
    await until(() => chat.root.querySelector('.turn-actions [aria-pressed="true"]') === null);
    expect(chat.operations.at(-1)).toMatchObject({ thread_id: "thr_1", item_ids: ["m2 a"] });
  });

  it("show no more what was taken back in another window", async () => {
    const thread = existing([userMessage("m1", "Hi"), answer("m2", "One")]);
    let marks = "m2=positive";
    const chat = await mount(
      async (operation) => {
        const response = await thread(operation);
        if (operation.type === "items.list") response.headers.set("x-chatkit-feedback", marks);
        return response;
      },
      { initialThread: "thr_1", threadItemActions: { feedback: true } },
    );
    const good = await chat.button("Good answer");
    await until(() => good.getAttribute("aria-pressed") === "true");
    marks = "";
    await chat.element.fetchUpdates();
    await until(() => good.getAttribute("aria-pressed") === "false");
  });
});
