/** Sends ChatKit requests through `options.api`, with the same retries as OpenAI's element. */
import type { ChatKitOptions, CustomApiConfig } from "@openai/chatkit";
import { readEvents } from "./sse";
import type { StreamEvent } from "./types";

/** An error whose message the visitor may read. */
export class ApiError extends Error {
  override name = "ApiError";
  /** 0 when there was no response. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The stream began, then broke. The server may still be writing the answer. */
export class BrokenStream extends Error {
  override name = "BrokenStream";
}

const RESENDS = 5;
const FIRST_PAUSE_MS = 400;

export class Client {
  readonly #api: CustomApiConfig;
  readonly #locale: string | undefined;
  readonly #firstPause: number;

  constructor(options: ChatKitOptions, firstPause = FIRST_PAUSE_MS) {
    if (!("url" in options.api)) {
      throw new Error("The stand-in speaks to your own server only: api.url is missing.");
    }
    this.#api = options.api;
    this.#locale = options.locale;
    this.#firstPause = firstPause;
  }

  /** Sends a request that does not stream. `look` gets the response. Throws an `ApiError`. */
  async request<T>(
    type: string,
    params: Record<string, unknown>,
    look?: (response: Response) => void,
  ): Promise<T> {
    const response = await this.#send(type, params, "application/json");
    if (!response.ok) throw await errorOf(response);
    look?.(response);
    return (await response.json()) as T;
  }

  /** Asks this backend for something that ChatKit's protocol has no operation for. */
  async ask(path: string, body?: object): Promise<unknown> {
    const request = this.#api.fetch ?? fetch;
    const response = await request(`${this.#api.url}/${path}`, {
      method: body ? "POST" : "GET",
      ...(body && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    }).catch(() => {
      throw new ApiError("The server could not be reached. Please try again.", 0);
    });
    if (!response.ok) throw await errorOf(response);
    return response.status === 204 ? null : response.json();
  }

  /**
   * Sends a streaming request. Sends it again, up to five times, after a 5xx, a response that is no
   * event stream, or no response; a 4xx is final. `look` gets the response. Throws an `ApiError`
   * before the stream begins and a `BrokenStream` after.
   */
  async *stream(
    type: string,
    params: Record<string, unknown>,
    signal: AbortSignal,
    look?: (response: Response) => void,
  ): AsyncGenerator<StreamEvent> {
    const response = await this.#open(type, params, signal);
    look?.(response);
    if (!response.body) return;
    try {
      yield* readEvents<StreamEvent>(response.body);
    } catch (error) {
      if (signal.aborted) throw error;
      throw new BrokenStream("The connection was lost.");
    }
  }

  async #open(type: string, params: Record<string, unknown>, signal: AbortSignal) {
    for (let attempt = 0; ; attempt += 1) {
      let failure: ApiError;
      try {
        const response = await this.#send(type, params, "text/event-stream", signal);
        const contentType = response.headers.get("content-type") ?? "";
        if (response.ok && contentType.startsWith("text/event-stream")) return response;
        failure = await errorOf(response);
        if (!response.ok && response.status < 500) throw failure;
      } catch (error) {
        if (signal.aborted || !(error instanceof ApiError)) throw error;
        if (error.status >= 400 && error.status < 500) throw error;
        if (error.status === 0 && navigator.onLine === false) throw error;
        failure = error;
      }
      if (attempt === RESENDS) throw failure;
      await pause(this.#firstPause * 2 ** attempt * (0.75 + Math.random() / 2), signal);
    }
  }

  async #send(
    type: string,
    params: Record<string, unknown>,
    accept: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const request = this.#api.fetch ?? fetch;
    try {
      return await request(this.#api.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept,
          ...(this.#locale && { "accept-language": this.#locale }),
        },
        body: JSON.stringify({ type, params }),
        signal,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      const offline = navigator.onLine === false;
      throw new ApiError(
        offline ? "You are offline." : "The server could not be reached. Please try again.",
        0,
      );
    }
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { message?: unknown };
  const message = response.status < 500 && typeof body.message === "string" ? body.message : "";
  const run = response.headers.get("x-chatkit-run-id");
  const fault = `Something went wrong. Please try again.${run ? ` (run ${run})` : ""}`;
  return new ApiError(message || fault, response.status);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}
