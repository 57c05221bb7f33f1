/** Signs the visitor in and out, and keeps their token valid. */
import type { GetToken, SignInConfig } from "../chatkit";
import type { Issuer } from "./issuer";
import { SIGNED_OUT } from "./paths";
import { storedUnder } from "./stored";

export type Arrival =
  /** `other` is `true` when somebody else was signed in here before. */
  | { at: "signed-in"; returnTo: string; close: boolean; other: boolean }
  | { at: "not-signed-in"; returnTo: string };

export type SignIn = {
  /**
   * Who has signed in, or `null`. It stays when the token expires and cannot be renewed, so that
   * nobody becomes an anonymous visitor in mid-conversation.
   */
  subject(): Promise<string | null>;
  /** Pass it to `createSession` and `createChatKitFetch`. */
  getToken: GetToken;
  /** Leaves the page for the issuer's. Throws when the issuer is not reached. */
  begin(returnTo: string, options?: { close?: boolean }): Promise<void>;
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
    loading ??= import("./issuer").then(({ createIssuer }) => createIssuer(config));
    return loading;
  };

  /** Renews `old`, once for all requests and all windows that ask at the same time. */
  function renew(old: string): Promise<string | null> {
    return navigator.locks.request("chatkit.sign-in", async () => {
      const now = await stored.read();
      if (now?.token !== old || !now.refreshToken) return now?.token ?? null;
      try {
        const renewed = await (await issuer()).renew(now);
        const meanwhile = await stored.read();
        if (meanwhile?.token !== old) return meanwhile?.token ?? null; // signed out, for instance
        await stored.write(renewed ?? { ...now, refreshToken: null });
        return renewed?.token ?? old;
      } catch {
        return old; // the issuer is not reached, and the server says whether the token is good
      }
    });
  }

  return {
    subject: async () => (await stored.read())?.subject ?? null,

    async getToken({ refresh, refused }) {
      const now = await stored.read();
      if (!now) return null;
      // Another request or window may have renewed it since.
      const due = refresh ? now.token === (refused ?? now.token) : Date.now() >= now.renewAt;
      return due && now.refreshToken ? renew(now.token) : now.token;
    },

    async begin(returnTo, { close = false } = {}) {
      try {
        go(await (await issuer()).signInUrl({ returnTo, close }));
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
      const url = now && (await (await issuer()).signOutUrl(now).catch(() => null));
      go(url ?? SIGNED_OUT);
    },

    onChange: stored.onChange,
  };
}

/** A path of this page, whatever is stored. */
function here(path: string): string {
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? url.pathname + url.search + url.hash : "/";
}
