import { expect, test } from "@jest/globals";
import { execa } from "execa";
import fc from "fast-check";
import { shellWords } from "../../../clients/ssh/shell-words.js";

test("each word stands in single quotes", () => {
  expect(shellWords(["sh", "", "it's", "a b"])).toBe(String.raw`'sh' '' 'it'\''s' 'a b'`);
});

test("refuses a word with a NUL byte", () => {
  expect(() => shellWords(["a\0b"])).toThrow("a word of a command line cannot hold a NUL byte");
});

test("a shell reads any words as they were", async () => {
  const special = fc.constantFrom("'", "\\", '"', "$", "`", "(", ")", "\n", " ", "*", "!", "-", "~");
  const word = fc.oneof(
    fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
    fc.string({ unit: special }),
  );
  // In one shell, since starting one takes longer than reading a thousand words.
  const words = fc.sample(word, 1000);
  const { stdout } = await execa("sh", ["-c", `printf '%s\\0' ${shellWords(words)}`], {
    stripFinalNewline: false,
  });
  expect(stdout.split("\0").slice(0, -1)).toEqual(words);
});
