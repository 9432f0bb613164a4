import { isMap, type Node } from "yaml";
import { UserError } from "../user-error.js";
import type { Edit } from "./apply-edits.js";
import type { YamlSource } from "./yaml-source.js";

/**
 * The edit that gives a pool a new key, in the style of the pool: behind the instance types, where they stand on one line,
 * in a map of braces after a comma, else on a line of its own.
 * @param byHand the value that is named where the user has to write the key
 * @throws UserError for a pool that is laid out so that nobody knows where a new key belongs
 */
export function newPoolKey(
  source: YamlSource,
  pool: string,
  name: string,
  value: string,
  byHand = value,
): Edit {
  const { text, file } = source;
  const map = source.nodeAt(["pools", pool]);
  const path = ["pools", pool, "instanceTypes"];
  const [key, types] = [rangeOf(source.keyAt(path)), rangeOf(source.nodeAt(path))];
  if (!isMap(map) || !key || !types) throw new Error(`the pool ${pool} has no place in ${file}`);
  const before = text.slice(text.lastIndexOf("\n", key.start - 1) + 1, key.start);
  const entry = `${text.slice(key.start, key.end).replace("instanceTypes", name)}: ${value}`;
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  if (map.flow === true) {
    const separator = before.trim() === "" ? `,${lineEnd}${before}` : ", ";
    return { start: types.end, end: types.end, text: `${separator}${entry}` };
  }
  const rest = /^[ \t]*(#[^\r\n]*)?(\r?\n|$)/.exec(text.slice(types.end));
  if (before.trim() !== "" || !rest || text.slice(key.start, types.end).includes("\n")) {
    throw new UserError(
      `there is no plain place for ${name} in pools.${pool} of ${file}; add this line to the pool yourself, and run this again: ${name}: ${byHand}`,
    );
  }
  const end = types.end + rest[0].length;
  const line = rest[2] === "" ? `${lineEnd}${before}${entry}` : `${before}${entry}${lineEnd}`;
  return { start: end, end, text: line };
}

const rangeOf = (node: Node | undefined): { start: number; end: number } | undefined =>
  node?.range ? { start: node.range[0], end: node.range[1] } : undefined;
