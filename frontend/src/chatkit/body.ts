/** Turns a request's body into bytes, and hashes them. */
import { hex } from "./ids";

export type Bytes = { bytes: Uint8Array<ArrayBuffer>; contentType: string | null };

/**
 * Serialises a body. A `FormData` gets its boundary here, so the caller must send the returned
 * content type together with the returned bytes.
 */
export async function toBytes(body: BodyInit): Promise<Bytes> {
  const response = new Response(body);
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    contentType: response.headers.get("content-type"),
  };
}

/**
 * SHA-256 in hex. CloudFront's origin access control requires it for every POST to a Function URL.
 * `null` where the browser has no `crypto.subtle`: on plain http outside of localhost, where there
 * is no CloudFront either.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return hex(new Uint8Array(digest));
}
