import { isMap, isScalar, isSeq, type Node } from "yaml";
import { UserError } from "./user-error.js";
import type { YamlSource } from "./yaml-source.js";

/** A piece of a text that is written anew. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The edits that give pools other generations: of a list that is there each number that changes, else a new key in the
 * style of the pool.
 * @throws UserError for a pool that is laid out so that nobody knows where a new key belongs
 */
export function generationEdits(
  text: string,
  file: string,
  source: YamlSource,
  generations: ReadonlyMap<string, readonly number[]>,
): Edit[] {
  return [...generations].flatMap(([pool, numbers]) => {
    const path = ["pools", pool, "generations"];
    if (!isSeq(source.nodeAt(path))) return [newKey(text, file, source, pool, numbers)];
    return numbers.flatMap((number, index) => {
      const node = source.nodeAt([...path, index]);
      if (!isScalar(node) || !node.range) throw new Error(`the generations of ${pool} have no place`);
      const [start, end] = node.range;
      return node.value === number ? [] : [{ start, end, text: String(number) }];
    });
  });
}

/** Behind the instance types, where they stand on one line: in a map of braces after a comma, else on a line of its own. */
function newKey(
  text: string,
  file: string,
  source: YamlSource,
  pool: string,
  numbers: readonly number[],
): Edit {
  const map = source.nodeAt(["pools", pool]);
  const path = ["pools", pool, "instanceTypes"];
  const [key, value] = [rangeOf(source.keyAt(path)), rangeOf(source.nodeAt(path))];
  const list = `[${numbers.join(", ")}]`;
  if (!isMap(map) || !key || !value) throw new Error(`the pool ${pool} has no place in ${file}`);
  const before = text.slice(text.lastIndexOf("\n", key.start - 1) + 1, key.start);
  const entry = `${text.slice(key.start, key.end).replace("instanceTypes", "generations")}: ${list}`;
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  if (map.flow === true) {
    const separator = before.trim() === "" ? `,${lineEnd}${before}` : ", ";
    return { start: value.end, end: value.end, text: `${separator}${entry}` };
  }
  const rest = /^[ \t]*(#[^\r\n]*)?(\r?\n|$)/.exec(text.slice(value.end));
  if (before.trim() !== "" || !rest || text.slice(key.start, value.end).includes("\n")) {
    throw new UserError(
      `there is no plain place for generations in pools.${pool} of ${file}; add this line to the pool yourself, and run this again: generations: [${numbers.map(() => "0").join(", ")}]`,
    );
  }
  const end = value.end + rest[0].length;
  const line = rest[2] === "" ? `${lineEnd}${before}${entry}` : `${before}${entry}${lineEnd}`;
  return { start: end, end, text: line };
}

const rangeOf = (node: Node | undefined): { start: number; end: number } | undefined =>
  node?.range ? { start: node.range[0], end: node.range[1] } : undefined;
