import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSession, SessionError } from "../src/chatkit/session";

const api = { chat: "https://api.test/chatkit", actions: "https://api.test/actions" };
const calls: Headers[] = [];
let answer: () => Response | Promise<Response>;

const fetch: typeof globalThis.fetch = async (_input, init) => {
  calls.push(new Headers(init?.headers));
  return answer();
};

const session = (token: string | null) =>
  Response.json({ user: { id: "ada" }, token, expiresAt: "2030-01-01T00:00:00Z" });

beforeEach(() => {
  calls.length = 0;
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
  });
});
