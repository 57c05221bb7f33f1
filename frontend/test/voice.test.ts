// @vitest-environment node
import { afterEach, expect, it } from "vitest";
import { createChatKitFetch } from "../src/chatkit/fetch";
import { transcribe } from "../src/chatkit/voice";
import { json, startServer } from "./server";

let server: Awaited<ReturnType<typeof startServer>>;
afterEach(() => server.close());

/** Transcribes a recording that is uploaded first, and whose upload is answered with `status`. */
async function transcribed(status: number) {
  const headers = { "Content-Type": "audio/webm", "If-None-Match": "*" };
  server = await startServer((seen, response) => {
    const url = `${server.origin}/bucket/note`;
    if (seen.path === "/actions/uploads") json(response, { key: "note", url, headers });
    else if (seen.path === "/actions/transcribe") json(response, { text: "take a note" });
    else response.writeHead(status).end();
  });
  const { actions } = server.api;
  const audio = new Blob([new Uint8Array(5 * 1024 * 1024)], { type: "audio/webm" });
  return transcribe(audio, { actions, fetch: createChatKitFetch({ api: server.api }) });
}

it.each([
  ["is accepted", 200],
  ["is there already (412)", 412],
])("transcribes a long recording when it %s", async (_how, status) => {
  expect(await transcribed(status)).toBe("take a note");
  expect(server.seen.map(({ path }) => path)).toEqual([
    "/actions/uploads",
    "/bucket/note",
    "/actions/transcribe",
  ]);
  expect(server.seen[1]?.headers).toMatchObject({
    "content-type": "audio/webm",
    "if-none-match": "*",
  });
});

it.each([403, 409, 500])("says that a long recording was refused with %i", async (status) => {
  await expect(transcribed(status)).rejects.toThrow("The recording could not be uploaded.");
  expect(server.seen).toHaveLength(2);
});
