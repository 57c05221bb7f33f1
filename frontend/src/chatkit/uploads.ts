/**
 * Uploads are signed as a `PUT` of the file's bytes. ChatKit's types allow that, while its guide says
 * that the element posts a form. So a form with one file that is posted to a link of ours becomes
 * the `PUT` that was signed.
 */

/**
 * Whether a file is in the bucket after its upload was answered with this status. 412 says that it
 * was before: a link works once, and a browser may have sent the first try again by itself. It
 * does not say which bytes are there, and need not: only whoever has the link can have written them,
 * with the length and type that are signed, and the server checks the object when it is sent.
 */
export const arrived = (status: number): boolean =>
  (status >= 200 && status < 300) || status === 412;

type Descriptor = { url: string; headers?: Record<string, string> };

export class UploadLinks {
  /** The signed headers of each link, by its address. */
  #headers = new Map<string, Record<string, string>>();

  /** Takes the link from the answer to `attachments.create`, and leaves the answer unread. */
  async remember(response: Response): Promise<void> {
    if (!response.ok) return;
    try {
      const made = (await response.clone().json()) as { upload_descriptor?: Descriptor };
      const link = made.upload_descriptor;
      if (link) this.#headers.set(new URL(link.url).href, link.headers ?? {});
    } catch {
      // Not an answer of this backend. The element says what is wrong with it.
    }
  }

  /** Sends a request to a link of ours, with an answer that is `ok` when the file has arrived. */
  async upload(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
    send: typeof fetch,
  ): Promise<Response | null> {
    const url = new URL(input instanceof Request ? input.url : input, globalThis.location?.href);
    const headers = this.#headers.get(url.href);
    if (!headers) return null;
    const put = await signedPut(input, init, headers);
    const response = await (put ? send(url.href, put) : send(input, init));
    return !response.ok && arrived(response.status) ? new Response(null) : response;
  }
}

/** The signed `PUT` for a form with one file; `null` for any other request. */
async function signedPut(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  headers: Record<string, string>,
): Promise<RequestInit | null> {
  const request = new Request(input instanceof Request ? input.clone() : input, init);
  if (request.method !== "POST") return null;
  const { signal } = request;
  const form = await request.formData().catch(() => null);
  const files = [...(form?.values() ?? [])].filter((value) => value instanceof File);
  const [file] = files;
  if (!file || files.length > 1) return null;
  return { method: "PUT", headers, body: file, signal };
}
