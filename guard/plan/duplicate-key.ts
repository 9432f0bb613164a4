import { createRequire } from "node:module";
import type { Fields } from "./fields.js";

/**
 * A key that stands twice in one object of a JSON text; undefined when there is none. `JSON.parse` keeps the last of
 * two silently, so that a plan could show one thing to the guard and another to a person.
 *
 * Keys are counted in the text and in what was parsed: equal numbers mean that none was lost, and that costs little even
 * for a plan of hundreds of megabytes. Only where they differ (a duplicate, or text of unusual form) every object is
 * looked at.
 * @param parsed what `JSON.parse` made of the text
 */
export function duplicateKey(text: string, parsed: Fields): string | undefined {
  return keysInText(text) === keysIn(parsed) ? undefined : findDuplicate(text);
}

/**
 * How often a quote that is not escaped is followed by a colon: outside of keys every quote before a colon is escaped, or
 * begins a value, and then too many are counted and never too few. Undefined where white space stands between a quote and a
 * colon, so that a key would be missed.
 */
function keysInText(text: string): number | undefined {
  let count = 0;
  for (let at = text.indexOf(":"); at !== -1; at = text.indexOf(":", at + 1)) {
    let before = at - 1;
    while (isSpace(text.charCodeAt(before))) before--;
    if (text.charCodeAt(before) !== QUOTE) continue;
    if (before < at - 1) return undefined;
    while (text.charCodeAt(before - 1) === BACKSLASH) before--;
    if ((at - before) % 2 === 1) count++;
  }
  return count;
}

const [TAB, LINE_FEED, RETURN, SPACE, QUOTE, BACKSLASH] = [9, 10, 13, 32, 34, 92];

const isSpace = (code: number): boolean =>
  code === SPACE || code === TAB || code === LINE_FEED || code === RETURN;

function keysIn(root: unknown): number {
  let count = 0;
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === "object" && item !== null) left.push(item);
    } else {
      for (const key in value as Fields) {
        count++;
        const item = (value as Fields)[key];
        if (typeof item === "object" && item !== null) left.push(item);
      }
    }
  }
  return count;
}

function findDuplicate(text: string): string | undefined {
  // Loaded only here: almost no plan comes this far.
  const { visit } = createRequire(import.meta.url)("jsonc-parser") as typeof import("jsonc-parser");
  const open: Set<string>[] = [];
  let found: string | undefined;
  visit(text, {
    onObjectBegin: () => void open.push(new Set()),
    onObjectEnd: () => void open.pop(),
    onObjectProperty: (key) => {
      const keys = open.at(-1);
      if (keys?.has(key)) found ??= key;
      keys?.add(key);
    },
  });
  return found;
}
