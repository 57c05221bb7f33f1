import { expect, it } from "vitest";
import { ApiError, BrokenStream, Client } from "../src/standin/client";
import { events } from "./chatkit";

function client(answers: (Response | Error)[]) {
  const sent: string[] = [];
  const fetch: typeof globalThis.fetch = async (_input, init) => {
    sent.push(String(init?.body));
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    if (answer instanceof Error) throw answer;
    return (answer as Response).clone();
  };
  const speaks = new Client({ api: { url: "/chatkit", domainKey: "x", fetch } }, 1);
  const run = async () => {
    const seen: unknown[] = [];
    const signal = new AbortController().signal;
    for await (const event of speaks.stream("threads.create", {}, signal)) seen.push(event);
    return seen;
  };
  return { run, sent, speaks };
}

const refusal = (status: number, message = "No.") => Response.json({ message }, { status });
const good = () => events({ type: "notice" });

it("sends a streaming request again on a 5xx, on a wrong content type, and on no answer", async () => {
  const { run, sent } = client([refusal(503), Response.json({}), new TypeError("network"), good()]);
  expect(await run()).toHaveLength(1);
  expect(sent).toHaveLength(4);
  expect(new Set(sent).size).toBe(1);
});

it("gives up after five more attempts, hides what a 5xx says, and names the run", async () => {
  const failure = refusal(500, "Traceback");
  failure.headers.set("x-chatkit-run-id", "run_1");
  const { run, sent } = client([failure]);
  await expect(run()).rejects.toThrow("Something went wrong. Please try again. (run run_1)");
  expect(sent).toHaveLength(6);
});

it("takes a 4xx as final and repeats its message", async () => {
  const { run, sent } = client([refusal(422, "That message is too long.")]);
  await expect(run()).rejects.toThrow(new ApiError("That message is too long.", 422));
  expect(sent).toHaveLength(1);
});

it("never sends again what began to stream", async () => {
  const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError("cut")) });
  const cut = new Response(body, { headers: { "content-type": "text/event-stream" } });
  const sent: unknown[] = [];
  const speaks = new Client({
    api: {
      url: "/chatkit",
      domainKey: "x",
      fetch: async () => {
        sent.push(1);
        return cut;
      },
    },
  });
  const next = speaks.stream("threads.create", {}, new AbortController().signal).next();
  await expect(next).rejects.toBeInstanceOf(BrokenStream);
  expect(sent).toHaveLength(1);
});

it("does not send a buffered request again", async () => {
  const { speaks, sent } = client([refusal(500)]);
  await expect(speaks.request("threads.list", {})).rejects.toBeInstanceOf(ApiError);
  expect(sent).toHaveLength(1);
});
