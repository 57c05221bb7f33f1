/**
 * Uploads are signed as a `PUT` of the file's bytes. ChatKit's types allow that, while its guide says
 * that the element posts a form. So a form with one file that is posted to a link of ours becomes
 * the `PUT` that was signed.
 */

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

  /** The signed `PUT` for a form with one file that is posted to a link of ours; else `null`. */
  async signedPut(
    input: RequestInfo | URL,
    init: RequestInit | undefined,
  ): Promise<{ url: string; init: RequestInit } | null> {
    const url = new URL(input instanceof Request ? input.url : input, globalThis.location?.href);
    const headers = this.#headers.get(url.href);
    if (!headers) return null;
    const request = new Request(input instanceof Request ? input.clone() : input, init);
    if (request.method !== "POST") return null;
    const { signal } = request;
    const form = await request.formData().catch(() => null);
    const files = [...(form?.values() ?? [])].filter((value) => value instanceof File);
    const [file] = files;
    if (!file || files.length > 1) return null;
    return { url: url.href, init: { method: "PUT", headers, body: file, signal } };
  }
}
