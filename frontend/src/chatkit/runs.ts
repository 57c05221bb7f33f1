/**
 * A run is one streaming request. Its id lets another request cancel it, and lets the server
 * recognise a request that is sent again.
 */
import { randomId } from "./ids";

/** The element sends again within seconds. The same message after this time is a new run. */
const RESEND_WINDOW_MS = 20_000;

type Failed = { runId: string; until: number };

export class RunIds {
  readonly #failed = new Map<string, Failed>();

  /** The id for a request with this body: a new one, or that of a failed request with this body. */
  take(body: string, now = Date.now()): string {
    for (const [key, failed] of this.#failed) if (failed.until < now) this.#failed.delete(key);
    const failed = this.#failed.get(body);
    this.#failed.delete(body);
    return failed?.runId ?? `run_${randomId()}`;
  }

  /** Remembers a request that got no stream. The next one with its body is the same run. */
  failed(body: string, runId: string, now = Date.now()): void {
    this.#failed.set(body, { runId, until: now + RESEND_WINDOW_MS });
  }
}

/**
 * The same response, with a body that calls `onEnd` when it was read to its end or broke, and
 * `onCancel` when the reader cancelled it.
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
