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
