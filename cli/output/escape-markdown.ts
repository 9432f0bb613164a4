import { onOneLine } from "./visible.js";

/**
 * Text that comes from a spec, a plan, git or an error, on one line of Markdown in which it can be nothing but text. A word that
 * could be more (markup, a mention, a reference, a link, a commit) becomes code, where no platform looks for any of it.
 */
export const escapeMarkdown = (text: string): string => escapeWords(text, asCode);

/** The same for a place where Markdown is not read, such as a summary of a details element. */
export const escapeHtml = (text: string): string => escapeWords(text, asHtmlCode);

/** As code whatever it is: what a reader will want to copy. */
export const asCode = (text: string): string => {
  const seen = onOneLine(text);
  return seen === "" || /[`|]/.test(seen) ? asHtmlCode(seen) : `\`${seen}\``;
};

/** A table takes `|` and code takes backticks for its own, wherever they are, so those words are written by their codes. */
const asHtmlCode = (text: string): string =>
  `<code>${onOneLine(text).replace(/[^\p{L}\p{M}\p{N} ]/gu, (found) => `&#${String(found.codePointAt(0))};`)}</code>`;

function escapeWords(text: string, code: (word: string) => string): string {
  return onOneLine(text)
    .split(" ")
    .map((word, position) => {
      if (word === "->") return "-&gt;";
      const [, before = "", core = "", after = ""] = /^(["'(]*)(.*?)([)"',;:.%]*)$/u.exec(word) ?? [];
      return isText(core, word, position === 0) ? word : `${before}${code(core)}${after}`;
    })
    .join(" ");
}

function isText(core: string, word: string, isFirst: boolean): boolean {
  // At the start of a line these would make a list or a heading.
  if (isFirst && /^(\d+[.)]|[^\p{L}\p{N}"'(])/u.test(word)) return false;
  return core === "" || SIGN.test(core) || (PLAIN.test(core) && !REFERENCE.test(core));
}

const SIGN = /^[-+=/·]$/;
const PLAIN = /^-?[\p{L}\p{N}][\p{L}\p{N}.,/'()=-]*$/u;
/** A web address, an issue, a commit; whoever reads it may take letters beyond ASCII for the end of a word. */
const REFERENCE = /www\.|\b(gh-\d|[0-9a-f]{7,}\b)/i;
