/**
 * A run continues after its tab was closed. When a thread is loaded while its answer is still being
 * written, the server says so in a header of the response, and the page fetches again until the
 * answer is complete. It works with both elements, through `fetchUpdates`.
 */

const HEADER = "x-chatkit-running";
const READS_A_THREAD = new Set(["threads.get_by_id", "items.list"]);

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
    pause = FIRST_PAUSE_MS;
    if (since) changed(false);
    since = 0;
  }

  return {
    stop,
    seen(operation, response) {
      if (!operation || !READS_A_THREAD.has(operation) || !response.ok) return;
      const now = Date.now();
      if (runningUntil(response) <= now || (since && now - since > GIVE_UP_MS)) return stop();
      if (!since) changed(true);
      since ||= now;
      clearTimeout(timer);
      timer = setTimeout(fetchUpdates, pause);
      pause = Math.min(pause * 1.5, MAX_PAUSE_MS);
    },
  };
}
