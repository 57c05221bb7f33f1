import { expect, it } from "vitest";
import { createLog, withoutText } from "../src/chatkit/log";
import { createAnswerWatch } from "../src/chatkit/running";

it("keeps numbers and identifiers, and never a sentence", () => {
  const detail = {
    status: 500,
    code: "stream.error",
    ok: false,
    text: "My secret is 42",
    list: [1],
  };
  expect(withoutText(detail)).toEqual({ status: 500, code: "stream.error", ok: false });
});

it("stops after fifty entries, so that a loop is no flood", async () => {
  const bodies: string[] = [];
  const log = createLog({
    chat: "/chatkit",
    fetch: async (_input, init) => {
      bodies.push(String(init?.body));
      return new Response(null, { status: 204 });
    },
  });
  for (let index = 0; index < 80; index += 1) log("error", "x", { index });
  expect(bodies).toHaveLength(50);
});

it("fetches again while the server says that an answer is under way, and then no more", async () => {
  const told: boolean[] = [];
  const running = (until: number) =>
    new Response("{}", { headers: until ? { "x-chatkit-running": `run_1 ${until}` } : {} });
  await new Promise<void>((resolve) => {
    const watch = createAnswerWatch(
      () => {
        watch.seen("items.list", running(0));
        resolve();
      },
      (waiting) => told.push(waiting),
    );
    watch.seen("threads.list", running(Date.now() + 5_000));
    expect(told).toEqual([]);
    watch.seen("threads.get_by_id", running(Date.now() + 5_000));
  });
  expect(told).toEqual([true, false]);
});
