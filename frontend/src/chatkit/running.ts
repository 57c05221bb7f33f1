/**
 * Leaving is not stopping: a run goes on after its tab was closed. When a thread is opened whose
 * answer is still being written elsewhere, the server says so in a header of what it loads, and
 * the page fetches again until the answer is there. Works with any element: `fetchUpdates`.
 */

const HEADER = "x-chatkit-running";
const READS_A_THREAD = new Set(["threads.get_by_id", "items.list"]);

/** No run outlives Lambda's 15 minutes; after ten, a reload can ask again. */
const GIVE_UP_MS = 10 * 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;

/** Until when (epoch milliseconds) an answer is under way; 0 when none is. */
export function runningUntil(response: Response): number {
  const [, until] = (response.headers.get(HEADER) ?? "").split(" ");
  return Number(until) || 0;
}

export type AnswerWatch = {
  /** Feed it from `onResponse` of `createChatKitFetch`. */
  seen(operation: string | undefined, response: Response): void;
  stop(): void;
};

/**
 * `fetchUpdates` is called with growing pauses while an answer is under way; `changed` is told
 * when that begins and when it ends.
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
      pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS);
    },
  };
}
