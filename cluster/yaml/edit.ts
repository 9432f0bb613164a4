import { isMap, isNode, isSeq, parse, Scalar, type Pair } from "yaml";
import { findGroup } from "../find-group.js";
import { applyEdits, scalarAt, type Edit } from "./apply-edits.js";
import { loadSpec } from "./load.js";
import { newPoolKey } from "./new-pool-key.js";
import { DEFAULT_VOLUME_TYPE, type Spec } from "./schema.js";
import type { Group } from "../groups.js";
import { ownSettings, type OwnSettings, type Template } from "../template-hash.js";
import { UserError } from "../user-error.js";
import { takesPerformance } from "../volume-changes.js";
import { withTextsOf } from "./user-data-files.js";
import { YamlSource } from "./yaml-source.js";

/** An image for each of some groups, by the group's name. */
export type ImageChanges = ReadonlyMap<string, string>;

/**
 * What is to be another one of a group. A volume that its pool does not have is not given to one group alone, and the size of one
 * that it has stays, since that of a template is what was recorded; `volumeGib` is another one. What another type does not take goes. With the instance type it is a
 * whole template: what a group has of its own and this has not is taken away.
 */
export type GroupChange = Partial<Template> & { readonly volumeGib?: number };

/** {@link setGroups}, with images alone. */
export const setImages = (text: string, file: string, changes: ImageChanges): string =>
  setGroups(text, file, new Map([...changes].map(([name, image]) => [name, { image }])));

/**
 * The text of a spec with another template for some groups. Every byte around them stays: comments, quotes,
 * line ends. A pool without `generations` gets them.
 * @param file the name that errors carry
 * @param read the spec as it was read, with the texts of the files that it names
 * @throws UserError (exit code 2) for a group that the spec does not have
 * @throws SpecError when the spec is not valid, or would not be with the new values
 */
export function setGroups(
  text: string,
  file: string,
  changes: ReadonlyMap<string, GroupChange>,
  read?: Spec,
): string {
  const spec = loadSpec(text, file);
  const wanted = withChanges(spec, read ? withTextsOf(read, spec) : spec, changes);
  const source = new YamlSource(text, file);
  const edits = Object.entries(wanted.pools).flatMap(([pool, settings]) => [
    ...(["images", "instanceTypes", "dataVolumes", "rootVolumes"] as const).flatMap((key) =>
      (settings[key] ?? []).flatMap((value, index) => edited(source, ["pools", pool, key, index], value)),
    ),
    ...(settings.dataVolumes ?? []).flatMap((volume, index) => {
      const was = spec.pools[pool]?.dataVolumes?.[index];
      const gone = PERFORMANCE.filter((key) => was?.[key] !== undefined && volume[key] === undefined);
      return gone.length > 0 ? withoutKeys(source, ["pools", pool, "dataVolumes", index], gone) : [];
    }),
    ...(settings.generations ? generationEdits(source, pool, settings.generations) : []),
    ...OWN_KEYS.flatMap((key) =>
      ownEdits(source, pool, key, { wanted: settings[key], was: spec.pools[pool]?.[key] }),
    ),
  ]);
  return applyEdits(source, edits, wanted, [...changes.keys()].join(", "));
}

function withChanges(spec: Spec, known: Spec, changes: ReadonlyMap<string, GroupChange>): Spec {
  const changed = structuredClone(spec);
  for (const [name, change] of changes) {
    const { image, instanceType, dataVolume, rootVolume, generation, volumeGib } = change;
    const group = findGroup(known, name);
    const settings = changed.pools[group.pool];
    if (settings && instanceType !== undefined) setOwn(settings, group, change);
    if (settings && image !== undefined) settings.images[group.index] = image;
    if (settings && instanceType !== undefined) settings.instanceTypes[group.index] = instanceType;
    const volume = settings?.dataVolumes?.[group.index];
    if (volume && dataVolume) {
      volume.type = dataVolume.type;
      if (!takesPerformance(volume.type)) {
        delete volume.iops;
        delete volume.throughput;
      }
    }
    if (volume && volumeGib !== undefined) volume.sizeGib = volumeGib;
    if (settings?.rootVolumes && rootVolume) settings.rootVolumes[group.index] = rootVolume;
    if (settings && generation !== undefined && generation !== group.generation) {
      settings.generations ??= [0, 0, 0];
      settings.generations[group.index] = generation;
    }
  }
  return changed;
}

const PERFORMANCE = ["iops", "throughput"] as const;

const OWN_KEYS = ["instanceProfiles", "securityGroupIds", "tags", "userData"] as const;

/** What says the same in another order is left as it is written. */
function setOwn(settings: Spec["pools"][string], group: Group, change: OwnSettings): void {
  const { index } = group;
  const [is, wanted] = [ownSettings(group), ownSettings(change)];
  const differs = (key: keyof OwnSettings): boolean =>
    JSON.stringify(is[key]) !== JSON.stringify(wanted[key]);
  if (differs("instanceProfile"))
    (settings.instanceProfiles ??= [null, null, null])[index] = wanted.instanceProfile ?? null;
  if (differs("securityGroupIds"))
    (settings.securityGroupIds ??= [[], [], []])[index] = [...(wanted.securityGroupIds ?? [])];
  if (differs("tags")) (settings.tags ??= [{}, {}, {}])[index] = { ...wanted.tags };
  if (differs("userData")) (settings.userData ??= [null, null, null])[index] = wanted.userData?.file ?? null;
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

/** The edits that give a place another value; of a map those of its values. */
function edited(source: YamlSource, path: readonly PropertyKey[], value: string | number | object): Edit[] {
  if (typeof value === "object")
    return Object.entries(value).flatMap(([key, each]: [string, string | number]) =>
      source.nodeAt([...path, key]) ? edited(source, [...path, key], each) : unwritten(source, path, each),
    );
  const { node, start, end } = scalarAt(source, path);
  if (node.value === value) return [];
  const text =
    typeof value === "number" ? String(value) : rewritten(source.text.slice(start, end), node, value);
  return [{ start, end, text }];
}

/** A volume may leave its type to the default, and then there is no place for another one. */
function unwritten({ file }: YamlSource, path: readonly PropertyKey[], type: string | number): Edit[] {
  if (type === DEFAULT_VOLUME_TYPE) return [];
  const what = `type: ${String(type)}`;
  throw new UserError(
    `${file} does not say the type of ${path.join(".")}; write ${what} there yourself, and run this again`,
  );
}

/** The edits that take keys out of a map, each with its line where it has one. Some key stays. */
function withoutKeys(source: YamlSource, path: readonly PropertyKey[], keys: readonly string[]): Edit[] {
  const map = source.nodeAt(path);
  if (!isMap(map)) throw new Error(`${path.join(".")} has no place`);
  const pairs: readonly Pair[] = map.items;
  const nameOf = ({ key }: Pair): string => String(key);
  const place = (pair: Pair | undefined, of: "key" | "value", end: 0 | 1): number => {
    const node = pair?.[of];
    return (isNode(node) ? node.range?.[end] : undefined) ?? 0;
  };
  const firstKept = pairs.findIndex((pair) => !keys.includes(nameOf(pair)));
  const leading =
    firstKept > 0
      ? [{ start: place(pairs[0], "key", 0), end: place(pairs[firstKept], "key", 0), text: "" }]
      : [];
  return [
    ...leading,
    ...pairs.flatMap((pair, at) => {
      if (at < firstKept || !keys.includes(nameOf(pair))) return [];
      const line = source.text.lastIndexOf("\n", place(pair, "key", 0) - 1);
      const start = map.flow === true ? place(pairs[at - 1], "value", 1) : line;
      return [{ start, end: place(pair, "value", 1), text: "" }];
    }),
  ];
}

/** A scalar's text with another value, in the quotes that it had; quoted where it had none and would be misread. */
function rewritten(old: string, node: Scalar, to: string): string {
  const isPlain = /^[\w.-]+$/.test(to);
  const isBlock = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
  if (isPlain && isBlock) return old.replace(String(node.value), to);
  if (isPlain && node.type === Scalar.QUOTE_SINGLE) return `'${to}'`;
  if (isPlain && node.type === Scalar.PLAIN && parse(to) === to) return to;
  const lineEnd = isBlock ? (/\s*$/.exec(old)?.[0] ?? "") : "";
  return JSON.stringify(to) + lineEnd;
}

/** The edits that give a pool other values of a key: of a list that is there each that changes, else a new key. */
function ownEdits(
  source: YamlSource,
  pool: string,
  key: (typeof OWN_KEYS)[number],
  {
    wanted,
    was,
  }: { readonly wanted: readonly unknown[] | undefined; readonly was: readonly unknown[] | undefined },
): Edit[] {
  const path = ["pools", pool, key];
  if (!wanted) return [];
  if (!was) return [newPoolKey(source, pool, key, JSON.stringify(wanted))];
  return wanted.flatMap((value, index) => {
    const [start, end] = source.nodeAt([...path, index])?.range ?? [];
    const text = JSON.stringify(value);
    if (text === JSON.stringify(was[index]) || start === undefined || end === undefined) return [];
    // An entry that is empty begins right behind its hyphen.
    if (start === end) return [{ start, end, text: ` ${text}` }];
    // The end of a map or list of several lines is behind its last line.
    return [{ start, end: start + source.text.slice(start, end).trimEnd().length, text }];
  });
}

/**
 * The edits that give a pool other generations: of a list that is there each number that changes, else a new key in the style
 * of the pool.
 * @throws UserError for a pool that is laid out so that nobody knows where a new key belongs
 */
function generationEdits(source: YamlSource, pool: string, numbers: readonly number[]): Edit[] {
  const path = ["pools", pool, "generations"];
  if (!isSeq(source.nodeAt(path)))
    return [newPoolKey(source, pool, "generations", `[${numbers.join(", ")}]`, "[0, 0, 0]")];
  return numbers.flatMap((number, index) => edited(source, [...path, index], number));
}
