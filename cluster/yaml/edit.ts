import { isScalar, isSeq, parse, Scalar } from "yaml";
import { findGroup } from "../find-group.js";
import { poolsOf, type Group } from "../groups.js";
import { applyEdits, type Edit } from "./apply-edits.js";
import { loadSpec } from "./load.js";
import { newPoolKey } from "./new-pool-key.js";
import type { Spec } from "./schema.js";
import { UserError } from "../user-error.js";
import { YamlSource } from "./yaml-source.js";

/** An image for each of some groups, by the group's name. */
export type ImageChanges = ReadonlyMap<string, string>;

/** What is to be another one of a group. */
export interface GroupChange {
  readonly image?: string;
  readonly generation?: number;
}

/** {@link setGroups}, with images alone. */
export const setImages = (text: string, file: string, changes: ImageChanges): string =>
  setGroups(text, file, new Map([...changes].map(([name, image]) => [name, { image }])));

/**
 * The text of a spec with another image or generation for some groups. Every byte around them stays: comments, quotes,
 * line ends. A pool without `generations` gets them.
 * @param file the name that errors carry
 * @throws UserError (exit code 2) for a group that the spec does not have
 * @throws SpecError when the spec is not valid, or would not be with the new values
 */
export function setGroups(text: string, file: string, changes: ReadonlyMap<string, GroupChange>): string {
  const before = loadSpec(text, file);
  const wanted = [...changes].map(([name, change]) => ({ group: findGroup(before, name), change }));
  const source = new YamlSource(text, file);
  const edits = [
    ...wanted.flatMap(({ group, change: { image } }) =>
      image === undefined || image === group.image ? [] : [imageEdit(source, group, image)],
    ),
    ...generationEdits(source, generationsOf(before, wanted)),
  ];
  return applyEdits(source, edits, withChanges(before, wanted), [...changes.keys()].join(", "));
}

/**
 * Reads arguments such as `broker-0=ami-0bbb`.
 * @throws UserError (exit code 2) that names every argument which is none, and every group that is named twice
 */
export function parseAssignments(args: readonly string[]): ImageChanges {
  const changes = new Map<string, string>();
  const problems = args.flatMap((arg) => {
    const [, group, image] = /^([^=]+)=(.+)$/s.exec(arg) ?? [];
    if (group === undefined || image === undefined) {
      return [`no assignment: ${JSON.stringify(arg)}; expected GROUP=IMAGE, such as broker-0=ami-0bbb`];
    }
    const first = changes.get(group);
    if (first !== undefined) return [`${group} is set twice, to ${first} and to ${image}; keep one`];
    changes.set(group, image);
    return [];
  });
  if (args.length === 0) problems.push("nothing to set; expected GROUP=IMAGE, such as broker-0=ami-0bbb");
  if (problems.length > 0) throw new UserError(problems.join("\n"), 2);
  return changes;
}

interface Wanted {
  readonly group: Group;
  readonly change: GroupChange;
}

function imageEdit(source: YamlSource, group: Group, image: string): Edit {
  const node = source.nodeAt(["pools", group.pool, "images", group.index]);
  if (!isScalar(node) || !node.range) throw new Error(`the image of ${group.name} has no place`);
  const [start, end] = node.range;
  return { start, end, text: rewritten(source.text.slice(start, end), node, group.image, image) };
}

/** A scalar's text with another value, in the quotes that it had; quoted where it had none and would be misread. */
function rewritten(old: string, node: Scalar, from: string, to: string): string {
  const isPlain = /^[\w.-]+$/.test(to);
  const isBlock = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
  if (isPlain && isBlock) return old.replace(from, to);
  if (isPlain && node.type === Scalar.QUOTE_SINGLE) return `'${to}'`;
  if (isPlain && node.type === Scalar.PLAIN && parse(to) === to) return to;
  const lineEnd = isBlock ? (/\s*$/.exec(old)?.[0] ?? "") : "";
  return JSON.stringify(to) + lineEnd;
}

/**
 * The edits that give pools other generations: of a list that is there each number that changes, else a new key in the
 * style of the pool.
 * @throws UserError for a pool that is laid out so that nobody knows where a new key belongs
 */
function generationEdits(source: YamlSource, generations: ReadonlyMap<string, readonly number[]>): Edit[] {
  return [...generations].flatMap(([pool, numbers]) => {
    const path = ["pools", pool, "generations"];
    if (!isSeq(source.nodeAt(path)))
      return [newPoolKey(source, pool, "generations", `[${numbers.join(", ")}]`, "[0, 0, 0]")];
    return numbers.flatMap((number, index) => {
      const node = source.nodeAt([...path, index]);
      if (!isScalar(node) || !node.range) throw new Error(`the generations of ${pool} have no place`);
      const [start, end] = node.range;
      return node.value === number ? [] : [{ start, end, text: String(number) }];
    });
  });
}

/** What each pool's generations are to be, for the pools in which one changes. */
function generationsOf(spec: Spec, wanted: readonly Wanted[]): Map<string, number[]> {
  const changed = wanted.filter(
    ({ group, change: { generation } }) => generation !== undefined && generation !== group.generation,
  );
  const pools = new Set(changed.map(({ group }) => group.pool));
  return new Map(
    poolsOf(spec)
      .filter(({ name }) => pools.has(name))
      .map(({ name, groups }) => [
        name,
        groups.map(
          (each) =>
            wanted.find(({ group }) => group.name === each.name)?.change.generation ?? each.generation,
        ),
      ]),
  );
}

function withChanges(spec: Spec, wanted: readonly Wanted[]): Spec {
  const changed = structuredClone(spec);
  for (const { group, change } of wanted) {
    const settings = changed.pools[group.pool];
    if (settings && change.image !== undefined) settings.images[group.index] = change.image;
  }
  for (const [pool, [first = 0, second = 0, third = 0]] of generationsOf(spec, wanted)) {
    const settings = changed.pools[pool];
    if (settings) settings.generations = [first, second, third];
  }
  return changed;
}
