import { beforeEach, describe, expect, it } from "vitest";
import { answer, at, done, events, existing, mount, userMessage, widget } from "./chatkit";
import { until } from "./wait";

beforeEach(() => sessionStorage.clear());

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
