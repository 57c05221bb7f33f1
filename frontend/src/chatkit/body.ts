/** Turning a request's body into bytes, because a hash needs bytes. */

export type Bytes = { bytes: Uint8Array<ArrayBuffer>; contentType: string | null };

/**
 * Serialises a body once. A `FormData` gets its boundary here, and the caller must send the
 * returned content type with the returned bytes, or the boundary would not match.
 */
export async function toBytes(body: BodyInit): Promise<Bytes> {
  const response = new Response(body);
  return {
    bytes: new Uint8Array(await response.arrayBuffer()),
    contentType: response.headers.get("content-type"),
  };
}

/**
 * SHA-256 in hex, which CloudFront's origin access control wants of every POST to a Function URL.
 * `null` where the browser offers no `crypto.subtle`: plain http on something other than
 * localhost, where no CloudFront is in front either.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  if (!globalThis.crypto?.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
