import { isScalar, isSeq } from "yaml";
import { newPoolKey, type Edit } from "./yaml/new-pool-key.js";
import type { YamlSource } from "./yaml/yaml-source.js";

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
    if (!isSeq(source.nodeAt(path)))
      return [
        newPoolKey({ text, file, source, pool }, "generations", `[${numbers.join(", ")}]`, "[0, 0, 0]"),
      ];
    return numbers.flatMap((number, index) => {
      const node = source.nodeAt([...path, index]);
      if (!isScalar(node) || !node.range) throw new Error(`the generations of ${pool} have no place`);
      const [start, end] = node.range;
      return node.value === number ? [] : [{ start, end, text: String(number) }];
    });
  });
}
