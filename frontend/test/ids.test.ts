import { expect, it, vi } from "vitest";
import { randomId } from "../src/chatkit/ids";

it("makes random ids on plain http, where crypto.randomUUID is missing", () => {
  const { getRandomValues } = crypto;
  vi.stubGlobal("crypto", { getRandomValues: getRandomValues.bind(crypto) });
  const ids = [randomId(), randomId()];
  vi.unstubAllGlobals();
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
