import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type SignedIn, storedUnder } from "../src/sign-in/stored";

const of = (token: string): SignedIn => ({
  subject: "ada",
  since: 1,
  token,
  renewAt: 2,
  refreshToken: "refresh-1",
  idToken: "id-1",
});

beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => vi.unstubAllGlobals());

describe("what is stored of a sign-in", () => {
  it("is the same in all windows", async () => {
    await storedUnder("one").write(of("t1"));
    expect(await storedUnder("one").read()).toEqual(of("t1"));
    expect(await storedUnder("another issuer").read()).toBeNull();
  });

  it("is replaced where it is still the same", async () => {
    const stored = storedUnder("one");
    await stored.write(of("t1"));
    expect(await stored.replace("t1", of("t2"))).toEqual(of("t2"));
    expect(await stored.replace("t1", of("t3"))).toEqual(of("t2"));
    expect(await stored.read()).toEqual(of("t2"));
  });

  it("is not brought back by a renewal when somebody signs out at the same time", async () => {
    const [stored, otherWindow] = [storedUnder("one"), storedUnder("one")];
    await stored.write(of("t1"));
    await Promise.all([stored.replace("t1", of("t2")), otherWindow.write(null)]);
    expect(await stored.read()).toBeNull();
    expect(await stored.replace("t1", of("t2"))).toBeNull();
    expect(await stored.read()).toBeNull();
  });

  it("is what this window has seen last where it cannot be read, and writing fails", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    const stored = storedUnder("one");
    await stored.write(of("t1"));
    vi.spyOn(indexedDB, "open").mockImplementation(() => {
      throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
    });
    expect(await stored.read()).toEqual(of("t1"));
    await expect(stored.replace("t1", of("t2"))).rejects.toThrow("lost");
    await expect(stored.write(null)).rejects.toThrow("lost");
  });

  it("is announced to other windows when it changes", async () => {
    const [stored, otherWindow] = [storedUnder("one"), storedUnder("one")];
    const changed = new Promise<void>((resolve) => otherWindow.onChange(resolve));
    await stored.write(of("t1"));
    await changed;
  });
});
