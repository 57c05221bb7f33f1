import { render } from "lit-html";
import { describe, expect, it } from "vitest";
import { markdown } from "../src/standin/markdown";

function draw(text: string, domains: string[] = []): HTMLElement {
  const holder = document.createElement("div");
  render(markdown(text, domains), holder);
  return holder.firstElementChild as HTMLElement;
}

/** The markup without lit's markers, and without white space between tags. */
const markup = (text: string): string =>
  draw(text)
    .innerHTML.replace(/<!--.*?-->/g, "")
    .replace(/>\s+</g, "><")
    .trim();

describe("inline", () => {
  it.each([
    [
      "**bold** and *it* and ~~no~~",
      "<p><strong>bold</strong> and <em>it</em> and <del>no</del></p>",
    ],
    ["***both***", "<p><strong><em>both</em></strong></p>"],
    ["**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"],
    ["*a **b** c*", "<p><em>a <strong>b</strong> c</em></p>"],
    ["**a *b***", "<p><strong>a <em>b</em></strong></p>"],
    ["snake_case_name stays", "<p>snake_case_name stays</p>"],
    ["2 * 3 * 4", "<p>2 * 3 * 4</p>"],
    ["`a * b` and ``c ` d``", "<p><code>a * b</code> and <code>c ` d</code></p>"],
    ["\\*not\\* this", "<p>*not* this</p>"],
    ["one\ntwo", "<p>one<br>two</p>"],
    ["a &amp; b &lt; c", "<p>a &amp; b &lt; c</p>"],
    ["unfinished **bold", "<p>unfinished **bold</p>"],
  ])("%s", (source, expected) => {
    expect(markup(source)).toBe(expected);
  });

  it("links what is a link, and only safe ones", () => {
    const hrefs = (text: string) =>
      [...draw(text).querySelectorAll("a")].map((link) => link.getAttribute("href"));
    expect(hrefs("[a](https://a.test/x_(y)) and https://b.test/?q=1.")).toEqual([
      "https://a.test/x_(y)",
      "https://b.test/?q=1",
    ]);
    expect(hrefs("(see https://b.test/c)")).toEqual(["https://b.test/c"]);
    expect(hrefs("[x](javascript:alert(1)) [y](data:text/html,x) [z](//evil.test)")).toEqual([]);
    expect(hrefs("[go](chatkit-link://compose?text=hi)")).toEqual([
      "chatkit-link://compose?text=hi",
    ]);
    expect(hrefs("<a@b.test> <https://c.test>")).toEqual(["mailto:a@b.test", "https://c.test"]);
  });
});

describe("what could do harm", () => {
  it("is text: tags in an answer make no elements", () => {
    const drawn = draw('<img src=x onerror="alert(1)"><script>alert(1)</script>\n\n<b>x</b>');
    expect(drawn.querySelector("img, script, b")).toBeNull();
    expect(drawn.textContent).toContain("<script>alert(1)</script>");
  });

  it("does not load: an image from a host that the thread does not allow is its text", () => {
    expect(draw("![secret](https://evil.test/?q=1)").querySelector("img")).toBeNull();
    const allowed = draw("![cat](https://img.good.test/cat.png)", ["good.test"]);
    expect(allowed.querySelector("img")?.alt).toBe("cat");
  });
});

describe("blocks", () => {
  it("are headings, paragraphs, rules and quotes", () => {
    const drawn = draw("# One\n\nText\n---\n\n> said\n> twice\n\n***");
    expect(drawn.querySelector('[data-level="1"]')?.textContent).toBe("One");
    expect(drawn.querySelector("blockquote p")?.innerHTML).toContain("<br>");
    expect(drawn.querySelectorAll("hr")).toHaveLength(2);
  });

  it("keep code as it is, finished or not", () => {
    const drawn = draw("```python\ndef f():\n    return **1**\n```\nafter\n\n```js\nlet x");
    const codes = [...drawn.querySelectorAll("pre code")].map((code) => code.textContent);
    expect(codes).toEqual(["def f():\n    return **1**", "let x"]);
    expect(drawn.querySelector(".code-bar span")?.textContent).toBe("python");
  });

  it("nest lists, number them, and tick tasks", () => {
    expect(markup("1. one\n   - inner\n   - more\n2. two")).toBe(
      '<ol start="1"><li>one<ul><li>inner</li><li>more</li></ul></li><li>two</li></ol>',
    );
    expect(markup("3. three\n\n4. four")).toContain('<ol start="3">');
    expect(markup("- a\n  - b\n    - c\n- d")).toBe(
      "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>",
    );
    const boxes = [...draw("- [x] done\n- [ ] open").querySelectorAll("input")];
    expect(boxes.map((box) => box.checked)).toEqual([true, false]);
  });

  it("keep a code block and a second paragraph inside their item", () => {
    const drawn = draw("- item\n\n  more\n\n  ```\n  code\n  ```\n- next");
    expect(drawn.querySelectorAll("li")).toHaveLength(2);
    expect(drawn.querySelector("li p")?.textContent).toBe("more");
    expect(drawn.querySelector("li code")?.textContent).toBe("code");
  });

  it("are tables with aligned columns, pipes in code, and missing cells", () => {
    const drawn = draw("| a | b |\n| :- | -: |\n| `x|y` | 2 |\n| 3 |\n|  | 5 |\n\nafter");
    const rows = [...drawn.querySelectorAll("tbody tr")].map((row) =>
      [...row.querySelectorAll("td")].map((cell) => cell.textContent),
    );
    expect(rows).toEqual([
      ["x|y", "2"],
      ["3", ""],
      ["", "5"],
    ]);
    expect(drawn.querySelectorAll('[data-align="right"]')).toHaveLength(4);
    expect(drawn.querySelector(":scope > p")?.textContent).toBe("after");
  });

  it("end a paragraph at a list, but not at a year", () => {
    expect(markup("text\n- a")).toBe("<p>text</p><ul><li>a</li></ul>");
    expect(markup("It was in\n1984. Then")).toBe("<p>It was in<br>1984. Then</p>");
  });
});

it("draws every beginning of a text without trouble", () => {
  const text =
    "# T\n\n- a **b** `c`\n  1. d [e](https://f.test)\n\n| g | h |\n|---|---|\n| i | ~~j~~ |\n\n```x\ny\n```\n> z _w_ ![q](r)";
  for (let end = 0; end <= text.length; end += 1) expect(draw(text.slice(0, end))).toBeTruthy();
});

describe("hostile text", () => {
  const growing = Array.from({ length: 250 }, (_, n) => `${"`".repeat(n + 1)} `).join("");
  it.each([
    ["open brackets and growing code marks", "[".repeat(2_500) + growing],
    ["open images", "![](".repeat(30_000)],
    ["open emphasis", "**a *b ".repeat(20_000)],
    ["code marks", "` `` ```` ".repeat(5_000)],
    ["a long run of stars", `a ${"*".repeat(100_000)}`],
    ["nested emphasis", `${"*a **b ".repeat(3_000)}${"** *".repeat(3_000)}`],
    ["an address and brackets", `http://a${")".repeat(1_900)}\n`.repeat(100)],
    ["a heading with a gap", `# a${" ".repeat(100_000)}b`],
    ["a fence with a mark at its end", `\`\`\`${"a".repeat(100_000)}\``],
    ["a table with gaps", `a|b\n${" ".repeat(100_000)}x-`],
    [
      "a table with many columns and rows",
      `${"|a".repeat(2_000)}\n${"|-".repeat(2_000)}\n${"|\n".repeat(2_000)}`,
    ],
    ["many quotes", "> ".repeat(10_000)],
    ["many quotes over many lines", `${">".repeat(1_000)}a\n`.repeat(100)],
    ["many lists", "* + ".repeat(10_000)],
    ["nested links", `${"[".repeat(5_000)}a${"](b)".repeat(5_000)}`],
  ])(
    "is drawn within ten seconds on a busy machine: %s",
    (_, text) => {
      expect(draw(text).textContent).not.toBe("");
    },
    10_000,
  );

  it("that is too deep keeps its words", () => {
    const quotes = draw(`${"> ".repeat(10_000)}the end`);
    expect(quotes.querySelectorAll("blockquote").length).toBeLessThan(30);
    expect(quotes.textContent).toContain("the end");
    const links = draw(`${"*a _b ".repeat(50)}the end${"_ *".repeat(50)}`);
    expect(links.textContent).toContain("the end");
  });

  it("does not keep the text after it from being drawn", () => {
    const drawn = draw(`${"[".repeat(5_000)}\n\n**after**`);
    expect(drawn.querySelector("strong")?.textContent).toBe("after");
  });
});
