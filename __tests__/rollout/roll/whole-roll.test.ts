import { describe, expect, test } from "@jest/globals";
import { formatWholeRoll } from "../../../cli/output/whole-roll.js";
import { groupsOf } from "../../../cluster/groups.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { wholeRoll, wholeRollSchema, type WholeRoll } from "../../../rollout/roll/whole-roll.js";
import type { Situation } from "../../../rollout/status/situation.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  withGroup,
} from "../../support/fixtures.js";
import { ago, NOW, PAUSE, RUN, situationOf } from "../../support/situation.js";

const local = localSpec();
const standing = deployedAs(local);
const ALL = { groups: groupsOf(local).map(({ name }) => name), command: "rollout deploy --all" };
const BROKERS = {
  groups: ALL.groups.filter((name) => name.startsWith("broker")),
  command: "rollout deploy broker",
};
const image = { image: "ami-0bbb" };

const withRollout = (values: Partial<Spec["rollout"]>, spec = local): Spec =>
  change(spec, (edited) => Object.assign(edited.rollout, values));

const rollOf = (
  wanted: Parameters<typeof wholeRoll>[1],
  { spec = local, deployed = standing, ...more }: Partial<Situation> = {},
): WholeRoll => {
  const roll = wholeRoll(situationOf(spec, deployed, more), wanted, () => []);
  expect(wholeRollSchema.parse(JSON.parse(JSON.stringify(roll)))).toEqual(roll);
  return roll;
};
const waitsOf = (wanted: Parameters<typeof wholeRoll>[1], more: Partial<Situation>): string[][] =>
  rollOf(wanted, more).groups.map(({ waits }) => waits);

/** As after a first roll of the brokers. */
const recorded = BROKERS.groups.reduce((all, name) => {
  const roll = { begun: ago(20), ended: ago(10), by: "ops@a", how: "at once" };
  const [first] = groupIn(all, name).revisions;
  return withGroup(all, name, { revisions: first ? [{ ...first, number: 2, roll }] : [] });
}, standing);
const onceRolled = withGroup(standing, "broker-0", {
  revisions: groupIn(standing, "broker-0").revisions.map((each) => ({ ...each, number: 2 })),
});

/** A roll of broker-0 that took 18 minutes and ended so many minutes ago. */
const rolledBroker0 = (minutes: number): LogEvent[] => [
  { at: ago(minutes + 18), run: "r", event: "run-started", command: "rollout deploy broker-0" },
  { at: ago(minutes + 18), run: "r", event: "group-started", group: "broker-0", to: "ami-0aaa" },
  {
    at: ago(minutes),
    run: "r",
    event: "group-ended",
    group: "broker-0",
    result: "ok",
    seconds: 1080,
    revision: 2,
  },
  { at: ago(minutes), run: "r", event: "run-ended", result: "ok" },
];

describe("A whole roll before it begins", () => {
  test("is a table of its groups in order, what each means, and what is asked", () => {
    expect(formatWholeRoll(rollOf({ ...ALL, ...image }, { deployed: onceRolled, events: rolledBroker0(60) })))
      .toMatchInlineSnapshot(`
     "demo: 12 of 12 groups, one after another; how long consul-server-0 to -2, nomad-server-0 to -2, name-server-0 to -2, broker-1, broker-2 take is not known yet

     NAME             NOW       THEN      MACHINES    ORDER  CONFIRM    WAITS  ABOUT
     consul-server-0  ami-0aaa  ami-0bbb  1 replaced  1      --confirm  -      -
     consul-server-1  ami-0aaa  ami-0bbb  1 replaced  2      --confirm  -      -
     consul-server-2  ami-0aaa  ami-0bbb  1 replaced  3      --confirm  -      -
     nomad-server-0   ami-0aaa  ami-0bbb  1 replaced  4      --confirm  -      -
     nomad-server-1   ami-0aaa  ami-0bbb  1 replaced  5      --confirm  -      -
     nomad-server-2   ami-0aaa  ami-0bbb  1 replaced  6      --confirm  -      -
     name-server-0    ami-0aaa  ami-0bbb  1 replaced  7      --yes      -      -
     name-server-1    ami-0aaa  ami-0bbb  1 replaced  8      --yes      -      -
     name-server-2    ami-0aaa  ami-0bbb  1 replaced  9      --yes      -      -
     broker-0         ami-0aaa  ami-0bbb  3 replaced  10     --yes      -      18m
     broker-1         ami-0aaa  ami-0bbb  3 replaced  11     --yes      -      -
     broker-2         ami-0aaa  ami-0bbb  3 replaced  12     --yes      -      -

     consul-server-0: 1 of 3 machines of consul-server; leadership is handed over first; bake 30s
     consul-server-1: 1 of 3 machines of consul-server; leadership is handed over first; bake 30s
     consul-server-2: 1 of 3 machines of consul-server; leadership is handed over first; bake 30s
     nomad-server-0: 1 of 3 machines of nomad-server; leadership is handed over first; bake 30s
     nomad-server-1: 1 of 3 machines of nomad-server; leadership is handed over first; bake 30s
     nomad-server-2: 1 of 3 machines of nomad-server; leadership is handed over first; bake 30s
     name-server-0: 1 of 3 machines of name-server; their work moves; drain up to 1h, bake 30s
     name-server-1: 1 of 3 machines of name-server; their work moves; drain up to 1h, bake 30s
     name-server-2: 1 of 3 machines of name-server; their work moves; drain up to 1h, bake 30s
     broker-0: 3 of 9 machines of broker, at once; their work is down meanwhile; drain up to 1h, bake 30s; last time 18m
     broker-1: 3 of 9 machines of broker, at once; their work is down meanwhile; drain up to 1h, bake 30s
     broker-2: 3 of 9 machines of broker, at once; their work is down meanwhile; drain up to 1h, bake 30s
     of the servers of a kind the one that leads goes last
     asked once: demo is to be typed; nobody is asked with --yes --confirm consul-server-0 consul-server-1 consul-server-2 nomad-server-0 nomad-server-1 nomad-server-2"
    `);
  });

  test("by an intent has its order and asks nobody", () => {
    const spec = change(local, (edited) => {
      poolOf(edited, "nomad-server").images = ["ami-0bbb", "ami-0bbb", "ami-0bbb"];
    });
    const servers = ["nomad-server-0", "nomad-server-1", "nomad-server-2"];
    const roll = rollOf({ groups: servers, command: "x" }, { spec, deployed: onceRolled });
    expect(formatWholeRoll(roll)).toMatch(/ leads goes last\nasked once: /);
    expect(formatWholeRoll(roll, true)).not.toMatch(/ leads goes last|asked once/);
  });

  test("of clients alone is asked with yes, and says how long it takes where all have been rolled", () => {
    const spec = change(local, (edited) => {
      poolOf(edited, "broker").images[0] = "ami-0bbb";
    });
    expect(formatWholeRoll(rollOf(BROKERS, { spec, deployed: onceRolled, events: rolledBroker0(60) })))
      .toMatchInlineSnapshot(`
     "demo: 1 of 12 groups, one after another; about 18m by the last roll of each

     NAME      NOW       THEN      MACHINES    ORDER  CONFIRM  WAITS  ABOUT
     broker-0  ami-0aaa  ami-0bbb  3 replaced  1      --yes    -      18m

     broker-0: 3 of 9 machines of broker, at once; their work is down meanwhile; drain up to 1h, bake 30s; last time 18m
     asked once: yes or no; nobody is asked with --yes"
    `);
  });

  test("has no row where nothing is to be rolled, and asks nobody", () => {
    expect(formatWholeRoll(rollOf(ALL))).toBe("demo: no group is to be rolled");
  });

  test("leaves out what runs the image already, and begins with what the spec leaves pending", () => {
    const at = (index: number, spec = local): Spec =>
      change(spec, (edited) => {
        poolOf(edited, "broker").images[index] = "ami-0bbb";
      });
    const wanted = { ...BROKERS, ...image };
    const namesOf = (more: Partial<Situation>) => rollOf(wanted, more).groups.map(({ name }) => name);
    expect(namesOf({ spec: at(1), deployed: deployedAs(at(1)) })).toEqual(["broker-0", "broker-2"]);
    expect(namesOf({ spec: at(2) })).toEqual(["broker-2", "broker-0", "broker-1"]);
  });

  test("names what has begun first, which waits for nothing, and then what differs beside the image", () => {
    const spec = change(withRollout({ interval: "10m", pendingGroups: "queue" }), (edited) => {
      const broker = poolOf(edited, "broker");
      broker.images[1] = "ami-0bbb";
      broker.hosts = [4, 3, 3];
    });
    const deployed = cutAfterLeave(spec, standing, "broker-1");
    const { groups } = rollOf(BROKERS, { spec, deployed });
    expect(groups.map(({ name, then, begun, waits }) => [name, then, begun, waits])).toEqual([
      ["broker-1", "ami-0bbb", true, []],
      ["broker-0", "3 -> 4 hosts", false, ["interval 10m"]],
    ]);
  });

  test("says of the first what it waits for now, and of the others what the pace puts before them", () => {
    const paced = withRollout({ interval: "10m", pauseAfter: ["broker-0"] });
    const wanted = { ...BROKERS, ...image };
    expect(waitsOf(wanted, { spec: paced })).toEqual([[], ["pause-after", "interval 10m"], ["interval 10m"]]);
    expect(waitsOf(wanted, { spec: withRollout({ manual: true }), hold: PAUSE })).toEqual([
      ["paused", "manual"],
      ["manual"],
      ["manual"],
    ]);
    const windows: Spec["rollout"]["windows"] = [{ days: ["sun"], from: "02:00", to: "04:00", zone: "UTC" }];
    expect(waitsOf(wanted, { spec: withRollout({ windows }) })).toEqual([
      ["window until 2026-11-22 02:00 UTC"],
      ["window"],
      ["window"],
    ]);
  });

  test("says what is refused already: by another run, by the policy, by what never stood, by the guard", () => {
    const spec = change(local, (edited) => {
      poolOf(edited, "broker").images = ["ami-0bbb", "ami-0bbb", "ami-0aaa"];
    });
    expect(rollOf(BROKERS, { spec, run: RUN }).refused).toEqual([
      "2 groups are pending (broker-0, broker-1) and rollout.pendingGroups is one; first: set all but one back, or set rollout.pendingGroups: queue",
      expect.stringMatching(/^a run is under way \(rollout deploy broker-0, .*; first: wait for it/),
    ]);
    const { ready, ...group } = groupIn(standing, "broker-2");
    expect(ready).toBeDefined();
    const fresh = {
      ...standing,
      groups: new Map(standing.groups).set("broker-2", { ...group, revisions: [] }),
    };
    const { groups, refused } = rollOf({ ...BROKERS, ...image }, { deployed: fresh });
    expect(groups.map(({ name }) => name)).toEqual(["broker-0", "broker-1"]);
    expect(refused).toEqual(["broker-2 is new and has never stood; first: npx rollout deploy cluster"]);
    const violation = { rule: "data-volume-kept", message: "a volume would shrink", remedy: "put it back" };
    const roll = wholeRoll(situationOf(local, standing), { ...BROKERS, ...image }, (name) =>
      name === "broker-1" ? [violation] : [],
    );
    expect(roll.refused).toEqual(["broker-1: data-volume-kept: a volume would shrink; put it back"]);
  });

  test("adds the times of the groups and what lies between them", () => {
    const { seconds } = rollOf(
      { ...BROKERS, ...image },
      { deployed: recorded, spec: withRollout({ interval: "1m" }), at: NOW },
    );
    expect(seconds).toBe(3 * 600 + 2 * 60);
    expect(rollOf({ ...BROKERS, ...image }, { events: rolledBroker0(60) }).seconds).toBeNull();
  });
});
