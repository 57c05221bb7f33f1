import { expect, it } from "vitest";
import { readEvents } from "../src/standin/sse";

async function read(...chunks: (string | Uint8Array)[]): Promise<unknown[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      }
      controller.close();
    },
  });
  const events: unknown[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

it("reads events however they are cut", async () => {
  expect(await read('data: {"a', '":1}\n', '\ndata: {"a":2}\n\n')).toEqual([{ a: 1 }, { a: 2 }]);
});

it("reads a character that is cut in two", async () => {
  const bytes = new TextEncoder().encode('data: {"a":"é"}\n\n');
  const middle = bytes.indexOf(0xc3) + 1;
  expect(await read(bytes.slice(0, middle), bytes.slice(middle))).toEqual([{ a: "é" }]);
});

it("passes over comments, which only keep the line open", async () => {
  expect(await read(": still here\n\n", 'data: {"a":1}\n\n', ": \n\n")).toEqual([{ a: 1 }]);
});

it("takes any line ending, and a last event without its blank line", async () => {
  expect(await read('data: {"a":1}\r\n\r\ndata:{"a":2}')).toEqual([{ a: 1 }, { a: 2 }]);
});
