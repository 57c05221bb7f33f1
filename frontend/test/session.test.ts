import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSession, SessionError } from "../src/chatkit/session";

const api = { chat: "https://api.test/chatkit", actions: "https://api.test/actions" };
const calls: Headers[] = [];
const urls: string[] = [];
const bodies: unknown[] = [];
let answer: () => Response | Promise<Response>;

const fetch: typeof globalThis.fetch = async (input, init) => {
  urls.push(String(input));
  calls.push(new Headers(init?.headers));
  const body = init?.body;
  bodies.push(JSON.parse(body ? new TextDecoder().decode(body as Uint8Array) : "null"));
  return answer();
};

const session = (token: string | null) =>
  Response.json({ user: { id: "ada" }, token, expiresAt: "2030-01-01T00:00:00Z" });

beforeEach(() => {
  calls.length = 0;
  urls.length = 0;
  bodies.length = 0;
});
afterEach(() => localStorage.clear());

describe("an anonymous session", () => {
  it("is opened once by any number of parallel callers", async () => {
    answer = () => session(null);
    const { open } = createSession({ api, fetch });
    const [one, two] = await Promise.all([open(), open()]);
    expect(one).toBe(two);
    expect(calls).toHaveLength(1);
  });

  it("on another origin keeps its token through a reload", async () => {
    answer = () => session("tok");
    await createSession({ api, fetch }).open();
    const reloaded = createSession({ api, fetch });
    await reloaded.open();
    expect(calls[1]?.get("x-chatkit-authorization")).toBe("Bearer tok");
    expect(await reloaded.getToken({ refresh: false })).toBe("tok");
  });

  it("takes over the token that an answer renews", async () => {
    const { onResponse, getToken } = createSession({ api, fetch });
    onResponse("threads.list", new Response("{}", { headers: { "x-chatkit-token": "newer" } }));
    expect(await getToken({ refresh: false })).toBe("newer");
  });

  it("is opened anew when the server no longer takes the token", async () => {
    answer = () => session("fresh");
    const { getToken } = createSession({ api, fetch });
    expect(await getToken({ refresh: true })).toBe("fresh");
  });
});

describe("where people may sign in", () => {
  it("whoever has not is an anonymous visitor, who keeps their token on another origin", async () => {
    answer = () => session("tok");
    const { open, getToken } = createSession({ api, fetch, getToken: () => null });
    await open();
    expect(await getToken({ refresh: false })).toBe("tok");
  });

  it("whoever has is known by that token alone", async () => {
    localStorage.setItem(`chatkit.token:${api.chat}`, "as a visitor");
    answer = () => session(null);
    const { open, getToken } = createSession({ api, fetch, getToken: () => "ada's" });
    await open();
    expect(calls[0]?.get("x-chatkit-authorization")).toBe("Bearer ada's");
    expect(await getToken({ refresh: true })).toBe("ada's");
    expect(calls).toHaveLength(1);
  });
});

describe("signing out everywhere", () => {
  it("ends the sessions on the server and forgets the token", async () => {
    answer = () => session("tok");
    const { open, signOutEverywhere, getToken } = createSession({ api, fetch });
    await open();
    answer = () => new Response(null, { status: 204 });
    await signOutEverywhere();
    expect(urls[1]).toBe("https://api.test/chatkit/session/end");
    expect(calls[1]?.get("x-chatkit-authorization")).toBe("Bearer tok");
    expect(await getToken({ refresh: false })).toBeNull();
  });

  it("keeps the visitor's token when a person signs out, whose token is another one", async () => {
    localStorage.setItem(`chatkit.token:${api.chat}`, "as a visitor");
    let token: string | null = "ada's";
    const { signOutEverywhere, getToken } = createSession({ api, fetch, getToken: () => token });
    answer = () => new Response(null, { status: 204 });
    await signOutEverywhere();
    token = null;
    expect(await getToken({ refresh: false })).toBe("as a visitor");
  });

  it("keeps the token when the server refuses, and repeats what it says", async () => {
    answer = () => session("tok");
    const { open, signOutEverywhere, getToken } = createSession({ api, fetch });
    await open();
    answer = () => Response.json({ message: "Not now." }, { status: 424 });
    await expect(signOutEverywhere()).rejects.toMatchObject({ message: "Not now.", status: 424 });
    expect(await getToken({ refresh: false })).toBe("tok");
  });
});

describe("where somebody new has to solve a challenge", () => {
  const required = (message = "Show first that you are a person.") =>
    Response.json({ message, code: "challenge_required" }, { status: 401 });
  const solved = () =>
    JSON.stringify(bodies.at(-1)) === '{"challenge":"solved"}' ? session("tok") : required();

  it("sends the token of the solved one, and keeps that of the session", async () => {
    answer = solved;
    const asked: string[] = [];
    const { open, getToken } = createSession({
      api,
      fetch,
      challenge: async () => {
        asked.push("once");
        return "solved";
      },
    });
    const [one, two] = await Promise.all([open(), open()]);
    expect(one).toBe(two);
    expect(asked).toEqual(["once"]);
    expect(bodies).toEqual([{}, { challenge: "solved" }]);
    expect(new Set(urls)).toEqual(new Set(["https://api.test/chatkit/session"]));
    expect(await getToken({ refresh: false })).toBe("tok");
  });

  it("asks nobody whom the server knows", async () => {
    answer = () => session(null);
    const challenge = () => Promise.reject(new Error("must not be asked"));
    await createSession({ api, fetch, challenge }).open();
    expect(bodies).toEqual([{}]);
  });

  it("asks in mid-chat when the server no longer knows the visitor", async () => {
    answer = solved;
    const { getToken } = createSession({ api, fetch, challenge: async () => "solved" });
    expect(await getToken({ refresh: true })).toBe("tok");
  });

  it("repeats what the server says of a token that it refuses, and can be tried again", async () => {
    answer = () => required("Please do it once more.");
    const tokens = ["bad", "solved"];
    const challenge = async () => String(tokens.shift());
    const { open } = createSession({ api, fetch, challenge });
    await expect(open()).rejects.toMatchObject({
      message: "Please do it once more.",
      status: 401,
      code: "challenge_required",
    });
    expect(tokens).toEqual(["solved"]);
    answer = solved;
    await expect(open()).resolves.toMatchObject({ user: { id: "ada" } });
  });

  it("says why the challenge could not be solved", async () => {
    answer = () => required();
    const challenge = () => Promise.reject(new Error("It is blocked."));
    await expect(createSession({ api, fetch, challenge }).open()).rejects.toMatchObject({
      message: "It is blocked.",
      code: "challenge_required",
    });
  });

  it("is refused where the page shows no challenge", async () => {
    answer = () => required("A person?");
    const { open } = createSession({ api, fetch });
    await expect(open()).rejects.toMatchObject({
      message: "A person?",
      code: "challenge_required",
    });
    expect(urls).toHaveLength(1);
  });
});

describe("a failed session", () => {
  it("says that the server was not reached", async () => {
    answer = () => Promise.reject(new TypeError("network"));
    await expect(createSession({ api, fetch }).open()).rejects.toMatchObject({ status: 0 });
  });

  it("repeats what the server says", async () => {
    answer = () => Response.json({ message: "Sign in first." }, { status: 401 });
    const open = createSession({ api, fetch, getToken: () => null }).open();
    await expect(open).rejects.toBeInstanceOf(SessionError);
    await expect(open).rejects.toMatchObject({ message: "Sign in first.", status: 401 });
    await expect(open).rejects.toMatchObject({ signInAgain: false });
  });

  it.each(["www-authenticate", "x-amzn-Remapped-www-authenticate"])(
    "says when the person has to sign in again with their password, by %s",
    async (name) => {
      const challenge = 'Bearer realm="chatkit", error="insufficient_user_authentication"';
      answer = () => Response.json({}, { status: 401, headers: { [name]: challenge } });
      const open = createSession({ api, fetch, getToken: () => "old" }).open();
      await expect(open).rejects.toMatchObject({ status: 401, signInAgain: true });
    },
  );
});
