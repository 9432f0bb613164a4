import type { Difference } from "../rollout/review.js";

type Resources = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What differs between two synthesized stacks, resource by resource, attribute by attribute; sorted. */
export function diffResources(view: string, before: object, after: object): Difference[] {
  const [old, now] = [flatten(before), flatten(after)];
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((address): Difference[] => {
    const lines = diffLines(old.get(address), now.get(address));
    return lines.length > 0 ? [{ view, address, lines }] : [];
  });
}

function flatten(stack: object): Map<string, Map<string, string>> {
  const resources = (stack as { resource?: Resources }).resource ?? {};
  return new Map(
    Object.entries(resources).flatMap(([type, byName]) =>
      Object.entries(byName).map(([name, body]) => [`${type}.${name}`, leaves(body)] as const),
    ),
  );
}

/** `tags.Name` = `"demo-broker-0-1"`; left out are cdktf's own metadata, and how a view protects what. */
function leaves(value: unknown, path: readonly string[] = []): Map<string, string> {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
    return new Map([[path.join("."), JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value)
      .filter(([key]) => key !== "//" && key !== "lifecycle")
      .flatMap(([key, item]) => [...leaves(item, [...path, key])]),
  );
}

function diffLines(old: Map<string, string> | undefined, now: Map<string, string> | undefined): string[] {
  const keys = [...new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])])].sort();
  return keys.flatMap((key) => {
    const [from, to] = [old?.get(key), now?.get(key)];
    if (from === to) return [];
    return [
      ...(from === undefined ? [] : [`- ${key} = ${from}`]),
      ...(to === undefined ? [] : [`+ ${key} = ${to}`]),
    ];
  });
}
