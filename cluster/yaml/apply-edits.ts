import { isDeepStrictEqual } from "node:util";
import { isScalar } from "yaml";
import { loadSpec } from "./load.js";
import type { Spec } from "./schema.js";
import type { YamlSource } from "./yaml-source.js";

/** A piece of a text that is written anew. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text of a spec with some pieces written anew; every byte around them stays.
 * @param wanted what the spec is to be, and nothing else
 * @param what is edited, for an error
 * @throws SpecError when the spec would not be valid any more
 */
export function applyEdits(
  { text, file }: YamlSource,
  edits: readonly Edit[],
  wanted: Spec,
  what: string,
): string {
  const fromTheEnd = [...edits].sort((a, b) => b.start - a.start);
  const edited = fromTheEnd.reduce(
    (result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end),
    text,
  );
  if (!isDeepStrictEqual(plain(loadSpec(edited, file)), plain(wanted))) {
    throw new Error(`an edit of ${file} would have changed more than ${what}`);
  }
  return edited;
}

/** Without regard to the order of keys: a new one stands where it fits. */
const plain = (spec: Spec): unknown => JSON.parse(JSON.stringify(spec));

/** Where a value stands that is neither a list nor a map. */
export function scalarAt(source: YamlSource, path: readonly PropertyKey[]) {
  const node = source.nodeAt(path);
  if (!isScalar(node) || !node.range) throw new Error(`${path.join(".")} has no place`);
  const [start, end] = node.range;
  return { node, start, end };
}
