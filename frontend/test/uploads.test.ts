import { describe, expect, it } from "vitest";
import { acceptAttribute, refusal } from "../src/standin/uploads";

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
