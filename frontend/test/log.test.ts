import { expect, it } from "vitest";
import { createLog, withoutText } from "../src/chatkit/log";

it("keeps numbers and identifiers, and never a sentence", () => {
  const detail = {
    status: 500,
    code: "stream.error",
    ok: false,
    text: "My secret is 42",
    list: [1],
  };
  expect(withoutText(detail)).toEqual({ status: 500, code: "stream.error", ok: false });
});

it("stops after fifty errors, so that a loop is no flood, and chatter keeps none of them back", async () => {
  const bodies: string[] = [];
  const log = createLog({
    chat: "/chatkit",
    fetch: async (_input, init) => {
      bodies.push(String(init?.body));
      return new Response(null, { status: 204 });
    },
  });
  for (let index = 0; index < 80; index += 1) log("info", "chatter", { index });
  for (let index = 0; index < 80; index += 1) log("error", "x", { index });
  const levels = bodies.map((body) => JSON.parse(body).level);
  expect(levels.filter((level) => level === "error")).toHaveLength(50);
  expect(levels.filter((level) => level === "info")).toHaveLength(20);
});
