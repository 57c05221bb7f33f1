import type { ServerResponse } from "node:http";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SignInConfig } from "../src/chatkit";
import { createSignIn, type SignIn } from "../src/sign-in";
import { type Stored, storedUnder } from "../src/sign-in/stored";
import { json, type Seen, startServer } from "./server";

/** An issuer's endpoints on loopback. The browser tests use a real one. */
let issuer: Awaited<ReturnType<typeof startServer>>;
let tokens: (form: URLSearchParams) => [status: number, body: unknown];
let metadata: Record<string, string> = {};
let went: string[];

const HOUR = 3_600;
const DISCOVERY = "/.well-known/openid-configuration";

beforeEach(async () => {
  issuer = await startServer((seen: Seen, response: ServerResponse) => {
    response.setHeader("access-control-allow-origin", "*");
    if (seen.path === DISCOVERY) return json(response, described());
    if (seen.path === "/revoke") return json(response, {});
    const [status, body] = tokens(new URLSearchParams(seen.body.toString()));
    json(response, body, status);
  });
  tokens = () => [200, answer()];
  metadata = {};
  went = [];
  vi.stubGlobal("indexedDB", new IDBFactory());
  Object.defineProperty(navigator, "locks", { value: oneAtATime(), configurable: true });
  history.replaceState(null, "", "/");
});

afterEach(async () => {
  sessionStorage.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  loads(true);
  await issuer.close();
});

const described = () => ({
  issuer: issuer.origin,
  authorization_endpoint: `${issuer.origin}/authorize`,
  token_endpoint: `${issuer.origin}/token`,
  revocation_endpoint: `${issuer.origin}/revoke`,
  ...metadata,
});

/** The Web Locks API, which jsdom lacks. */
function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_name: string, work: () => Promise<unknown>) => {
      last = last.then(work, work);
      return last;
    },
  };
}

function jwt(claims: Record<string, unknown>): string {
  const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

function idToken(sub: string, more: Record<string, unknown> = {}): string {
  const iat = Math.floor(Date.now() / 1_000);
  return jwt({ sub, iss: issuer.origin, aud: "page", iat, exp: iat + HOUR, ...more });
}

const answer = (more: Record<string, unknown> = {}) => ({
  access_token: "access-1",
  token_type: "Bearer",
  expires_in: HOUR,
  refresh_token: "refresh-1",
  id_token: idToken("ada"),
  ...more,
});

const stored = storedUnder("one");

const ISSUER = "../src/sign-in/issuer";

/** Whether the issuer's code, a file of its own, can be loaded. */
function loads(possible: boolean) {
  vi.resetModules();
  if (possible) vi.doUnmock(ISSUER);
  else vi.doMock(ISSUER, () => Promise.reject(new TypeError("404")));
}

const signIn = (more: Partial<SignInConfig> = {}, store: Stored = stored): SignIn =>
  createSignIn(
    {
      issuer: issuer.origin,
      clientId: "page",
      scope: "openid profile",
      audience: null,
      token: "access",
      optional: false,
      ...more,
    },
    { stored: store, go: (url) => went.push(url) },
  );

/** Goes to the issuer and comes back. */
async function signedIn(subject: SignIn, returnTo = "/?thread=thr_1", options = {}) {
  await subject.begin(returnTo, options);
  const state = new URL(went.at(-1) ?? "").searchParams.get("state");
  history.replaceState(null, "", `/signed-in?code=c&state=${state}`);
  return subject.finish();
}

const forms = () =>
  issuer.seen
    .filter(({ path }) => path === "/token")
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body.toString())));

const renewals = () => forms().filter(({ grant_type }) => grant_type === "refresh_token");

describe("signing in", () => {
  it("asks the issuer for a code with PKCE, and for the API where it has a name", async () => {
    await signIn({ audience: "https://api.test" }).begin("/");
    const { origin, pathname, searchParams } = new URL(went[0] ?? "");
    expect(origin + pathname).toBe(`${issuer.origin}/authorize`);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      client_id: "page",
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: `${location.origin}/signed-in`,
      scope: "openid profile",
      audience: "https://api.test",
    });
  });

  it("asks for the password again where the last sign-in is too old", async () => {
    await signIn().begin("/");
    await signIn().begin("/", { again: true });
    const prompts = went.map((url) => new URL(url).searchParams.get("prompt"));
    expect(prompts).toEqual([null, "login"]);
  });

  it("can be tried again when its code could not be loaded", async () => {
    const subject = signIn();
    loads(false);
    await expect(subject.begin("/")).rejects.toThrow();
    loads(true);
    await subject.begin("/");
    expect(went).toHaveLength(1);
  });

  it("brings the token and leads back to what was asked for", async () => {
    const subject = signIn();
    expect(await signedIn(subject)).toEqual({
      at: "signed-in",
      returnTo: "/?thread=thr_1",
      close: false,
      other: false,
    });
    expect(await subject.person()).toMatchObject({ subject: "ada" });
    expect(await subject.getToken({ refresh: false })).toBe("access-1");
    expect(forms()[0]).toMatchObject({ code: "c", client_id: "page" });
    expect(forms()[0]?.code_verifier).toBeTruthy();
  });

  it("sends the ID token where the server wants that", async () => {
    const subject = signIn({ token: "id" });
    await signedIn(subject);
    expect(await subject.getToken({ refresh: false })).toBe(answer().id_token);
  });

  it("leads to no other site, whatever is stored", async () => {
    const arrival = await signedIn(signIn(), "//evil.example/x");
    expect(arrival.returnTo).toBe("/");
  });

  it("signs nobody in when the issuer says no", async () => {
    const subject = signIn();
    await subject.begin("/?thread=thr_1");
    const state = new URL(went[0] ?? "").searchParams.get("state");
    history.replaceState(null, "", `/signed-in?error=access_denied&state=${state}`);
    expect(await subject.finish()).toEqual({ at: "not-signed-in", returnTo: "/?thread=thr_1" });
    expect(await subject.person()).toBeNull();
  });

  it("takes no answer that this window has not asked for, and none twice", async () => {
    const subject = signIn();
    history.replaceState(null, "", "/signed-in?code=c&state=made-up");
    await expect(subject.finish()).rejects.toThrow();
    await signedIn(subject);
    await expect(subject.finish()).rejects.toThrow();
    expect(forms()).toHaveLength(1);
  });

  it("says when somebody else was signed in before", async () => {
    await signedIn(signIn());
    tokens = () => [200, answer({ id_token: idToken("alan") })];
    expect(await signedIn(signIn())).toMatchObject({ other: true });
  });
});

describe("a token", () => {
  it("is sent as it is until a minute before it expires, and then renewed", async () => {
    const subject = signIn();
    await signedIn(subject);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + (HOUR - 70) * 1_000 });
    expect(await subject.getToken({ refresh: false })).toBe("access-1");
    tokens = () => [200, answer({ access_token: "access-2", refresh_token: "refresh-2" })];
    vi.setSystemTime(Date.now() + 20_000);
    expect(await subject.getToken({ refresh: false })).toBe("access-2");
    expect(renewals()).toMatchObject([{ refresh_token: "refresh-1", client_id: "page" }]);
  });

  it("that lives for less than four minutes is renewed in the last quarter of its life", async () => {
    tokens = () => [200, answer({ expires_in: 120 })];
    const subject = signIn();
    await signedIn(subject);
    const since = Date.now();
    tokens = () => [200, answer({ access_token: "access-2" })];
    vi.useFakeTimers({ toFake: ["Date"], now: since + 88_000 });
    expect(await subject.getToken({ refresh: false })).toBe("access-1");
    vi.setSystemTime(since + 91_000);
    expect(await subject.getToken({ refresh: false })).toBe("access-2");
  });

  it("of which the issuer does not say how long it lives is renewed when it is refused", async () => {
    tokens = () => [200, answer({ expires_in: undefined })];
    const subject = signIn();
    await signedIn(subject);
    tokens = () => [200, answer({ access_token: "access-2" })];
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1_000 * HOUR * 1_000 });
    expect(await subject.getToken({ refresh: false })).toBe("access-1");
    expect(await subject.getToken({ refresh: true, refused: "access-1" })).toBe("access-2");
  });

  it("is renewed by code that was loaded before a deployment removed it", async () => {
    await signedIn(signIn());
    const reloaded = signIn();
    await reloaded.getToken({ refresh: false });
    await vi.dynamicImportSettled();
    loads(false);
    tokens = () => [200, answer({ access_token: "access-2" })];
    expect(await reloaded.getToken({ refresh: true })).toBe("access-2");
  });

  it("is used when it cannot be stored, and the console says so", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await signedIn(signIn());
    const replace = () => Promise.reject(new DOMException("", "QuotaExceededError"));
    const subject = signIn({}, { ...stored, replace });
    tokens = () => [200, answer({ access_token: "access-2" })];
    expect(await subject.getToken({ refresh: true })).toBe("access-2");
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("cannot be stored"));
  });

  it("keeps the time of the sign-in when it is renewed", async () => {
    const subject = signIn();
    await signedIn(subject);
    const before = await subject.person();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR });
    tokens = () => [200, answer({ access_token: "access-2" })];
    await subject.getToken({ refresh: true });
    expect(await subject.person()).toEqual(before);
  });

  it("is renewed once for many requests that the server refused", async () => {
    const [subject, otherWindow] = [signIn(), signIn()];
    await signedIn(subject);
    tokens = () => [200, answer({ access_token: "access-2", refresh_token: "refresh-2" })];
    const refused = { refresh: true, refused: "access-1" };
    const got = await Promise.all([
      subject.getToken(refused),
      subject.getToken(refused),
      otherWindow.getToken(refused),
    ]);
    expect(got).toEqual(["access-2", "access-2", "access-2"]);
    expect(await subject.getToken(refused)).toBe("access-2"); // its 401 came late
    expect(renewals()).toHaveLength(1);
  });

  it("is renewed with the old refresh token where the issuer sends no new one", async () => {
    const subject = signIn();
    await signedIn(subject);
    tokens = () => [200, answer({ access_token: "access-2", refresh_token: undefined })];
    await subject.getToken({ refresh: true });
    await subject.getToken({ refresh: true });
    expect(renewals().map((form) => form.refresh_token)).toEqual(["refresh-1", "refresh-1"]);
  });

  it("stays when the issuer refuses to renew it, and is not asked about again", async () => {
    const subject = signIn();
    await signedIn(subject);
    tokens = () => [400, { error: "invalid_grant" }];
    expect(await subject.getToken({ refresh: true })).toBe("access-1");
    expect(await subject.getToken({ refresh: true })).toBe("access-1");
    expect(renewals()).toHaveLength(1);
    expect(await subject.person()).toMatchObject({ subject: "ada" });
  });

  it("is renewed later when the issuer could not be reached", async () => {
    const subject = signIn();
    await signedIn(subject);
    tokens = () => [503, { error: "temporarily_unavailable" }];
    expect(await subject.getToken({ refresh: true })).toBe("access-1");
    tokens = () => [200, answer({ access_token: "access-2" })];
    expect(await subject.getToken({ refresh: true })).toBe("access-2");
  });

  it("costs one attempt for all that wait when the issuer is not reached", async () => {
    const subject = signIn();
    await signedIn(subject);
    tokens = () => [503, { error: "temporarily_unavailable" }];
    const refused = { refresh: true, refused: "access-1" };
    const got = await Promise.all([1, 2, 3].map(() => subject.getToken(refused)));
    expect(got).toEqual(["access-1", "access-1", "access-1"]);
    expect(renewals()).toHaveLength(1);
  });

  it("is not renewed without a refresh token", async () => {
    tokens = () => [200, answer({ refresh_token: undefined })];
    const subject = signIn();
    await signedIn(subject);
    expect(await subject.getToken({ refresh: true })).toBe("access-1");
    expect(renewals()).toEqual([]);
  });

  it("that is an ID token is not renewed by an issuer that sends no new one", async () => {
    const subject = signIn({ token: "id" });
    await signedIn(subject);
    const old = await subject.getToken({ refresh: false });
    tokens = () => [200, answer({ id_token: undefined })];
    expect(await subject.getToken({ refresh: true })).toBe(old);
    expect(await subject.getToken({ refresh: true })).toBe(old);
    expect(renewals()).toHaveLength(1);
  });

  it("does not come back when somebody signs out while it is renewed", async () => {
    const subject = signIn();
    await signedIn(subject);
    let signedOut: Promise<void> | undefined;
    tokens = () => {
      signedOut = stored.write(null); // as another window does
      return [200, answer({ access_token: "access-2" })];
    };
    expect(await subject.getToken({ refresh: true })).toBeNull();
    await signedOut;
    expect(await subject.person()).toBeNull();
  });
});

describe("signing out", () => {
  it("forgets the tokens, takes the refresh token back and ends the issuer's session", async () => {
    metadata = { end_session_endpoint: `${issuer.origin}/end` };
    const subject = signIn();
    await signedIn(subject);
    await subject.end();
    expect(await stored.read()).toBeNull();
    const revoked = issuer.seen.find(({ path }) => path === "/revoke");
    expect(revoked?.body.toString()).toContain("token=refresh-1");
    const { pathname, searchParams } = new URL(went.at(-1) ?? "");
    expect(pathname).toBe("/end");
    expect(Object.fromEntries(searchParams)).toEqual({
      client_id: "page",
      id_token_hint: expect.any(String),
      post_logout_redirect_uri: `${location.origin}/`,
    });
  });

  it("stays on the page where the issuer has no address for it, or is not reached", async () => {
    const subject = signIn();
    await signedIn(subject);
    await subject.end();
    expect(went.at(-1)).toBe("/");
    await signedIn(subject);
    await issuer.close();
    await signIn().end();
    expect(went.at(-1)).toBe("/");
    expect(await stored.read()).toBeNull();
  });

  it("leaves the conversation also when the issuer's code cannot be loaded", async () => {
    await signedIn(signIn());
    loads(false);
    await signIn().end();
    expect(went.at(-1)).toBe("/");
  });

  it("gives Cognito the parameters that it knows", async () => {
    const cognito = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool";
    const described = {
      issuer: cognito,
      authorization_endpoint: "https://chat.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
      token_endpoint: `${issuer.origin}/token`,
      end_session_endpoint: "https://chat.auth.eu-west-1.amazoncognito.com/logout",
    };
    const real = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) =>
      String(input).startsWith(cognito) ? Response.json(described) : real(input, init),
    );
    const subject = signIn({ issuer: cognito, token: "id" });
    await signedIn(subject);
    await subject.end();
    const url = new URL(went.at(-1) ?? "");
    expect(url.origin + url.pathname).toBe(described.end_session_endpoint);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "page",
      logout_uri: `${location.origin}/`,
    });
  });
});
