import { isScalar, parse, Scalar } from "yaml";
import { findGroup } from "./find-group.js";
import { loadSpec } from "./load.js";
import type { Spec } from "./schema.js";
import { UserError } from "./user-error.js";
import { YamlSource } from "./yaml-source.js";

/** An image for each of some groups, by the group's name. */
export type ImageChanges = ReadonlyMap<string, string>;

/**
 * The text of a spec with other images for some groups. Every byte around them stays: comments, quotes, line ends.
 * @param file the name that errors carry
 * @throws UserError (exit code 2) for a group that the spec does not have
 * @throws SpecError when the spec is not valid, or would not be with the new images
 */
export function setImages(text: string, file: string, changes: ImageChanges): string {
  const before = loadSpec(encode(text), file);
  const source = new YamlSource(text, file);
  const edits = [...changes].flatMap(([name, image]) => {
    const group = findGroup(before, name);
    if (group.image === image) return [];
    const node = source.nodeAt(["pools", group.pool, "images", group.index]);
    if (!isScalar(node) || !node.range) throw new Error(`the image of ${name} has no place in ${file}`);
    const [start, end] = node.range;
    return [{ start, end, text: rewritten(text.slice(start, end), node, group.image, image) }];
  });
  const edited = splice(text, edits);
  const after = loadSpec(encode(edited), file);
  if (JSON.stringify(after) !== JSON.stringify(withImages(before, changes))) {
    throw new Error(
      `an edit of ${file} would have changed more than the images of ${[...changes.keys()].join(", ")}`,
    );
  }
  return edited;
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

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function splice(text: string, edits: readonly Edit[]): string {
  const fromTheEnd = [...edits].sort((a, b) => b.start - a.start);
  return fromTheEnd.reduce(
    (result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end),
    text,
  );
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

function withImages(spec: Spec, changes: ImageChanges): Spec {
  const changed = structuredClone(spec);
  for (const [name, image] of changes) {
    const { pool, index } = findGroup(spec, name);
    const settings = changed.pools[pool];
    if (settings) settings.images[index] = image;
  }
  return changed;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
