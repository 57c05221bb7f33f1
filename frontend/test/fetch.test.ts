// @vitest-environment node
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ChatKitFetchOptions, createChatKitFetch } from "../src/chatkit/fetch";
import { type Answer, json, startServer, stream } from "./server";
import { until } from "./wait";

let server: Awaited<ReturnType<typeof startServer>>;
afterEach(() => {
  vi.unstubAllGlobals();
  return server?.close();
});

async function setUp(answer: Answer, options: Partial<ChatKitFetchOptions> = {}) {
  server = await startServer(answer);
  const request = createChatKitFetch({ api: server.api, ...options });
  const send = (type: string, init: RequestInit = {}) =>
    request(server.api.chat, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type, params: {} }),
      ...init,
    });
  return { request, send };
}

const runIds = () =>
  server.seen.map(({ headers }) => headers["x-chatkit-run-id"]).filter((id) => id !== undefined);

describe("routing", () => {
  it.each(["threads.custom_action", "threads.sync_custom_action", "input.transcribe"])(
    "sends %s to the second function",
    async (type) => {
      const { send } = await setUp((_, response) => json(response, {}));
      await send(type);
      expect(server.seen[0]?.path).toBe("/actions");
    },
  );

  it.each(["threads.create", "threads.list", "items.feedback", "attachments.create"])(
    "sends %s to the chat function",
    async (type) => {
      const { send } = await setUp((_, response) => json(response, {}));
      await send(type);
      expect(server.seen[0]?.path).toBe("/chatkit");
    },
  );

  it("sends an operation as JSON, also when its sender named no type", async () => {
    const { send, request } = await setUp((_, response) => json(response, {}));
    await send("threads.list", { headers: {} });
    await request(`${server.api.chat}/session`, {
      method: "POST",
      body: new URLSearchParams("a=b"),
    });
    expect(server.seen.map(({ headers }) => headers["content-type"])).toEqual([
      "application/json",
      "application/x-www-form-urlencoded;charset=UTF-8",
    ]);
  });

  it("follows a 307 with the body and every header", async () => {
    const { send } = await setUp((seen, response) => {
      if (seen.path === "/actions") response.writeHead(307, { location: "/chatkit" }).end();
      else stream(response, []);
    });
    const response = await send("threads.custom_action");
    await response.text();
    const [first, second] = server.seen;
    expect(second?.path).toBe("/chatkit");
    expect(second?.method).toBe("POST");
    expect(second?.body.equals(first?.body as Buffer)).toBe(true);
    for (const name of ["x-chatkit-run-id", "x-amz-content-sha256", "content-type"]) {
      expect(second?.headers[name]).toBe(first?.headers[name]);
    }
  });

  it("leaves every other address alone", async () => {
    const { request } = await setUp((_, response) => json(response, {}), { getToken: () => "t" });
    await request(`${server.origin}/bucket/file`, { method: "PUT", body: "bytes" });
    await request(`${server.origin}/chatkitten`, {
      method: "POST",
      body: '{"type":"threads.create"}',
    });
    for (const { headers } of server.seen) {
      const ours = Object.keys(headers).filter((name) => /^x-(chatkit|amz)/.test(name));
      expect(ours).toEqual([]);
    }
  });
});

describe("uploads", () => {
  const signed = { "Content-Type": "text/plain", "If-None-Match": "*" };

  async function announced(status = 200) {
    const { request, send } = await setUp((seen, response) => {
      if (seen.path !== "/chatkit") return response.writeHead(status).end("<Error/>");
      const url = `${server.origin}/bucket/file?X-Amz-Signature=1%2F2`;
      json(response, { id: "a", upload_descriptor: { url, method: "PUT", headers: signed } });
    });
    const made = await (await send("attachments.create")).json();
    return { request, url: made.upload_descriptor.url as string };
  }

  function form(...files: string[]) {
    const made = new FormData();
    made.append("name", "main.ts");
    for (const text of files)
      made.append("file", new File([text], "main.ts", { type: "video/mp2t" }));
    return made;
  }

  it.each([
    ["a form", (url: string) => [url, { method: "POST", body: form("let ü") }]],
    ["a request", (url: string) => [new Request(url, { method: "POST", body: form("let ü") })]],
  ])("turns %s with one file that is posted to its link into the signed PUT", async (_, posted) => {
    const { request, url } = await announced();
    const response = await request(...(posted(url) as Parameters<typeof fetch>));
    expect(response.status).toBe(200);
    const seen = server.seen[1];
    expect([seen?.method, seen?.path]).toEqual(["PUT", "/bucket/file?X-Amz-Signature=1%2F2"]);
    expect(seen?.body.toString()).toBe("let ü");
    expect(seen?.headers["content-type"]).toBe("text/plain");
    expect(seen?.headers["if-none-match"]).toBe("*");
    expect(seen?.headers["content-length"]).toBe("6");
    expect(Object.keys(seen?.headers ?? {}).filter((name) => name.startsWith("x-"))).toEqual([]);
  });

  it.each([
    ["the form", () => ({ method: "POST", body: form("let ü") })],
    ["the element's own PUT", () => ({ method: "PUT", body: "let ü", headers: signed })],
  ])("says that the file arrived when %s is answered 412, because it is there", async (_, init) => {
    const { request, url } = await announced(412);
    const response = await request(url, init());
    expect([response.ok, await response.text()]).toEqual([true, ""]);
    expect((await request(`${server.origin}/other`, init())).status).toBe(412);
  });

  it.each([403, 409, 500])("passes on that an upload was refused with %i", async (status) => {
    const { request, url } = await announced(status);
    const response = await request(url, { method: "POST", body: form("let ü") });
    expect([response.status, await response.text()]).toEqual([status, "<Error/>"]);
  });

  it("leaves alone what is no form with one file, or goes elsewhere", async () => {
    const { request, url } = await announced();
    await request(url, { method: "PUT", body: "bytes", headers: signed });
    await request(url, { method: "POST", body: "text" });
    await request(url, { method: "POST", body: form() });
    await request(url, { method: "POST", body: form("a", "b") });
    await request(`${server.origin}/other`, { method: "POST", body: form("a") });
    expect(server.seen.slice(1).map(({ method }) => method)).toEqual([
      "PUT",
      "POST",
      "POST",
      "POST",
      "POST",
    ]);
    expect(server.seen[2]?.body.toString()).toBe("text");
  });

  it("stops the upload when the element does", async () => {
    const { request, url } = await announced();
    const stop = new AbortController();
    stop.abort();
    const posted = request(url, { method: "POST", body: form("a"), signal: stop.signal });
    await expect(posted).rejects.toThrow(/abort/i);
    expect(server.seen).toHaveLength(1);
  });
});

describe("headers", () => {
  it("hashes the body for CloudFront", async () => {
    const { send } = await setUp((_, response) => json(response, {}));
    await send("threads.list");
    expect(server.seen[0]?.headers["x-amz-content-sha256"]).toBe(server.seen[0]?.sha256);
  });

  it("hashes a form as it is sent, boundary included", async () => {
    const { request } = await setUp((_, response) => json(response, {}));
    const form = new FormData();
    form.append("file", new Blob(["sound"], { type: "audio/webm" }), "note.webm");
    await request(`${server.api.actions}/transcribe`, { method: "POST", body: form });
    const [seen] = server.seen;
    const boundary = /boundary=(\S+)/.exec(seen?.headers["content-type"] ?? "")?.[1];
    expect(boundary).toBeTruthy();
    expect(seen?.body.toString()).toContain(boundary);
    expect(seen?.headers["x-amz-content-sha256"]).toBe(seen?.sha256);
  });

  it("says who asks by cookies, also to another origin", async () => {
    let sent: RequestInit | undefined;
    const request = createChatKitFetch({
      api: {
        chat: "https://chat.example.com/chatkit",
        actions: "https://chat.example.com/actions",
      },
      fetch: async (_url, init) => {
        sent = init;
        return Response.json({});
      },
    });
    await request("https://chat.example.com/chatkit", { method: "POST", body: "{}" });
    expect(sent?.credentials).toBe("include");
    expect(new Headers(sent?.headers).has("x-chatkit-authorization")).toBe(false);
  });

  it("says what page it is, in any script", async () => {
    const { send } = await setUp((_, response) => json(response, {}), {
      pageContext: () => ({ url: "https://example.com/a", title: "Käse 東京" }),
    });
    await send("threads.list");
    const { headers } = server.seen[0] ?? {};
    expect(headers?.["x-chatkit-page-url"]).toBe("https://example.com/a");
    expect(decodeURIComponent(String(headers?.["x-chatkit-page-title"]))).toBe("Käse 東京");
  });

  it.each([
    ["an emoji at the place where it is cut off", `${"x".repeat(199)}😀y`, `${"x".repeat(199)}😀`],
    ["half an emoji", "a\ud83d b", "a\ufffd b"],
  ])("says a page's title that has %s", async (_, title, said) => {
    const { send } = await setUp((_, response) => json(response, {}));
    vi.stubGlobal("document", { title });
    vi.stubGlobal("location", { href: server.api.chat, origin: "o", pathname: "/", search: "" });
    await send("threads.list");
    const header = server.seen[0]?.headers["x-chatkit-page-title"];
    expect(decodeURIComponent(String(header))).toBe(said);
  });

  it("takes a Request as well", async () => {
    const { request } = await setUp((_, response) => json(response, {}));
    const body = JSON.stringify({ type: "input.transcribe", params: {} });
    const headers = { "content-type": "application/json", "accept-language": "pt-BR" };
    await request(new Request(server.api.chat, { method: "POST", body, headers }));
    expect(server.seen[0]?.path).toBe("/actions");
    expect(server.seen[0]?.body.toString()).toBe(body);
    expect(server.seen[0]?.headers["accept-language"]).toBe("pt-BR");
  });
});

describe("token", () => {
  it("goes in a header that CloudFront does not overwrite", async () => {
    const { send } = await setUp((_, response) => json(response, {}), { getToken: () => "abc" });
    await send("threads.list");
    expect(server.seen[0]?.headers["x-chatkit-authorization"]).toBe("Bearer abc");
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
  });

  it("is asked for anew after a 401, once, and the request is repeated", async () => {
    const asked: unknown[] = [];
    const { send } = await setUp(
      (seen, response) => {
        const good = seen.headers["x-chatkit-authorization"] === "Bearer new";
        json(response, {}, good ? 200 : 401);
      },
      {
        getToken: (reason) => {
          asked.push(reason);
          return reason.refresh ? "new" : "old";
        },
      },
    );
    expect((await send("threads.list")).status).toBe(200);
    expect(asked).toEqual([{ refresh: false }, { refresh: true, refused: "old" }]);
    expect(server.seen).toHaveLength(2);
  });

  it("that stays refused is reported, not asked for again", async () => {
    const seen: number[] = [];
    const { send } = await setUp((_, response) => json(response, {}, 401), {
      getToken: () => "bad",
      onResponse: (_operation, { status }) => seen.push(status),
    });
    expect((await send("threads.list")).status).toBe(401);
    expect(server.seen).toHaveLength(2);
    expect(seen).toEqual([401]);
  });
});

describe("runs", () => {
  it("have an id when they stream, and none when they do not", async () => {
    const { send } = await setUp((_, response) => stream(response, []));
    await (await send("threads.create")).text();
    await (await send("threads.list")).text();
    expect(server.seen[0]?.headers["x-chatkit-run-id"]).toMatch(/^run_[0-9a-f]{32}$/);
    expect(server.seen[1]?.headers["x-chatkit-run-id"]).toBeUndefined();
  });

  it("keep their id when the element sends them again after a failure", async () => {
    const answers = [503, 502, 200, 200];
    const { send } = await setUp((_, response) => {
      const status = answers.shift() ?? 200;
      if (status === 200) stream(response, []);
      else json(response, {}, status);
    });
    for (let index = 0; index < 4; index += 1) await (await send("threads.create")).text();
    const [first, second, third, fourth] = runIds();
    expect(second).toBe(first);
    expect(third).toBe(first);
    expect(fourth).not.toBe(first);
  });

  it("are cancelled when the element aborts in the middle of the answer", async () => {
    const { send } = await setUp((seen, response) => {
      if (seen.path === "/actions/cancel") json(response, { cancelled: true });
      else stream(response, [{ type: "progress_update", text: "…" }], false);
    });
    const controller = new AbortController();
    const response = await send("threads.create", { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    const cancel = await until(() => server.seen.find(({ path }) => path === "/actions/cancel"));
    expect(JSON.parse(cancel.body.toString())).toEqual({ run_id: runIds()[0] });
    expect(cancel.headers["x-amz-content-sha256"]).toBe(cancel.sha256);
  });

  it("are cancelled when the reader of the answer gives up", async () => {
    const { send } = await setUp((seen, response) => {
      if (seen.path === "/actions/cancel") json(response, { cancelled: true });
      else stream(response, [{ type: "progress_update", text: "…" }], false);
    });
    const response = await send("threads.create");
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await until(() => server.seen.find(({ path }) => path === "/actions/cancel"));
  });

  it("that are over are not cancelled by a late abort", async () => {
    const { send } = await setUp((_, response) => stream(response, [{ type: "x" }]));
    const controller = new AbortController();
    await (await send("threads.create", { signal: controller.signal })).text();
    controller.abort();
    await (await send("threads.list")).text();
    expect(server.seen.map(({ path }) => path)).toEqual(["/chatkit", "/chatkit"]);
  });
});
