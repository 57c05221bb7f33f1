/**
 * A run is one streaming request. It has an id of our making, so that it can be cancelled by
 * another request, and so that a re-sent request is known to be the same one.
 */

/** The element re-sends within seconds; a person who repeats themselves later means a new run. */
const RESEND_WINDOW_MS = 20_000;

type Failed = { runId: string; until: number };

export class RunIds {
  readonly #failed = new Map<string, Failed>();

  /** The id for a request with this body: the failed one's if this re-sends it, else a new one. */
  take(body: string, now = Date.now()): string {
    for (const [key, failed] of this.#failed) if (failed.until < now) this.#failed.delete(key);
    const failed = this.#failed.get(body);
    this.#failed.delete(body);
    return failed?.runId ?? newRunId();
  }

  /** Remembers that this request got no stream, so that sending it again is the same run. */
  failed(body: string, runId: string, now = Date.now()): void {
    this.#failed.set(body, { runId, until: now + RESEND_WINDOW_MS });
  }
}

function newRunId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `run_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * The same response with a body that says how it ended: `onEnd` once when it is read to its end
 * or broke, `onCancel` once when the reader gave up before.
 */
export function watched(response: Response, onEnd: () => void, onCancel: () => void): Response {
  if (!response.body) {
    onEnd();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        controller.error(error);
      }
    },
    cancel(reason) {
      onCancel();
      return reader.cancel(reason);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
