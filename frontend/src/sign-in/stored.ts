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
  read(): Promise<SignedIn | null>;
  /** Throws when this window has no storage. */
  write(signedIn: SignedIn | null): Promise<void>;
  /** Calls `listener` when another window has written. Returns a function that ends this. */
  onChange(listener: () => void): () => void;
};

const DATABASE = "chatkit.sign-in";
const TABLE = "signed-in";

export function storedUnder(key: string): Stored {
  const windows = new BroadcastChannel(`${DATABASE}:${key}`);
  return {
    async read() {
      try {
        return (await transaction<SignedIn>("readonly", (table) => table.get(key))) ?? null;
      } catch {
        return null;
      }
    },
    async write(signedIn) {
      await transaction("readwrite", (table) =>
        signedIn ? table.put(signedIn, key) : table.delete(key),
      );
      windows.postMessage("changed");
    },
    onChange(listener) {
      windows.addEventListener("message", listener);
      return () => windows.removeEventListener("message", listener);
    },
  };
}

/** Opens the database each time, because Safari closes those that stay open. */
async function transaction<Value>(
  mode: IDBTransactionMode,
  work: (table: IDBObjectStore) => IDBRequest,
): Promise<Value | undefined> {
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
