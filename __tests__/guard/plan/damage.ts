import fc from "fast-check";

/** An edit of a text. Every text has one for each number. */
type Damage<T> = (value: T) => T;

/** Damage to the bytes of a plan, as by a bad disk or a merge: mostly no JSON any more. */
export const damageText: fc.Arbitrary<Damage<string>> = fc
  .record({
    kind: fc.constantFrom("flip", "delete", "repeat", "swap"),
    at: fraction(),
    to: fraction(),
    length: fc.integer({ min: 1, max: 3000 }),
    byte: fc.string({ minLength: 1, maxLength: 1 }),
  })
  .map(({ kind, at, to, length, byte }) => (text) => {
    const place = Math.floor(at * text.length);
    const span = text.slice(place, place + length);
    const rest = text.slice(place + length);
    switch (kind) {
      case "flip":
        return text.slice(0, place) + byte + text.slice(place + 1);
      case "delete":
        return text.slice(0, place) + rest;
      case "repeat":
        return text.slice(0, place) + span + span + rest;
      default: {
        const middle = Math.floor(to * rest.length);
        const other = rest.slice(middle, middle + length);
        return (
          text.slice(0, place) + other + rest.slice(0, middle) + span + rest.slice(middle + other.length)
        );
      }
    }
  });

/** Damage to one value of a plan, which stays JSON: a worse test, since every one is read. */
export const damageValue: fc.Arbitrary<Damage<string>> = fc
  .record({
    kind: fc.constantFrom("delete", "rename", "replace", "borrow", "turn", "repeat"),
    at: fraction(),
    from: fraction(),
    isNear: fc.boolean(),
    key: fc.constantFrom(
      "deposed",
      "importing",
      "previous_address",
      "index",
      "module_address",
      "__proto__",
      "x",
    ),
    value: fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      "",
      {},
      [],
      ["no-op"],
      ["create"],
      ["delete"],
      ["read"],
      ["forget"],
      ["delete", "create"],
      "no-op",
      "create",
      "delete",
      "update",
      "managed",
      "data",
      "cluster",
      "broker-0",
    ),
  })
  .map(({ kind, at, from, isNear, key, value }) => (text) => {
    const plan = JSON.parse(text) as Fields;
    const near = isNear ? nearPlaces(plan) : undefined;
    const placeAt = (fraction: number): Place => (near ? pick(near, fraction) : anyPlace(plan, fraction));
    const [parent, name] = placeAt(at);
    const old = parent[name];
    switch (kind) {
      case "delete":
        remove(parent, name);
        break;
      case "rename":
        remove(parent, name);
        Object.defineProperty(parent, key, { value: old, enumerable: true });
        break;
      case "replace":
        parent[name] = value;
        break;
      case "borrow": {
        const [other, of] = placeAt(from);
        parent[name] = structuredClone(other[of]);
        break;
      }
      case "turn":
        parent[name] = Array.isArray(old) ? Object.fromEntries(old.entries()) : [old];
        break;
      default:
        if (Array.isArray(parent)) parent.push(structuredClone(old));
        else parent[`${name}2`] = old;
    }
    return JSON.stringify(plan);
  });

type Fields = Record<string, unknown>;
type Place = readonly [parent: Fields, name: string];

/** A place between the start and the end. A double of fast-check's would nearly always be the start. */
export function fraction(): fc.Arbitrary<number> {
  return fc.noBias(fc.nat(0xffff)).map((part) => part / 0x10000);
}

function pick<T>(list: readonly T[], at: number): T {
  const found = list[Math.floor(at * list.length)];
  if (found === undefined) throw new Error("an empty list");
  return found;
}

function remove(parent: Fields, name: string): void {
  if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else Reflect.deleteProperty(parent, name);
}

/** A place that a walk from the top comes to; the fraction says where it turns and ends. */
function anyPlace(plan: Fields, fraction: number): Place {
  let [parent, left] = [plan, fraction];
  for (;;) {
    const names = Object.keys(parent);
    const turn = left * names.length;
    left = turn % 1;
    const name = pick(names, turn / names.length);
    const value = parent[name];
    const isEnd = typeof value !== "object" || value === null || Object.keys(value).length === 0;
    if (isEnd || left < 0.1) return [parent, name];
    parent = value as Fields;
  }
}

/** The places of values in a document, to some depth. */
function placesIn(value: unknown, depth: number): Place[] {
  if (typeof value !== "object" || value === null || depth === 0) return [];
  const fields = value as Fields;
  return Object.keys(fields).flatMap((name) => [
    [fields, name] as const,
    ...placesIn(fields[name], depth - 1),
  ]);
}

/** The places that a verdict hangs on: the top, the variables, the entries of what changes. */
function nearPlaces(plan: Fields): Place[] {
  const entries = (plan["resource_changes"] ?? []) as { change: { actions: string[] } }[];
  const changing = entries.filter(({ change }) => change.actions[0] !== "no-op");
  return [
    ...placesIn(plan, 1),
    ...placesIn(plan["variables"], 2),
    ...placesIn(entries, 1),
    ...changing.flatMap((entry) => placesIn(entry, 3)),
  ];
}
