/** A random id. `crypto.randomUUID` exists only on HTTPS and localhost. */
export const randomId = (): string => hex(crypto.getRandomValues(new Uint8Array(16)));

export const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
