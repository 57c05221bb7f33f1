/** Signs the visitor in and out, and keeps their token valid. */
import type { GetToken, SignInConfig } from "../chatkit";
import type { Issuer } from "./issuer";
import { SIGNED_OUT } from "./paths";
import { type SignedIn, storedUnder } from "./stored";

export type Arrival =
  /** `other` is `true` when somebody else was signed in here before. */
  | { at: "signed-in"; returnTo: string; close: boolean; other: boolean }
  | { at: "not-signed-in"; returnTo: string };

/** Who has signed in, and when. */
export type Person = Pick<SignedIn, "subject" | "since">;

export type SignIn = {
  /**
   * Who has signed in, or `null`. It stays when the token expires and cannot be renewed, so that
   * nobody becomes an anonymous visitor in mid-conversation.
   */
  person(): Promise<Person | null>;
  /** Pass it to `createSession` and `createChatKitFetch`. */
  getToken: GetToken;
  /**
   * Leaves the page for the issuer's. With `again`, the issuer asks for the password also where it
   * still knows who it is. Throws when the issuer is not reached.
   */
  begin(returnTo: string, options?: { close?: boolean; again?: boolean }): Promise<void>;
  /**
   * Signs in with what the issuer has put into the page's address. Throws when that is not meant
   * for this window, or was used.
   */
  finish(): Promise<Arrival>;
  /** Forgets the tokens here and in all windows, and leaves the page to end the issuer's session. */
  end(): Promise<void>;
  /** Calls `listener` when another window signs in, renews or signs out. */
  onChange(listener: () => void): () => void;
};

export function createSignIn(
  config: SignInConfig,
  {
    stored = storedUnder(`${config.issuer} ${config.clientId}`),
    go = (url: string): void => location.assign(url),
  } = {},
): SignIn {
  let loading: Promise<Issuer> | undefined;
  const issuer = (): Promise<Issuer> => {
    loading ??= import("./issuer")
      .then(({ createIssuer }) => createIssuer(config))
      .catch((error) => {
        loading = undefined; // the next one tries again
        throw error;
      });
    return loading;
  };

  let failures = 0;

  /** Renews `old`, once for all requests and all windows that ask at the same time. */
  function renew(old: string): Promise<string | null> {
    const before = failures;
    return navigator.locks.request("chatkit.sign-in", async () => {
      const now = await stored.read();
      if (now?.token !== old || !now.refreshToken) return now?.token ?? null;
      // A request that waited for a renewal that failed does not begin another one.
      if (failures > before) return old;
      let next: SignedIn;
      try {
        next = (await (await issuer()).renew(now)) ?? { ...now, refreshToken: null };
      } catch {
        failures += 1;
        return old; // the issuer is not reached, and the server says whether the token is good
      }
      try {
        // Somebody may have signed out meanwhile.
        return (await stored.replace(old, next))?.token ?? null;
      } catch (error) {
        console.warn(`The renewed sign-in cannot be stored: ${error}`);
        return next.token;
      }
    });
  }

  return {
    async person() {
      const now = await stored.read();
      return now && { subject: now.subject, since: now.since };
    },

    async getToken({ refresh, refused }) {
      const now = await stored.read();
      if (!now) return null;
      // A renewal must not fail because this file is gone from the server after a deployment.
      issuer().catch(() => undefined);
      // Another request or window may have renewed it since.
      const due = refresh ? now.token === (refused ?? now.token) : Date.now() >= now.renewAt;
      return due && now.refreshToken ? renew(now.token) : now.token;
    },

    async begin(returnTo, { close = false, again = false } = {}) {
      try {
        go(await (await issuer()).signInUrl({ returnTo, close }, again));
      } catch (error) {
        console.warn(`The issuer ${config.issuer} is not reached: ${error}`);
        throw error;
      }
    },

    async finish() {
      const before = await stored.read();
      const { signedIn, asked } = await (await issuer()).finish(location.href);
      const returnTo = here(asked.returnTo);
      if (!signedIn) return { at: "not-signed-in", returnTo };
      await stored.write(signedIn);
      const other = before !== null && before.subject !== signedIn.subject;
      return { at: "signed-in", returnTo, close: asked.close, other };
    },

    async end() {
      const now = await stored.read();
      await stored.write(null);
      const signOutUrl = async () => now && (await issuer()).signOutUrl(now);
      go((await signOutUrl().catch(() => null)) ?? SIGNED_OUT);
    },

    onChange: stored.onChange,
  };
}

/** A path of this page, whatever is stored. */
function here(path: string): string {
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}
