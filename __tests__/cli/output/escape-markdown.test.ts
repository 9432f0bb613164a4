import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { asCode, escapeHtml, escapeMarkdown } from "../../../cli/output/escape-markdown.js";
import { allNodes, readMarkdown, textOf, textOutsideCode } from "./read-markdown.js";

describe("Escaped text", () => {
  test("reads as it was where it is plain", () => {
    for (const text of [
      "2 groups are pending, one may be: broker-0 (ami-0aaa); set it back",
      "consul-server-0 to -2, stay as they are",
      'image "v1.2" of name-server-1, 100%',
      "Größe 3/4 + 1 = x",
    ]) {
      expect(escapeMarkdown(text)).toBe(text);
      expect(escapeHtml(text)).toBe(text);
    }
    expect(escapeMarkdown("v1 -> v2")).toBe("v1 -&gt; v2");
    expect(escapeMarkdown("")).toBe("");
  });

  test.each([
    ["@team", "`@team`"],
    ["ops@example.org", "`ops@example.org`"],
    ["#12", "`#12`"],
    ["(#12)", "(`#12`)"],
    ["GH-12", "`GH-12`"],
    ["x/gh-12", "`x/gh-12`"],
    ["owner/repo#1", "`owner/repo#1`"],
    ["owner/repo@1a2b3c4", "`owner/repo@1a2b3c4`"],
    ["deadbeef𠀀", "`deadbeef𠀀`"],
    ["see !12 and $3", "see `!12` and `$3`"],
    ["group%12", "`group%12`"],
    ["1a2b3c4", "`1a2b3c4`"],
    ["at DEADBEEF0:", "at `DEADBEEF0`:"],
    ["ami-0123456789abcdef0,", "`ami-0123456789abcdef0`,"],
    ["http://example.org", "`http://example.org`"],
    ["www.example.org", "`www.example.org`"],
    ["x.WWW.example.org", "`x.WWW.example.org`"],
    ["[a](b)", "`[a](b`)"],
    ["<b>", "`<b>`"],
    ["-->", "`-->`"],
    ["&lt;", "`&lt`;"],
    ["**bold**", "`**bold**`"],
    ["a_b", "`a_b`"],
    [":tada:", "`:tada`:"],
    ["\\", "`\\`"],
    ["# title", "`#` title"],
    ["1. one", "`1`. one"],
    ["1) one", "`1`) one"],
    ["- item", "`-` item"],
    ["+ item", "`+` item"],
    ["> quote", "`>` quote"],
    ["a | b", "a <code>&#124;</code> b"],
    ["`ls`", "<code>&#96;ls&#96;</code>"],
    ["two\nlines\r\n\u2028three", "two lines three"],
    ["a\u202eb", "`a\\u{202e}b`"],
    ["a\u200bb", "`a\\u{200b}b`"],
    ["\u001b[31m", "`\\u{1b}[31m`"],
    ["\ud800", "`\\u{d800}`"],
    ["soft\u00adhyphen", "`soft\\u{ad}hyphen`"],
  ])("makes nothing of %j", (text, escaped) => {
    expect(escapeMarkdown(text)).toBe(escaped);
  });

  test("is code by HTML's own words where Markdown is not read", () => {
    expect(escapeHtml("a_b @x <i> v1 -> v2")).toBe(
      "<code>a&#95;b</code> <code>&#64;x</code> <code>&#60;i&#62;</code> v1 -&gt; v2",
    );
  });

  test("is code as a whole where a reader will copy it", () => {
    expect(asCode("ami-0aaa")).toBe("`ami-0aaa`");
    expect(asCode("a b")).toBe("`a b`");
    expect(asCode("a`b|c")).toBe("<code>a&#96;b&#124;c</code>");
    expect(asCode("")).toBe("<code></code>");
  });
});

/** Pieces that are markup, references or break lines somewhere, and plain ones between them. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      "<!--",
      "-->",
      "<script>",
      "</details>",
      "</code>",
      "<code>",
      "`",
      "```",
      "``",
      "|",
      "@team",
      "#12",
      "GH-12",
      "a/b#1",
    ],
    ...[
      "http://x.y",
      "www.x.y",
      "[x](y)",
      "![x](y)",
      "**",
      "__",
      "~~",
      "\\",
      "&amp;",
      "&#96;",
      "\n",
      "\n\n",
      "\r",
      "    ",
      "\t",
    ],
    ...[
      "# ",
      "- ",
      "1. ",
      "> ",
      "---",
      "===",
      "deadbeef",
      "\u202e",
      "\u200b",
      "\ufeff",
      "->",
      "(",
      ")",
      '"',
      ":",
      "x",
      "ami-0aaa",
      " ",
    ],
  ),
  fc.string({ unit: "binary" }),
);
const anything = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

describe("Whatever a text contains", () => {
  test("a parser of Markdown reads nothing but text and code, and all of it", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const root = await readMarkdown(`before ${escapeMarkdown(text)} after`);
        const foreign = allNodes(root).filter(
          ({ type, value }) =>
            !["root", "paragraph", "text", "inlineCode", "sentence", "word", "whitespace"].includes(type) &&
            !(type === "html" && /^<\/?code>$/.test(value ?? "")),
        );
        expect(foreign).toEqual([]);
        expect(root.children).toHaveLength(1);
        const lost = (each: string): string => each.replace(/\s/g, "");
        for (const word of text.match(/[a-z0-9]+/gi) ?? []) expect(lost(textOf(root))).toContain(word);
      }),
      { numRuns: 500 },
    );
  });

  test("it stays one line of a list, a table or a quote when it stands at its start", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const root = await readMarkdown(escapeMarkdown(text));
        expect((root.children ?? []).map(({ type }) => type).filter((type) => type !== "paragraph")).toEqual(
          [],
        );
        expect(escapeMarkdown(text)).not.toMatch(/[\n\r|]/);
        expect(escapeHtml(text)).not.toMatch(/[\n\r|`*_[\]@]/);
      }),
      { numRuns: 500 },
    );
  });

  test("nothing outside code is a mention, a reference, a link or a commit", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const outside = textOutsideCode(await readMarkdown(`before ${escapeMarkdown(text)} after`));
        expect(outside).not.toMatch(/[@#!$~]|\bgh-\d|www\.|:\/\/|\b[0-9a-f]{7,40}\b/i);
        expect(outside).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      }),
      { numRuns: 500 },
    );
  });

  test("HTML alone is tags of code and text", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const rest = escapeHtml(text)
          .replace(/<code>[^<>]*<\/code>/g, "")
          .replace(/&gt;/g, "");
        expect(rest).not.toMatch(/[<>&@#!$~\\]/);
      }),
      { numRuns: 500 },
    );
  });
});
