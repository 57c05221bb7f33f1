import { afterEach, describe, expect, it } from "vitest";
import { Client } from "../src/standin/client";
import { acceptAttribute, refusal, startUpload } from "../src/standin/uploads";
import { json, startServer } from "./server";
import { until } from "./wait";

const MB = 1024 * 1024;
const limits = {
  enabled: true,
  maxSize: { "image/*": 2 * MB, "*": MB },
  maxCount: 2,
  accept: { "image/png": [".png"], "text/*": [".txt", ".md"] },
};

function file(name: string, type: string, size = 1): File {
  const made = new File(["x"], name, { type });
  Object.defineProperty(made, "size", { value: size });
  return made;
}

describe("a file", () => {
  it.each([
    ["by its type", file("a", "image/png")],
    ["by a wildcard", file("a", "text/csv")],
    ["by its ending, where the browser knows no type", file("READ.MD", "")],
  ])("is taken %s", (_how, given) => {
    expect(refusal(given, limits, 0)).toBeNull();
  });

  it.each([
    ["of another kind", file("a.zip", "application/zip"), 0, "Possible types: .png, text."],
    ["over the limit of its type", file("a.png", "image/png", 3 * MB), 0, "larger than 2 MB"],
    ["over the limit of all others", file("a.txt", "text/plain", 2 * MB), 0, "larger than 1 MB"],
    ["with nothing in it", file("a.txt", "text/plain", 0), 0, "is empty"],
    ["too many", file("a.txt", "text/plain"), 2, "At most 2 files"],
  ])("%s is refused in words", (_why, given, already, words) => {
    expect(refusal(given, limits, already)).toContain(words);
  });
});

it("tells the file dialog what is taken", () => {
  expect(acceptAttribute(limits.accept)).toBe("image/png,.png,text/*,.txt,.md");
});

describe("an upload", () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  afterEach(() => server.close());

  async function uploaded(status: number) {
    const signed = { "content-type": "text/plain", "if-none-match": "*" };
    server = await startServer((seen, response) => {
      const url = `${server.origin}/bucket/file`;
      if (seen.path === "/chatkit")
        return json(response, {
          id: "a",
          upload_descriptor: { url, method: "PUT", headers: signed },
        });
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("access-control-allow-methods", "PUT");
      response.setHeader("access-control-allow-headers", "content-type, if-none-match");
      return response.writeHead(seen.method === "PUT" ? status : 204).end();
    });
    const client = new Client({ api: { url: server.api.chat, domainKey: "local" } });
    const upload = startUpload(file("a.txt", "text/plain"), client, () => {});
    await until(() => upload.state !== "uploading");
    const put = server.seen.find(({ method }) => method === "PUT");
    expect(put?.headers["if-none-match"]).toBe("*");
    return upload;
  }

  it.each([
    ["is accepted", 200],
    ["is there already (412)", 412],
  ])("is done when the file %s", async (_how, status) => {
    expect(await uploaded(status)).toMatchObject({ state: "done", error: undefined });
  });

  it.each([403, 409, 500])("has failed when it is answered %i", async (status) => {
    expect(await uploaded(status)).toMatchObject({
      state: "failed",
      error: "The upload was refused.",
    });
  });
});
