import type { Difference } from "../../rollout/review/review.js";
import { isMap, type Raw } from "../../cluster/raw.js";
import { formatPath } from "../../cluster/yaml/problem.js";
import { visible } from "./visible.js";

/**
 * What differs between two synthesized stacks, resource by resource, attribute by attribute, sorted. In the cluster view also
 * what is no resource: providers, the backend, data sources, outputs. What cdktf says about itself is left out, and so is how a
 * view protects a resource.
 */
export function diffResources(view: string, before: object, after: object): Difference[] {
  const [old, now] = [flatten(view, before), flatten(view, after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((address): Difference[] => {
    const lines = diffLines(old.get(address), now.get(address));
    return lines.length > 0 ? [{ view, address, lines }] : [];
  });
}

/** Variables of our own say what a view was made from; those do not come from the spec. */
const OWN = /^variable\.rollout_(view|base|review_only)$/;

function flatten(view: string, stack: object): Map<string, Map<string, string>> {
  const wholes = Object.entries(stack).flatMap(([kind, block]): [string, unknown][] => {
    if (kind === "//" || !isMap(block)) return [];
    if (kind === "resource") return named(block);
    if (view !== "cluster") return [];
    if (kind === "data") return named(block).map(([address, body]) => [`data.${address}`, body]);
    return Object.entries(block).map(([name, body]) => [`${kind}.${name}`, body]);
  });
  return new Map(
    wholes
      .filter(([address]) => !OWN.test(address))
      .map(([address, body]) => [visible(address), new Map(leaves(withoutNoise(body)))]),
  );
}

const named = (types: Raw): [string, unknown][] =>
  Object.entries(types).flatMap(([type, byName]) =>
    isMap(byName)
      ? Object.entries(byName).map(([name, body]): [string, unknown] => [`${type}.${name}`, body])
      : [],
  );

/** Only of the resource itself: a tag may well be called lifecycle. */
const withoutNoise = (body: unknown): unknown =>
  isMap(body)
    ? Object.fromEntries(Object.entries(body).filter(([key]) => key !== "//" && key !== "lifecycle"))
    : body;

/** `tags.Name` = `"demo-broker-0-1"` */
function leaves(value: unknown, path: readonly (string | number)[] = []): (readonly [string, string])[] {
  const items: (readonly [string | number, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : isMap(value)
      ? Object.entries(value)
      : [];
  if (items.length === 0) return [[formatPath(path), shown(value, path)]];
  return items.flatMap(([key, item]) => leaves(item, [...path, key]));
}

/** What a name says to be secret is not shown, although a stack is no place for it: a comment stays, also in mails. */
const SECRET = /password|passwd|passphrase|secret|token(?!s)|credential|private_?key|api_?key|access_?key/i;

function shown(value: unknown, path: readonly (string | number)[]): string {
  const text = JSON.stringify(value);
  const isSecret = path.some((key) => SECRET.test(String(key)));
  return isSecret && !/^"\$\{[\w.[\]-]+\}"$/.test(text) ? `${HIDDEN}${text}` : text;
}

/** Marks a value that is compared and never printed. A value as JSON begins otherwise. */
const HIDDEN = "\u0000";
const printed = (value: string): string => (value.startsWith(HIDDEN) ? "(sensitive value)" : visible(value));

function diffLines(old: Map<string, string> | undefined, now: Map<string, string> | undefined): string[] {
  const keys = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].sort(byNumbers);
  return keys.flatMap((key) => {
    const [from, to] = [old?.get(key), now?.get(key)];
    // That a resource says nothing of itself is worth a line only where it comes or goes.
    const isEmpty = key === "" && old !== undefined && now !== undefined && (from ?? to) === "{}";
    if (from === to || isEmpty) return [];
    const name = key === "" ? "" : `${visible(key)} = `;
    if (isText(from) && isText(to))
      return diffText(linesOf(from), linesOf(to)).map(
        ([sign, line]) => `${sign} ${visible(key)}: ${visible(line)}`,
      );
    return [
      ...(from === undefined ? [] : [`- ${name}${printed(from)}`]),
      ...(to === undefined ? [] : [`+ ${name}${printed(to)}`]),
    ];
  });
}

/** Whether a value is a text of several lines, such as user data. */
const isText = (value: string | undefined): value is string => /^".*\\n.*"$/.test(value ?? "");

const linesOf = (json: string): string[] => String(JSON.parse(json)).split("\n");

/** All that goes and all that comes, in order; seldom more than it takes. */
function diffText(old: readonly string[], now: readonly string[]): [sign: "-" | "+", line: string][] {
  let next = 0;
  const found = old.flatMap((line): ["-" | "+", string][] => {
    const at = now.indexOf(line, next);
    if (at < 0) return [["-", line]];
    const added = now.slice(next, at);
    next = at + 1;
    return added.map((each) => ["+", each]);
  });
  return [...found, ...now.slice(next).map((line): ["+", string] => ["+", line])];
}

/** `depends_on[9]` before `depends_on[10]` */
function byNumbers(a: string, b: string): number {
  const [x, y] = [a, b].map((key) => key.replace(/\d+/g, (digits) => digits.padStart(9, "0")));
  return (x ?? "") < (y ?? "") ? -1 : 1;
}
