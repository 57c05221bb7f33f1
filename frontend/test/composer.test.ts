import { describe, expect, it } from "vitest";
import { Composer, splitMentions, wordAt } from "../src/standin/composer";

const ada = { id: "1", title: "Ada" };
const lovelace = { id: "2", title: "Ada Lovelace", data: { email: "ada@example.com" } };

describe("mentions", () => {
  it("are cut out where they stand, the longest name first", () => {
    expect(splitMentions("ask @Ada Lovelace and @Ada!", [ada, lovelace])).toEqual([
      "ask ",
      lovelace,
      " and ",
      ada,
      "!",
    ]);
  });

  it("that were deleted from the text are not sent", () => {
    const composer = new Composer();
    composer.text = "never mind";
    composer.mentions = [ada];
    expect(composer.content()).toEqual([{ type: "input_text", text: "never mind" }]);
  });

  it("survive a way out and back", () => {
    const composer = new Composer();
    composer.text = "ask @Ada Lovelace";
    composer.mentions = [lovelace];
    const content = composer.content();
    composer.take();
    composer.fill(content);
    expect(composer.content()).toEqual(content);
  });
});

describe("the word before the caret", () => {
  it("opens the menu at the start of a word only", () => {
    expect(wordAt("hi @ad", 6, "@")).toEqual({ start: 3, query: "ad" });
    expect(wordAt("a@example", 9, "@")).toBeNull();
    expect(wordAt("@one two three", 14, "@")).toBeNull();
  });

  it("is a command only when nothing stands before it", () => {
    expect(wordAt("/no", 3, "/")).toEqual({ start: 0, query: "no" });
    expect(wordAt("this /no", 8, "/")).toBeNull();
  });
});

it("gives back what could not be sent, but not over something new", () => {
  const composer = new Composer();
  composer.text = "first";
  const taken = composer.take();
  composer.giveBack(taken);
  expect(composer.text).toBe("first");
  composer.text = "second";
  composer.giveBack(taken);
  expect(composer.text).toBe("second");
});
