import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { hostName } from "../../../cluster/address.js";
import type { DeployedGroup, DeployedHost } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import type { Group } from "../../../cluster/groups.js";
import { onlyAdds, withNumbers } from "../../../cluster/numbers.js";
import { type Batch, nextBatch } from "../../../rollout/roll/next-batch.js";
import { change, deployedAs, groupIn, localSpec, poolOf } from "../../support/fixtures.js";
import { isLong } from "../../support/long.js";

const NAME = "name-server-0";
const spec = change(localSpec(), (edited) => {
  poolOf(edited, "name-server").maxSurge = 1;
});
const desired = findGroup(spec, NAME);
const standing = groupIn(deployedAs(spec), NAME);
const OLD = "1111111111";

/** What is known of a machine: `left` is out of Consul, `half` new and its hooks were cut off, `seen out` what only its agents say. */
type State =
  "old" | "other" | "new" | "half" | "left" | "tainted" | "tainted old" | "hook tainted" | "seen out";

/** By number. */
interface Seen {
  readonly states: ReadonlyMap<number, State>;
  readonly leave: boolean;
  readonly recorded?: readonly number[];
}

const old = (hosts: number): Seen => ({
  states: new Map(Array.from({ length: hosts }, (_, number) => [number, "old"])),
  leave: true,
});

test.each<[string, Seen, Numbers, string[]]>([
  ["one more of three", old(3), { hosts: 3, maxSurge: 1 }, ["+3", "-0", "+0", "-1", "+1", "-2"]],
  ["two more of three", old(3), { hosts: 3, maxSurge: 2 }, ["+3,4", "-0,1", "+0", "-2"]],
  ["as many more", old(3), { hosts: 3, maxSurge: 3 }, ["+3,4,5", "-0,1,2"]],
  ["more than there are", old(2), { hosts: 2, maxSurge: 9 }, ["+2,3", "-0,1"]],
  [
    "one more and one out",
    old(3),
    { hosts: 3, maxSurge: 1, maxUnavailable: 1 },
    ["+3", "-0,1", "+0,1", "-2"],
  ],
  ["one that grows", old(2), { hosts: 3, maxSurge: 1 }, ["+2,3", "-0", "+0", "-1"]],
  ["one that shrinks", old(3), { hosts: 2, maxSurge: 1 }, ["-0", "+0", "-1", "+1", "-2"]],
  ["one", old(1), { hosts: 1, maxSurge: 1 }, ["+1", "-0"]],
  [
    "one whose new machine is half made: it is made again, and no old one goes",
    {
      states: new Map([
        [0, "old"],
        [1, "old"],
        [2, "tainted"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1, maxUnavailable: 1 },
    ["", "-0,1", "+0"],
  ],
  [
    "one whose new machine has hooks that were cut off: they run again, and no old one goes",
    {
      states: new Map([
        [0, "old"],
        [1, "old"],
        [2, "half"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1 },
    ["", "-0", "+0", "-1"],
  ],
  [
    "one that was cut off once its leave was gone: that comes back first, and what has left goes",
    {
      states: new Map([
        [0, "left"],
        [1, "old"],
        [2, "new"],
      ]),
      leave: false,
    },
    { hosts: 2, maxSurge: 1 },
    ["-0", "+0", "-1"],
  ],
  [
    "one that gets a third image: what the second one made goes first",
    {
      states: new Map([
        [0, "old"],
        [1, "old"],
        [2, "other"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1 },
    ["-2", "+2", "-0", "+0", "-1"],
  ],
  [
    "one that goes back by a new generation once an old one has left: that is made anew before the surplus goes",
    {
      states: new Map([
        [0, "seen out"],
        [1, "old"],
        [2, "other"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1 },
    ["-0", "+0", "-2", "+2", "-1"],
  ],
  [
    "one that may run in this group alone, likewise",
    {
      states: new Map([
        [0, "seen out"],
        [1, "other"],
      ]),
      leave: true,
    },
    { hosts: 1, maxSurge: 1 },
    ["-0", "+0", "-1"],
  ],
  [
    "one of which only a hook of an old machine is tainted, which works",
    {
      states: new Map([
        [0, "hook tainted"],
        [1, "old"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1 },
    ["+2", "-0", "+0", "-1"],
  ],
  [
    "one that was set back before any has left: the surplus goes",
    {
      states: new Map([
        [0, "new"],
        [1, "new"],
        [2, "old"],
      ]),
      leave: true,
    },
    { hosts: 2, maxSurge: 1 },
    ["-2"],
  ],
])("%s", (_, start, numbers, steps) => {
  expect(roll(start, numbers)).toEqual(steps);
});

test("a group that only grows, shrinks or is mended has no step of a surge", () => {
  for (const states of [["new"], ["new", "new", "new"], ["tainted", "new"]] as const)
    expect(
      next({ states: new Map(states.entries()), leave: true }, { hosts: 2, maxSurge: 1 }),
    ).not.toHaveProperty("numbers");
  expect(next(old(2), { hosts: 0, maxSurge: 1 })).not.toHaveProperty("numbers");
});

describe("from any state of a group, with any numbers, wherever it is cut off", () => {
  const numbers = fc.record({
    hosts: fc.integer({ min: 1, max: 5 }),
    maxSurge: fc.integer({ min: 1, max: 6 }),
    maxUnavailable: fc.integer({ min: 0, max: 3 }),
  });
  const state = fc.constantFrom<State>(
    "old",
    "old",
    "old",
    "new",
    "half",
    "left",
    "tainted",
    "tainted old",
    "hook tainted",
  );
  const seen = fc
    .tuple(
      fc.dictionary(fc.constantFrom("0", "1", "2", "3", "4", "5", "7"), state, { minKeys: 1 }),
      fc.boolean(),
    )
    .map(([states, leave]): Seen => {
      const entries = Object.entries(states).map(([number, of]) => [Number(number), of] as const);
      return { states: new Map(entries), leave: leave && !entries.some(([, of]) => of === "left") };
    });

  test("it ends with every machine new; none new goes, no more stand, and no fewer work, than may", () => {
    let most = 0;
    fc.assert(
      fc.property(seen, numbers, fc.array(fc.nat(3), { maxLength: 20 }), (start, given, cuts) => {
        let group = start;
        for (let count = 0; ; count++) {
          const batch = next(group, given);
          if (isDone(group, given)) break;
          expect(count).toBeLessThan(60);
          const rolled = groupOf(group, given, batch);
          const after = new Set(rolled.numbers ?? Array.from({ length: given.hosts }, (_, number) => number));
          const working = numbersOf(group, "old", "new", "half", "hook tainted");
          const going = working.filter((number) => !after.has(number) || replaces(batch, number));
          const added = [...after].filter((number) => !group.states.has(number));
          const fresh = numbersOf(group, "new");
          const isTooMany = fresh.length + numbersOf(group, "tainted", "half").length > given.hosts;
          if (!isTooMany) expect(going.filter((number) => fresh.includes(number))).toEqual([]);
          if (batch.numbers) {
            if (added.length > 0) expect(after.size).toBeLessThanOrEqual(given.hosts + given.maxSurge);
            if (going.length > 0)
              expect(working.length - going.length).toBeGreaterThanOrEqual(
                given.hosts - given.maxUnavailable,
              );
            expect(added.length > 0 && going.length > 0).toBe(false);
            if (!group.leave) expect(going).toEqual([]);
            if (added.length > 0) expect(onlyAdds(rolled, deployed(group), batch.laterHosts)).toBe(true);
            if (going.length > 0) expect(onlyAdds(rolled, deployed(group), batch.laterHosts)).toBe(false);
            most = Math.max(most, going.length);
          }
          group = step(group, [...after], batch, cuts[count] ?? 0);
        }
        expect([...group.states.values()].every((each) => each === "new")).toBe(true);
      }),
      { numRuns: isLong ? 1000 : 200, seed: 1 },
    );
    expect(most).toBeGreaterThan(2);
  });
});

interface Numbers {
  readonly hosts: number;
  readonly maxSurge: number;
  readonly maxUnavailable?: number;
}

const numbersOf = ({ states }: Seen, ...wanted: readonly State[]): number[] =>
  [...states].flatMap(([number, state]) => (wanted.includes(state) ? number : [])).sort((a, b) => a - b);

const isDone = ({ states, leave }: Seen, { hosts }: Numbers): boolean =>
  leave && states.size === hosts && [...states.values()].every((state) => state === "new");

/** Without a step of a surge, what is updated is replaced under its number. */
const replaces = ({ numbers, updating }: Batch, number: number): boolean =>
  numbers === undefined && updating.includes(hostName(NAME, number));

const groupOf = (seen: Seen, { hosts }: Numbers, { numbers }: Batch): Group =>
  withNumbers({ ...desired, hosts }, deployed(seen), numbers);

function next(seen: Seen, { hosts, maxSurge, maxUnavailable = 0 }: Numbers): Batch {
  const current = deployed(seen);
  const group = withNumbers({ ...desired, hosts }, current);
  return nextBatch(group, current, { maxSurge, maxUnavailable, platform: "local" });
}

/**
 * One apply, which may be cut off: 1 once `leave` was destroyed, 2 once machines were, 3 once the first was made and its hooks ran. What only adds
 * destroys no leave.
 */
function step(seen: Seen, after: readonly number[], batch: Batch, cut: number): Seen {
  const { states } = seen;
  const held = [...batch.laterHosts, ...batch.updated];
  const going = [...states.keys()].filter(
    (number) => !after.includes(number) || !held.includes(hostName(NAME, number)),
  );
  const isAdd = going.length === 0;
  const left = new Map(states);
  for (const number of going)
    left.set(
      number,
      ["old", "hook tainted"].includes(states.get(number) ?? "") ? "left" : (states.get(number) ?? "left"),
    );
  if (cut === 1) return isAdd ? seen : { ...seen, states: left, leave: false };
  const gone = new Map([...states].filter(([number]) => !going.includes(number)));
  const base = { ...(seen.recorded ? { recorded: seen.recorded } : {}) };
  if (cut === 2) return { ...base, states: gone, leave: isAdd && seen.leave };
  const missing = after.filter((number) => !gone.has(number));
  for (const number of cut === 3 ? missing.slice(0, 1) : missing) gone.set(number, "half");
  if (cut === 3) return { ...base, states: gone, leave: isAdd && seen.leave };
  const made = [...gone].map(([number, state]) => [number, state === "half" ? "new" : state] as const);
  return { states: new Map(made), leave: true, recorded: after };
}

function roll(start: Seen, numbers: Numbers): string[] {
  const steps: string[] = [];
  let group = start;
  while (!isDone(group, numbers) && steps.length < 20) {
    const batch = next(group, numbers);
    const { states } = group;
    const after =
      groupOf(group, numbers, batch).numbers ?? Array.from({ length: numbers.hosts }, (_, number) => number);
    const added = after.filter((number) => !states.has(number));
    const gone = [...states.keys()].filter((number) => !after.includes(number));
    steps.push(
      [
        ...(added.length > 0 ? [`+${added.join(",")}`] : []),
        ...(gone.length > 0 ? [`-${gone.join(",")}`] : []),
      ].join(" "),
    );
    group = step(group, after, batch, 0);
  }
  return steps;
}

function deployed({ states, leave, recorded }: Seen): DeployedGroup {
  const hosts = [...states]
    .sort(([one], [other]) => one - other)
    .map(([number, state]): DeployedHost => {
      const id = `i-${String(number)}`;
      return {
        ...{ number, name: hostName(NAME, number), id, image: "ami-0aaa", instanceType: "small" },
        hash:
          state === "other" ? "3333333333" : ["new", "half", "tainted"].includes(state) ? desired.hash : OLD,
        ...(state === "left" ? {} : { configConsul: { host: id, servers: "i-9", attempt: 1 } }),
      };
    });
  const proven = hosts.filter(({ number }) => states.get(number) !== "half");
  const ended = proven.map(({ id = "" }) => `${id}:1`).join(",");
  return {
    ...standing,
    revisions: [{ number: 1, image: "ami-0aaa", hash: OLD, generation: 0, cause: "" }],
    hosts,
    leave,
    tainted: [...states].flatMap(([number, state]) => {
      const host = `terraform_data.${hostName(NAME, number)}`;
      if (state.startsWith("tainted")) return [host];
      return state === "hook tainted" ? [`${host}-start-agents`] : [];
    }),
    ...([...states.values()].includes("seen out")
      ? { order: hosts.flatMap(({ number, name }) => (states.get(number) === "seen out" ? [] : name)) }
      : {}),
    completed: { attempt: 1, hosts: ended, gate: "closed", numbers: recorded ? [...recorded] : undefined },
  };
}
