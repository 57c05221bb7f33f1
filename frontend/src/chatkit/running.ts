/**
 * A run continues after its tab was closed. When a thread is loaded while its answer is still being
 * written, the server says so in a header of the response, and the page fetches again until the
 * answer is complete. So does a stream without events: the answer to a request that was sent again
 * while the first one is still being answered. It works with both elements, through `fetchUpdates`.
 */
import { isStreaming } from "./operations";

const HEADER = "x-chatkit-running";
const READS_A_THREAD = new Set<string | undefined>(["threads.get_by_id", "items.list"]);

/** Stop asking after this time. A run lasts at most 15 minutes, and a reload asks again. */
const GIVE_UP_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 8_000;

/** The deadline of the answer that is being written, in epoch milliseconds, or 0. */
export function runningUntil(response: Response): number {
  const [, until] = (response.headers.get(HEADER) ?? "").split(" ");
  return Number(until) || 0;
}

export type AnswerWatch = {
  /** Call it from `onResponse` of `createChatKitFetch`. */
  seen(operation: string | undefined, response: Response): void;
  stop(): void;
};

/**
 * Calls `fetchUpdates` with growing pauses while an answer is being written. Calls `changed` with
 * `true` when that begins and `false` when it ends.
 */
export function createAnswerWatch(
  fetchUpdates: () => void,
  changed: (waiting: boolean) => void = () => undefined,
): AnswerWatch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = FIRST_PAUSE_MS;
  let since = 0;

  function stop(): void {
    clearTimeout(timer);
    timer = undefined;
    pause = FIRST_PAUSE_MS;
    if (since) changed(false);
    since = 0;
  }

  return {
    stop,
    seen(operation, response) {
      const until = runningUntil(response);
      if (!response.ok || !(READS_A_THREAD.has(operation) || (until && isStreaming(operation))))
        return;
      const now = Date.now();
      if (until <= now || (since && now - since > GIVE_UP_MS)) {
        // Of two parallel responses one may be from before the end: then the timer still fetches.
        if (!timer) stop();
        return;
      }
      if (!since) changed(true);
      since ||= now;
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        fetchUpdates();
      }, pause);
      pause = Math.min(pause * 1.5, MAX_PAUSE_MS);
    },
  };
}
