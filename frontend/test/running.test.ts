import { expect, it } from "vitest";
import { createAnswerWatch } from "../src/chatkit/running";

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

it("fetches once more when one of two parallel responses is from before the end", async () => {
  await new Promise<void>((resolve) => {
    const watch = createAnswerWatch(resolve);
    const headers = { "x-chatkit-running": `run_1 ${Date.now() + 5_000}` };
    watch.seen("threads.get_by_id", new Response("{}", { headers }));
    watch.seen("items.list", new Response("{}"));
  });
});

it("fetches after a stream without events, whose answer is written for the first request", async () => {
  const stream = (headers: Record<string, string>) =>
    new Response("", { headers: { "content-type": "text/event-stream", ...headers } });
  await new Promise<void>((resolve) => {
    const watch = createAnswerWatch(() => {
      watch.stop();
      resolve();
    });
    const running = `run_1 ${Date.now() + 5_000}`;
    watch.seen("threads.add_user_message", stream({ "x-chatkit-running": running }));
    watch.seen("threads.add_user_message", stream({})); // another message, whose answer streams
  });
});
