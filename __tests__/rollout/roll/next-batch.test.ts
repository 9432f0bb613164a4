import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Batch, nextBatch } from "../../../rollout/roll/next-batch.js";
import type { DeployedGroup, DeployedHost } from "../../../cluster/deployed.js";

const [OLD, NEW] = ["1111111111", "2222222222"];

/** What is known of a machine: `old`, `new`, gone, tainted, or out of Consul. */
type State = "old" | "new" | "gone" | "tainted" | "left";

describe("a group of four, two at a time", () => {
  test("goes over to a new template in two batches", () => {
    expect(roll({ states: ["old", "old", "old", "old"], leave: true }, 2)).toEqual([
      "0,1 go, 2,3 wait",
      "2,3 go",
    ]);
  });

  test("ends with the odd one", () => {
    expect(roll({ states: ["old", "old", "old"], leave: true }, 2)).toEqual(["0,1 go, 2 wait", "2 go"]);
  });

  test("counts machines that are out already", () => {
    expect(roll({ states: ["old", "gone", "old", "old"], leave: true }, 2)).toEqual([
      "1 made, 0 go, 2,3 wait",
      "2,3 go",
    ]);
    expect(roll({ states: ["old", "gone", "tainted", "gone"], leave: true }, 2)).toEqual([
      "1,2,3 made, nothing goes, 0 wait",
      "0 go",
    ]);
  });

  test("finishes the machines that have left before others go, where it was cut off within a batch", () => {
    expect(roll({ states: ["new", "left", "gone", "old"], leave: false }, 2)).toEqual([
      "1,2 made, nothing goes, 3 wait",
      "3 go",
    ]);
  });

  test("makes its leave anew first, where that is all that is gone", () => {
    expect(roll({ states: ["old", "old", "new", "old"], leave: false }, 2)).toEqual([
      "nothing goes, 0,1,3 wait",
      "0,1 go, 3 wait",
      "3 go",
    ]);
  });

  test("is replaced at once without a number, as it has been", () => {
    expect(roll({ states: ["old", "old", "old", "old"], leave: true }, Infinity)).toEqual(["0,1,2,3 go"]);
    expect(roll({ states: ["left", "left", "gone", "left"], leave: false }, Infinity)).toEqual([
      "0,1,2,3 made, nothing goes",
    ]);
  });

  test("that shrinks loses machines at once, and they count", () => {
    const current = deployed({ states: ["old", "old", "old", "old"], leave: true });
    expect(batch(current, 1, 3)).toEqual({ updated: [], updating: [], laterHosts: hosts(0, 1, 2) });
    expect(batch(current, 2, 3)).toEqual({ updated: [], updating: hosts(0), laterHosts: hosts(1, 2) });
  });

  test("that retires waits for nothing", () => {
    const current = deployed({ states: ["old", "old", "old", "old"], leave: true });
    expect(batch(current, 1, 0)).toEqual({ updated: [], updating: [], laterHosts: [] });
  });
});

describe("the servers of a group", () => {
  const batchOf = (start: Seen, hosts: number, order?: readonly string[]): Batch =>
    nextBatch(
      { name: "broker-0", role: "nomad-server", hosts, hash: NEW },
      { ...deployed(start), role: "nomad-server", ...(order ? { order } : {}) },
      { maxUnavailable: 1, platform: "local" },
    );

  test("a single one goes, whatever is left of its group", () => {
    const [alone] = hosts(0);
    expect(batchOf({ states: ["old"], leave: false }, 1)).toEqual({ ...NONE, updating: [alone] });
    expect(batchOf({ states: ["left"], leave: false }, 1)).toEqual({ ...NONE, updating: [alone] });
  });

  test("go one at a time, in the order in which they were seen", () => {
    const [zero, one] = ["broker-0-0", "broker-0-1"];
    const start: Seen = { states: ["old", "old"], leave: true };
    expect(batchOf(start, 2)).toEqual({ ...NONE, updating: [zero], laterHosts: [one] });
    expect(batchOf(start, 2, [one, zero])).toEqual({ ...NONE, updating: [one], laterHosts: [zero] });
  });

  test("wait while another is out, and where leave is gone the order tells who has left", () => {
    const [zero, one] = ["broker-0-0", "broker-0-1"];
    expect(batchOf({ states: ["old", "gone"], leave: false }, 2)).toEqual({ ...NONE, laterHosts: [zero] });
    expect(batchOf({ states: ["tainted", "old"], leave: true }, 2)).toEqual({ ...NONE, laterHosts: [one] });
    expect(batchOf({ states: ["left", "left"], leave: false }, 2, [zero])).toEqual({
      ...NONE,
      laterHosts: [zero],
    });
  });

  test("that have left go on before what is new is whole, and one at a time where both are dead", () => {
    const [zero, one] = ["broker-0-0", "broker-0-1"];
    expect(batchOf({ states: ["new", "old"], leave: true }, 2, [zero])).toEqual({ ...NONE, updated: [zero] });
    expect(batchOf({ states: ["new", "old"], leave: true }, 2, [one])).toEqual({
      ...NONE,
      updated: [zero],
      updating: [one],
    });
    expect(batchOf({ states: ["old", "old"], leave: true }, 2, [])).toEqual({ ...NONE, laterHosts: [one] });
    expect(batchOf({ states: ["old", "gone"], leave: false }, 2, [])).toEqual({
      ...NONE,
      laterHosts: [zero],
    });
  });

  test("that become more or fewer stay where they are, and others go after that", () => {
    const [zero, one] = ["broker-0-0", "broker-0-1"];
    expect(batchOf({ states: ["new"], leave: true }, 2)).toEqual({ ...NONE, updated: [zero] });
    expect(batchOf({ states: ["new", "new"], leave: true }, 1)).toEqual({ ...NONE, updated: [zero] });
    expect(batchOf({ states: ["old"], leave: true }, 2)).toEqual({ ...NONE, laterHosts: [zero] });
    expect(batchOf({ states: ["old", "old"], leave: true }, 1)).toEqual({ ...NONE, laterHosts: [zero] });
    expect(batchOf({ states: ["old", "new"], leave: true }, 2)).toEqual({
      ...NONE,
      updated: [one],
      updating: [zero],
    });
  });

  test("that go for good go one after another, the leader last, and one that is out first", () => {
    const [zero = "", one = "", two = ""] = hosts(0, 1, 2);
    const three: Seen = { states: ["new", "new", "new"], leave: true };
    expect(batchOf(three, 1)).toEqual({ ...NONE, updated: [zero], numbers: [0, 2] });
    expect(batchOf(three, 1, [zero, two, one])).toEqual({ ...NONE, updated: [zero], numbers: [0, 1] });
    expect(batchOf(three, 1, [zero, one])).toEqual({ ...NONE, updated: [zero], numbers: [0, 1] });
    const old: Seen = { states: ["old", "old", "old"], leave: true };
    expect(batchOf(old, 1)).toEqual({ ...NONE, laterHosts: [zero, two], numbers: [0, 2] });
    const out: Seen = { states: ["new", "new", "tainted"], leave: true };
    expect(batchOf(out, 1)).toEqual({ ...NONE, updated: [zero], numbers: [0, 1] });
    const missing: Seen = { states: ["tainted", "new", "new"], leave: true };
    expect(batchOf(missing, 1)).toEqual({ ...NONE, numbers: [0, 1, 2] });
  });
});

const NONE: Batch = { updated: [], updating: [], laterHosts: [] };

describe("from any state of a group, with any number", () => {
  test("no more than that many machines are out, and none that has not left goes without leave", () => {
    let most = 0;
    fc.assert(
      fc.property(anyGroup, fc.integer({ min: 1, max: 5 }), (group, maxUnavailable) => {
        const { updating, laterHosts, updated } = batch(deployed(group), maxUnavailable);
        const out = group.states.filter((_, number) => isOut(group, number)).length;
        if (updating.length > 0) expect(updating.length + out).toBeLessThanOrEqual(maxUnavailable);
        if (!group.leave) expect(updating).toEqual([]);
        expect(new Set([...updating, ...laterHosts, ...updated]).size).toBe(group.states.length - out);
        most = Math.max(most, updating.length);
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(most).toBeGreaterThan(2);
  });

  test("the batches end with every machine new, each made once, wherever they are cut off", () => {
    fc.assert(
      fc.property(
        anyGroup,
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(3), { maxLength: 15 }),
        (start, most, cuts) => {
          let group = start;
          const made = start.states.map(() => 0);
          for (let count = 0; count < 40; count++) {
            const next = batch(deployed(group), most);
            if (group.leave && group.states.every((state) => state === "new")) break;
            const cut = cuts[count] ?? 0;
            group = step(group, next, cut, made);
          }
          expect(group.states.every((state) => state === "new")).toBe(true);
          start.states.forEach((state, number) => {
            expect(made[number]).toBe(state === "new" ? 0 : 1);
          });
        },
      ),
    );
  });
});

interface Seen {
  readonly states: readonly State[];
  readonly leave: boolean;
}

/** `leave` is gone wherever a machine has left, and otherwise where a run was cut off in between. */
const anyGroup: fc.Arbitrary<Seen> = fc
  .tuple(
    fc.array(fc.constantFrom<State>("old", "old", "old", "new", "gone", "tainted", "left"), {
      minLength: 1,
      maxLength: 6,
    }),
    fc.boolean(),
  )
  .map(([states, leave]) => ({ states, leave: leave && !states.includes("left") }));

const isOut = ({ states, leave }: Seen, number: number): boolean => {
  const state = states[number];
  return state === "gone" || state === "tainted" || (state === "left" && !leave);
};

/**
 * One apply of a batch, which may be cut off: 0 not at all, 1 once `leave` was destroyed, 2 once machines were, 3 once the
 * first of them was made.
 */
function step(group: Seen, { laterHosts, updated: standing }: Batch, cut: number, made: number[]): Seen {
  const names = new Set([...laterHosts, ...standing]);
  const mine = group.states.flatMap((_, number) => (names.has(host(number)) ? [] : [number]));
  const set = (numbers: readonly number[], state: State): State[] =>
    group.states.map((before, number) => (numbers.includes(number) ? state : before));
  if (cut === 1 && mine.length > 0) return { states: set(mine, "left"), leave: false };
  if (cut === 2 && mine.length > 0) return { states: set(mine, "gone"), leave: false };
  const done = cut === 3 ? mine.slice(0, 1) : mine;
  for (const number of done) made[number] = (made[number] ?? 0) + 1;
  if (cut !== 3 || mine.length <= 1) return { states: set(mine, "new"), leave: true };
  const states = set(mine, "gone").map((state, number) => (done.includes(number) ? "new" : state));
  return { states, leave: false };
}

/** The batches from a state to the end, where nothing is cut off. */
function roll(start: Seen, maxUnavailable: number): string[] {
  const log: string[] = [];
  let group = start;
  while (!(group.leave && group.states.every((state) => state === "new")) && log.length < 20) {
    const next = batch(deployed(group), maxUnavailable);
    const numbers = (names: readonly string[]): string =>
      names.map((name) => name.slice("broker-0-".length)).join(",");
    const out = group.states.flatMap((_, number) => (isOut(group, number) ? [host(number)] : []));
    log.push(
      [
        ...(out.length > 0 ? [`${numbers(out)} made`] : []),
        next.updating.length > 0 ? `${numbers(next.updating)} go` : "nothing goes",
        ...(next.laterHosts.length > 0 ? [`${numbers(next.laterHosts)} wait`] : []),
      ].join(", "),
    );
    group = step(group, next, 0, []);
  }
  return log;
}

const host = (number: number): string => `broker-0-${String(number)}`;
const hosts = (...numbers: readonly number[]): string[] => numbers.map(host);

const batch = (current: DeployedGroup, maxUnavailable: number, hosts = numberOf(current)): Batch =>
  nextBatch({ name: "broker-0", role: "client", hosts, hash: NEW }, current, {
    maxUnavailable,
    platform: "local",
  });

/** How many machines the group last stood with. */
const numberOf = ({ ready }: DeployedGroup): number => (ready?.hosts ?? "").split(",").length;

function deployed({ states, leave }: Seen): DeployedGroup {
  return {
    name: "broker-0",
    pool: "broker",
    index: 0,
    role: "client",
    hosts: states.flatMap((state, number): DeployedHost[] => {
      if (state === "gone") return [];
      const id = `i-${String(number)}`;
      return [
        {
          number,
          name: host(number),
          id,
          image: state === "new" ? "ami-0bbb" : "ami-0aaa",
          instanceType: "small",
          hash: state === "new" ? NEW : OLD,
          ...(state === "left" ? {} : { configConsul: { host: id, servers: "i-9" } }),
        },
      ];
    }),
    volumes: [],
    revisions: [{ number: 1, image: "ami-0aaa", hash: OLD, generation: 0, cause: "" }],
    ready: { hosts: states.map((_, number) => `i-${String(number)}`).join(","), hash: OLD, gate: "closed" },
    leave,
    tainted: states.flatMap((state, number) =>
      state === "tainted" ? [`terraform_data.${host(number)}`] : [],
    ),
    deposed: [],
  };
}
