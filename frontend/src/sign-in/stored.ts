/**
 * The tokens of the person who has signed in, in IndexedDB.
 *
 * Why there: a refresh token may be used once, and then the issuer replaces it. Whoever uses it a
 * second time ends the sign-in of all windows. So all windows have to share one, and know at once
 * when it was replaced. Memory and `sessionStorage` are not shared, and a new window would not be
 * signed in. `localStorage` is shared, but a window may read what another one has just replaced.
 * IndexedDB has transactions. It also outlives a reload.
 *
 * A script that runs in the page could use the tokens wherever they are. The page's content policy
 * keeps such scripts out, and the issuer decides how long tokens are good for.
 */

export type SignedIn = {
  /** Who has signed in: the issuer's `sub`. */
  subject: string;
  /** When they signed in, in epoch milliseconds. Renewals keep it. */
  since: number;
  /** What the server gets: the access token or the ID token. */
  token: string;
  /** When to renew the token, in epoch milliseconds of this machine's clock. */
  renewAt: number;
  /** `null` when the issuer gives none, or has refused it. */
  refreshToken: string | null;
  /** Tells the issuer at sign-out who it is about. */
  idToken: string;
};

export type Stored = {
  /** Where reading fails, the last one that this window has seen. */
  read(): Promise<SignedIn | null>;
  /** Throws when this window has no storage. */
  write(signedIn: SignedIn | null): Promise<void>;
  /**
   * Writes `next` where the token is still `token`, and returns what is stored then. Throws when
   * this window has no storage.
   */
  replace(token: string, next: SignedIn): Promise<SignedIn | null>;
  /** Calls `listener` when another window has written. Returns a function that ends this. */
  onChange(listener: () => void): () => void;
};

const DATABASE = "chatkit.sign-in";
const TABLE = "signed-in";

export function storedUnder(key: string): Stored {
  const windows = new BroadcastChannel(`${DATABASE}:${key}`);
  let last: SignedIn | null = null;
  const written = (signedIn: SignedIn | null): SignedIn | null => {
    windows.postMessage("changed");
    return signedIn;
  };
  return {
    async read() {
      try {
        last = (await transaction((table) => table.get(key), "readonly")) ?? null;
      } catch (error) {
        console.warn(`The sign-in cannot be read: ${error}`);
      }
      return last;
    },
    async write(signedIn) {
      await transaction((table) => (signedIn ? table.put(signedIn, key) : table.delete(key)));
      last = written(signedIn);
    },
    async replace(token, next) {
      let replaced = false;
      const before = await transaction((table) => {
        const reading = table.get(key);
        reading.addEventListener("success", () => {
          replaced = reading.result?.token === token;
          if (replaced) table.put(next, key);
        });
        return reading;
      });
      last = replaced ? written(next) : (before ?? null);
      return last;
    },
    onChange(listener) {
      windows.addEventListener("message", listener);
      return () => windows.removeEventListener("message", listener);
    },
  };
}

/** Opens the database each time, because Safari closes those that stay open. */
async function transaction(
  work: (table: IDBObjectStore) => IDBRequest,
  mode: IDBTransactionMode = "readwrite",
): Promise<SignedIn | undefined> {
  const opening = indexedDB.open(DATABASE);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  try {
    return await new Promise((resolve, reject) => {
      const running = database.transaction(TABLE, mode);
      const request = work(running.objectStore(TABLE));
      running.oncomplete = () => resolve(request.result);
      running.onabort = () => reject(running.error);
    });
  } finally {
    database.close();
  }
}
