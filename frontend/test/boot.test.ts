/** What the page shows first, with sign-in. */
import { IDBFactory } from "fake-indexeddb";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Account } from "../src/app/Account";
import { arrive } from "../src/app/arrive";
import { boot } from "../src/app/boot";
import { texts } from "../src/app/brand";
import type { SignInConfig } from "../src/chatkit";
import { createSignIn, type SignIn } from "../src/sign-in";
import { storedUnder } from "../src/sign-in/stored";
import { until } from "./wait";

const ISSUER = "https://login.test";

let config: SignInConfig;
let session: () => Response;

const OF_THE_PAGE = () => ({
  version: "0",
  chatkitScript: "https://cdn.example.com/chatkit.js",
  domainKey: "local-dev",
  api: { chat: "/chatkit", actions: "/actions" },
  auth: "oidc",
  signIn: config,
  model: { name: "demo", label: "Offline demo" },
  features: {},
});

const OF_THE_ISSUER = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
};

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  vi.stubGlobal("fetch", async (input: URL | string) => {
    const { pathname } = new URL(input, location.href);
    if (pathname === "/config.json") return Response.json(OF_THE_PAGE());
    if (pathname === "/chatkit/session") return session();
    if (pathname.startsWith("/.well-known/")) return Response.json(OF_THE_ISSUER);
    return Response.json({});
  });
  config = {
    issuer: ISSUER,
    clientId: "page",
    scope: "openid",
    audience: null,
    token: "access",
    optional: false,
  };
  session = () => Response.json({ user: { id: "u" }, token: null, expiresAt: "" });
  history.replaceState(null, "", "/");
});

afterEach(() => {
  vi.unstubAllGlobals();
  sessionStorage.clear();
  document.head.innerHTML = "";
});

/** Somebody has signed in, and their token cannot be renewed. */
const signedIn = () =>
  storedUnder(`${ISSUER} page`).write({
    subject: "ada",
    since: 1,
    token: "access-1",
    renewAt: Number.MAX_SAFE_INTEGER,
    refreshToken: null,
    idToken: "id-1",
  });

/** Nobody is challenged here. */
const ask = () => Promise.reject(new Error("no challenge"));

/** Goes to the issuer, and comes back as somebody who has cancelled. */
async function cancel() {
  let went = "";
  await createSignIn(config, { go: (url) => (went = url) }).begin("/?thread=thr_1");
  const state = new URL(went).searchParams.get("state");
  history.replaceState(null, "", `/signed-in?error=access_denied&state=${state}`);
}

describe("the page begins", () => {
  it("with the start screen where people have to sign in, also after they have cancelled", async () => {
    expect(await boot(ask)).toMatchObject({ at: "signed-out", notice: null });
    vi.spyOn(console, "warn").mockReturnValue();
    await cancel();
    expect(await boot(ask)).toMatchObject({ at: "signed-out", notice: texts.signIn.failed });
  });

  it("with the chat where they need not, and says there that nobody was signed in", async () => {
    config.optional = true;
    vi.spyOn(console, "warn").mockReturnValue();
    await cancel();
    const booted = boot(ask);
    const script = await until(() => document.head.querySelector("script[src]"));
    script.dispatchEvent(new Event("error"));
    expect(await booted).toMatchObject({ at: "ready", notice: texts.signIn.failed, person: null });
    expect(location.pathname + location.search).toBe("/?thread=thr_1");
  });

  it("with a way to sign out where a sign-in has ended that nobody needs", async () => {
    config.optional = true;
    await signedIn();
    session = () => Response.json({}, { status: 401 });
    expect(await boot(ask)).toMatchObject({
      at: "signed-out",
      notice: texts.signIn.ended,
      person: { subject: "ada", since: 1 },
      optional: true,
      again: false,
    });
  });

  it("with a sign-in that asks for the password, after a person has signed out everywhere", async () => {
    await signedIn();
    const challenge = 'Bearer realm="chatkit", error="insufficient_user_authentication"';
    const headers = { "www-authenticate": challenge };
    session = () => Response.json({}, { status: 401, headers });
    expect(await boot(ask)).toMatchObject({ at: "signed-out", again: true });
  });
});

/** A sign-in whose issuer is not reached. */
const unreachable = (): SignIn & { begin: ReturnType<typeof vi.fn> } => ({
  person: async () => null,
  getToken: () => null,
  begin: vi.fn().mockRejectedValue(new Error("not reached")),
  finish: () => Promise.reject(new Error("not asked")),
  end: async () => undefined,
  onChange: () => () => undefined,
});

describe("the address that begins to sign in", () => {
  it("is left when that fails, so that a reload does not try again", async () => {
    history.replaceState(null, "", "/sign-in");
    expect(await arrive(unreachable())).toBe("failed");
    expect(location.pathname).toBe("/");
  });

  it("passes on that the issuer has to ask for the password", async () => {
    history.replaceState(null, "", "/sign-in?again");
    const signIn = unreachable();
    await arrive(signIn);
    expect(signIn.begin).toHaveBeenCalledWith("/", { close: true, again: true });
  });
});

it("says in the header, too, that sign-in needs HTTPS", async () => {
  vi.stubGlobal("isSecureContext", false);
  const root = document.body.appendChild(document.createElement("div"));
  const account = {
    signIn: unreachable(),
    session: { user: { id: "u" }, token: null, expiresAt: "" },
  };
  createRoot(root).render(createElement(Account, account));
  (await until(() => root.querySelector("button"))).click();
  const alert = await until(() => root.querySelector("[role=alert]"));
  expect(alert.textContent).toBe(texts.signIn.insecure);
  root.remove();
});
