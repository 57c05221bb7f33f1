/**
 * Makes the `fetch` that ChatKit needs to talk to this backend. Pass it as `api.fetch`.
 * README.md in this folder says what it does and why. It changes requests to this backend and its
 * upload links only.
 */
import { sha256, toBytes } from "./body";
import { isStreaming, operationOf, servedByActions } from "./operations";
import { RunIds, watched } from "./runs";
import { UploadLinks } from "./uploads";

/**
 * After a 401, `refresh` is true and `refused` is the token that was sent. If another request has
 * renewed it since, return the newer one. `undefined` says that nothing has changed: the request is
 * not sent again.
 */
export type GetToken = (reason: {
  refresh: boolean;
  refused?: string | null;
}) => Promise<string | null | undefined> | string | null | undefined;

export type ChatKitFetchOptions = {
  /** The addresses of both functions, relative or absolute. */
  api: { chat: string; actions: string };
  /**
   * Returns the visitor's token, or `null` when a cookie identifies them. Called before each
   * request, so keep the token cached, and with `refresh: true` after a 401. Use the one of
   * `createSession`.
   */
  getToken?: GetToken;
  /** What the assistant learns about the page. With `null` nothing is sent. */
  pageContext?: () => { url: string; title: string } | null;
  /**
   * Called with each response of this backend, for its status and headers. Do not read the body. A
   * 401 means that a new token did not help.
   */
  onResponse?: (operation: string | undefined, response: Response) => void;
  /** For tests and for pages that wrap `fetch` themselves. */
  fetch?: typeof fetch;
};

export function createChatKitFetch(options: ChatKitFetchOptions): typeof fetch {
  const chat = absolute(options.api.chat);
  const actions = absolute(options.api.actions);
  const send: typeof fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const pageContext = options.pageContext ?? currentPage;
  const runs = new RunIds();
  const uploads = new UploadLinks();

  /** Returns the token that the headers now carry, and what `getToken` has said otherwise. */
  async function ownHeaders(
    headers: Headers,
    reason: Parameters<GetToken>[0],
  ): Promise<string | null | undefined> {
    const token = options.getToken ? await options.getToken(reason) : null;
    if (token) headers.set("x-chatkit-authorization", `Bearer ${token}`);
    else headers.delete("x-chatkit-authorization");
    return token;
  }

  async function cancel(runId: string): Promise<void> {
    const body = JSON.stringify({ run_id: runId });
    const headers = new Headers({ "content-type": "application/json" });
    try {
      await ownHeaders(headers, { refresh: false });
      const hash = await sha256((await toBytes(body)).bytes);
      if (hash) headers.set("x-amz-content-sha256", hash);
      // The visitor may leave the page right after Stop.
      await send(`${actions.href}/cancel`, {
        method: "POST",
        body,
        headers,
        credentials: "include",
        keepalive: true,
      });
    } catch {
      // The run continues to its end and is saved.
    }
  }

  async function ours(url: URL, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    const operation = operationOf(init.body);
    const target = url.href === chat.href && servedByActions(operation) ? actions : url;
    const resend = typeof init.body === "string" ? init.body : "";
    const runId = isStreaming(operation) ? runs.take(resend) : null;
    if (runId) headers.set("x-chatkit-run-id", runId);

    const page = pageContext();
    if (page) {
      headers.set("x-chatkit-page-url", page.url);
      // Header values are Latin-1, so the title is percent-encoded. Half an emoji cannot be.
      const title = page.title.replace(/\p{Surrogate}/gu, "\ufffd");
      headers.set("x-chatkit-page-title", encodeURIComponent(title));
    }
    let body: BodyInit | null | undefined = init.body;
    if (body != null && !(body instanceof ReadableStream)) {
      const { bytes, contentType } = await toBytes(body);
      // The server takes an operation as JSON only, and text alone would be text/plain.
      if (operation) headers.set("content-type", "application/json");
      else if (contentType && !headers.has("content-type"))
        headers.set("content-type", contentType);
      const hash = await sha256(bytes);
      if (hash) headers.set("x-amz-content-sha256", hash);
      body = bytes;
    }

    // When /actions answers 307 (this action streams), the browser follows with body and headers.
    const attempt = (): Promise<Response> =>
      send(target, { ...init, body, headers, credentials: "include" });
    const abortsRun = () => void (runId && cancel(runId));
    init.signal?.addEventListener("abort", abortsRun, { once: true });
    const settled = () => init.signal?.removeEventListener("abort", abortsRun);

    try {
      let token = await ownHeaders(headers, { refresh: false });
      let response = await attempt();
      if (response.status === 401) {
        token = await ownHeaders(headers, { refresh: true, refused: token ?? null });
        if (token !== undefined) response = await attempt();
      }
      options.onResponse?.(operation, response);
      if (operation === "attachments.create") await uploads.remember(response);
      if (!runId) {
        settled();
        return response;
      }
      if (!isEventStream(response)) {
        settled();
        if (response.ok || response.status >= 500) runs.failed(resend, runId);
        return response;
      }
      return watched(response, settled, () => {
        settled();
        abortsRun();
      });
    } catch (error) {
      settled();
      if (runId && !init.signal?.aborted) runs.failed(resend, runId);
      throw error;
    }
  }

  return async (input, init) => {
    const url = absolute(input instanceof Request ? input.url : String(input));
    if (!within(url, chat) && !within(url, actions)) {
      return (await uploads.upload(input, init, send)) ?? send(input, init);
    }
    if (!(input instanceof Request)) return ours(url, init ?? {});
    const { method, headers, signal } = input;
    return ours(url, { method, headers, signal, body: await bodyOf(input), ...init });
  };
}

/** Removes a trailing slash, so that `/chatkit/` equals `/chatkit`. */
function absolute(url: string): URL {
  const result = new URL(url, globalThis.location?.href);
  result.pathname = result.pathname.replace(/\/+$/, "") || "/";
  return result;
}

function within(url: URL, base: URL): boolean {
  if (url.origin !== base.origin) return false;
  return url.pathname === base.pathname || url.pathname.startsWith(`${base.pathname}/`);
}

async function bodyOf(request: Request): Promise<BodyInit | undefined> {
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  const json = request.headers.get("content-type")?.startsWith("application/json");
  const copy = request.clone();
  return json ? copy.text() : copy.arrayBuffer();
}

const isEventStream = (response: Response): boolean =>
  response.ok && (response.headers.get("content-type") ?? "").startsWith("text/event-stream");

/** Leaves out the URL's fragment, which a site may use for private data. */
function currentPage(): { url: string; title: string } | null {
  if (typeof document === "undefined") return null;
  const { origin, pathname, search } = location;
  return { url: origin + pathname + search, title: [...document.title].slice(0, 200).join("") };
}
