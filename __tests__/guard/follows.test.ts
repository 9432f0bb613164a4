import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readApproved } from "../../cli/check.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Intent } from "../../cluster/run/intent.js";
import { sha256 } from "../../cluster/sha256.js";
import { withRecordedSizes } from "../../cluster/recorded-sizes.js";
import { templateOf } from "../../cluster/template-hash.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { departuresOf, follows, gateDepartures, leftOf, outOfTurn } from "../../guard/follows.js";
import { readPlan } from "../../guard/plan/read-plan.js";
import { takeBack } from "../../rollout/edit/take-back.js";
import { gateIntent, intentOf, type IntentFacts } from "../../rollout/roll/intent.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  withGroup,
} from "../support/fixtures.js";
import { NOW, situationOf } from "../support/situation.js";
import { readFixture } from "./plan/plan-fixture.js";

const BROKERS = ["broker-0", "broker-1", "broker-2"];
const FACTS: IntentFacts = {
  asked: { target: "broker", image: "ami-0bbb" },
  groups: BROKERS,
  begun: [],
  commit: "3f2a1c0b1a2c",
  program: sha256("program"),
  terraform: { tool: "Terraform", version: "1.11.4" },
  providers: { aws: "6.25.0" },
  expires: new Date(NOW + 86_400_000).toISOString(),
  digestOf: (word) => (word.startsWith("./") ? sha256(word) : undefined),
};

/** The example, with a check and a step that run files. */
const spec = change(localSpec(), (edited) => {
  const broker = poolOf(edited, "broker");
  const action = { scope: "machine", timeout: "10s" } as const;
  broker.ready.checks.push({ ...action, name: "answers", command: ["sh", "./answers.sh"], interval: "1s" });
  broker.steps.beforeLeave.push({ ...action, name: "silence", command: ["./silence.sh"], onFailure: "stop" });
});
const standing = deployedAs(spec);

interface World extends Partial<IntentFacts> {
  readonly spec?: Spec;
  readonly deployed?: Deployed;
  readonly at?: number;
}
const intentIn = ({ spec: of = spec, deployed = standing, at = NOW, ...facts }: World = {}): Intent =>
  intentOf(situationOf(of, deployed, { at }), { ...FACTS, ...facts });

const approved = intentIn();
const departures = (world: World, begun: string[] = []): string[] =>
  departuresOf(approved, intentIn({ begun, ...world }), begun);

/** Some groups as they are once they have been rolled, so many revisions on. */
const rolledIn = (
  groups: readonly string[],
  image = "ami-0bbb",
  more = 1,
  of = spec,
): Required<Pick<World, "spec" | "deployed">> => {
  const edited = withImages(groups, image, of);
  const rolled = deployedAs(edited);
  const deployed = groups.reduce((all, name) => {
    const [revision] = groupIn(rolled, name).revisions;
    const revisions = revision ? [{ ...revision, number: 1 + more }] : [];
    return withGroup(all, name, { ...groupIn(rolled, name), revisions });
  }, standing);
  return { spec: edited, deployed };
};
const withImages = (groups: readonly string[], image: string, of = spec): Spec =>
  change(of, (edited) => {
    for (const group of groups) poolOf(edited, "broker").images[Number(group.at(-1))] = image;
  });
const broker = (edit: (pool: ReturnType<typeof poolOf>) => void): World => ({
  spec: change(spec, (edited) => {
    edit(poolOf(edited, "broker"));
  }),
});
const rollout = (values: Partial<Spec["rollout"]>): World => ({
  spec: change(spec, (edited) => Object.assign(edited.rollout, values)),
});

/** A world that differs from what was approved in one field. */
const FIELDS: readonly ((word: string, number: number) => World)[] = [
  (word) => ({ asked: { target: "broker", image: `ami-${word}` } }),
  (word) => ({ asked: { target: word, image: "ami-0bbb" } }),
  (word) => ({ commit: word }),
  (word) => ({ program: sha256(word) }),
  (_, number) => ({ terraform: { tool: "Terraform", version: `1.12.${String(number)}` } }),
  () => ({ terraform: { tool: "OpenTofu", version: "1.11.4" } }),
  (_, number) => ({ providers: { aws: `6.26.${String(number)}` } }),
  (word) => ({ digestOf: (file) => (file === "./answers.sh" ? sha256(word) : FACTS.digestOf(file)) }),
  (word) => ({ digestOf: (file) => (file === "./silence.sh" ? sha256(word) : FACTS.digestOf(file)) }),
  (word) => broker(({ instanceTypes }) => (instanceTypes[1] = word)),
  (_, number) => broker((pool) => (pool.hosts = [3, 3, 4 + number])),
  (_, number) => broker((pool) => (pool.generations = [0, 1 + number, 0])),
  (_, number) => broker((pool) => (pool.maxUnavailable = 1 + number)),
  (_, number) => broker((pool) => (pool.drain = { deadline: `${String(number + 1)}s`, onDeadline: "fail" })),
  () => broker((pool) => (pool.drain = { deadline: "1h", onDeadline: "accept" })),
  (_, number) => broker(({ bake }) => (bake.time = `${String(number + 31)}s`)),
  (_, number) => broker(({ ready }) => (ready.timeout = `${String(number + 1)}s`)),
  () => broker(({ ready }) => (ready.checks = [])),
  (word) => broker(({ steps }) => Object.assign(steps.beforeLeave[0] ?? {}, { command: [word] })),
  () => broker(({ steps }) => Object.assign(steps.beforeLeave[0] ?? {}, { onFailure: "continue" })),
  (_, number) => rollout({ interval: `${String(number + 1)}m` }),
  () => rollout({ onFailure: "undo" }),
  () => rollout({ manual: true }),
  () => rollout({ order: ["broker-2"] }),
  (word) => ({
    spec: change(spec, (edited) => {
      poolOf(edited, "name-server").images[0] = word;
    }),
  }),
  (_, number) => rolledIn(["broker-1"], "ami-0aaa", 1 + number),
  (word) => rolledIn(["broker-2"], word),
  (_, number) => {
    const { revisions } = groupIn(standing, "name-server-1");
    const later = revisions.map((each) => ({ ...each, number: 2 + number }));
    return { deployed: withGroup(standing, "name-server-1", { revisions: later }) };
  },
  () => ({ deployed: { ...standing, origin: { kind: "state", where: "x", serial: 7, lineage: "other" } } }),
];

test("an approval of an intent never rolls another: 200 random pairs that differ in one field", () => {
  const folder = mkdtempSync(join(tmpdir(), "rollout-intent-"));
  const file = join(folder, "intent.json");
  const hash = sha256(JSON.stringify(approved));
  const met = new Set<number>();
  const pair = fc.record({
    field: fc.nat(FIELDS.length - 1),
    word: fc.stringMatching(/^[c-f][0-9a-f]{5,9}$/),
    number: fc.nat(50),
  });
  fc.assert(
    fc.property(pair, ({ field, word, number }) => {
      met.add(field);
      const world = FIELDS[field]?.(word, number) ?? {};
      const other = intentIn(world);
      // Neither its file is taken for the approved one, nor the approved one for what is so now.
      writeFileSync(file, JSON.stringify(other));
      expect(() => readApproved(file, hash)).toThrow("not the intent that was approved");
      expect(departuresOf(approved, other, [])).not.toEqual([]);
    }),
    { numRuns: 200, seed: 21 },
  );
  expect([...met].sort((a, b) => a - b)).toEqual(FIELDS.map((_, index) => index));
  writeFileSync(file, JSON.stringify(approved));
  expect(readApproved(file, hash)).toBeDefined();
  rmSync(folder, { recursive: true });
});

describe("What was approved", () => {
  test("is so as long as nothing differs, whatever the run itself has edited and rolled", () => {
    expect(departures({})).toEqual([]);
    expect(departures({ spec: withImages(["broker-0"], "ami-0bbb") })).toEqual([]);
    const half = rolledIn(["broker-0"]);
    expect(departures(half)).toEqual([]);
    expect(leftOf(approved, intentIn(half), []).map(({ name }) => name)).toEqual(["broker-1", "broker-2"]);
    const later = { at: NOW + 25 * 3_600_000, commit: "another", ...rolledIn(BROKERS) };
    expect(leftOf(approved, intentIn(later), [])).toEqual([]);
    expect(departures(later)).toEqual([]);
  });

  test("names what is otherwise, by its path", () => {
    expect(departures({ commit: null, program: "other" })).toEqual([
      "commit 3f2a1c0b1a2c -> null",
      `program ${FACTS.program} -> other`,
    ]);
    expect(departures(broker(({ bake }) => (bake.time = "31s"))).slice(1)).toEqual(
      BROKERS.map((name) => `${name}: gate.bake.seconds 30 -> 31`).flatMap((line) => [
        line,
        line.replace("seconds", "firstSeconds"),
      ]),
    );
    expect(departures(rolledIn(["broker-0"], "ami-0bbb", 2))).toContain("broker-0: base 1 -> 3");
  });

  test("begins nothing once it has expired, and finishes what has begun", () => {
    const late = { at: NOW + 86_400_001 };
    expect(departures(late)).toEqual([
      "expired: it was approved until 2026-11-22T10:00:00.000Z, and broker-0 has not begun",
    ]);
    expect(departures({ at: NOW + 86_400_000 })).toEqual([]);
    const inFlight = {
      spec: withImages(["broker-0"], "ami-0bbb"),
      deployed: cutAfterLeave(spec, standing, "broker-0"),
    };
    expect(departures({ ...late, ...inFlight }, ["broker-0"])).toEqual([]);
  });

  test("holds for a group that has begun, which may go back as it was approved and in no other way", () => {
    const deployed = cutAfterLeave(spec, standing, "broker-0");
    const begun = withImages(["broker-0"], "ami-0bbb");
    const more = change(begun, (all) => (poolOf(all, "broker").hosts = [1, 3, 3]));
    expect(departures({ spec: more, deployed }, ["broker-0"])).toEqual(["broker-0: after.hosts 3 -> 1"]);
    expect(departures({ spec: withImages(["broker-0"], "ami-0ccc"), deployed }, ["broker-0"])).toEqual([
      expect.stringMatching(/^broker-0: after\.hash \w{10} -> \w{10}$/),
    ]);
    const back = takeBack(findGroup(begun, "broker-0"), groupIn(standing, "broker-0"), true)?.change;
    expect(back?.generation).toBe(1);
    const of = (generation: number): string[] => {
      const undone = change(spec, (all) => (poolOf(all, "broker").generations = [generation, 0, 0]));
      return departures({ spec: undone, deployed }, ["broker-0"]);
    };
    expect(of(1)).toEqual([]);
    expect(of(2)).not.toEqual([]);
    // Neither may it go back with another number of hosts.
    const fewer = change(spec, (all) =>
      Object.assign(poolOf(all, "broker"), { generations: [1, 0, 0], hosts: [1, 3, 3] }),
    );
    expect(departures({ spec: fewer, deployed }, ["broker-0"])).toEqual(["broker-0: after.hosts 3 -> 1"]);
  });

  test("lets a group that has begun be finished, whatever else is otherwise, and the next one not begin", () => {
    const other = {
      ...{ commit: "another", program: "other", terraform: { tool: "OpenTofu", version: "1.12.6" } as const },
      spec: change(withImages(["broker-0"], "ami-0bbb"), (all) => {
        poolOf(all, "name-server").images[0] = "ami-0ccc";
        all.rollout.interval = "9h";
      }),
    };
    const deployed = cutAfterLeave(spec, standing, "broker-0");
    expect(departures({ ...other, deployed }, ["broker-0"])).toEqual([]);
    const rolled = rolledIn(["broker-0"]).deployed;
    expect(departures({ ...other, deployed: rolled })).toContain("commit 3f2a1c0b1a2c -> another");
  });

  test("holds how each further batch leaves, also one that goes back", () => {
    const digestOf = FACTS.digestOf;
    const of = (world: World, digest = digestOf): string[] =>
      gateDepartures(
        approved,
        "broker-0",
        gateIntent(findGroup(world.spec ?? spec, "broker-0"), world.spec ?? spec, digest),
      );
    expect(of({})).toEqual([]);
    expect(of({ spec: withImages(["broker-0"], "ami-0ccc") })).toEqual([]);
    expect(of(broker((pool) => (pool.maxUnavailable = 6)))).toEqual([
      "broker-0: gate.maxUnavailable null -> 6",
    ]);
    expect(of(broker((pool) => (pool.drain = { deadline: "1s", onDeadline: "accept" })))).toEqual([
      "broker-0: gate.drain.deadlineSeconds 3600 -> 1",
      "broker-0: gate.drain.onDeadline fail -> accept",
    ]);
    expect(of({}, (word) => (word === "./silence.sh" ? sha256("x") : digestOf(word)))).toEqual([
      `broker-0: files../silence.sh ${sha256("./silence.sh")} -> ${sha256("x")}`,
    ]);
  });

  test("is not what a later number of hosts is rolled by, however long ago the approved one was", () => {
    const facts = { asked: { target: "broker-0", image: null }, groups: ["broker-0"] };
    const hosts = (number: number): Spec =>
      change(spec, (all) => (poolOf(all, "broker").hosts = [number, 3, 3]));
    const intent = intentIn({ ...facts, spec: hosts(4) });
    const deployed = deployedAs(hosts(4));
    const later = { ...facts, deployed, at: NOW + 90 * 86_400_000 };
    expect(leftOf(intent, intentIn({ ...later, spec: hosts(4) }), [])).toEqual([]);
    for (const number of [6, 1]) {
      const now = intentIn({ ...later, spec: hosts(number) });
      expect(leftOf(intent, now, []).map(({ name }) => name)).toEqual(["broker-0"]);
      expect(departuresOf(intent, now, [])).toEqual([
        expect.stringMatching(/^spec /),
        "broker-0: before.hosts 3 -> 4",
        `broker-0: after.hosts 4 -> ${String(number)}`,
        expect.stringMatching(/^expired: /),
      ]);
    }
  });

  test("is done with a group whose template and volumes change once its volumes are changed, too", () => {
    const volume = (sizeGib: number, image: string): Spec =>
      change(spec, (all) => {
        const dataVolumes = [0, 1, 2].map(() => ({ sizeGib, type: "gp3" }));
        Object.assign(poolOf(all, "broker"), { dataVolumes, images: [image, "ami-0aaa", "ami-0aaa"] });
      });
    const told = (of: Spec, number: number): Deployed => {
      const deployed = deployedAs(of);
      const template = templateOf(findGroup(of, "broker-0"));
      const revisions = groupIn(deployed, "broker-0").revisions.map((each) => ({
        ...each,
        ...{ number, template },
      }));
      return withGroup(deployed, "broker-0", { revisions });
    };
    const facts = { asked: { target: "broker-0", image: null }, groups: ["broker-0"] };
    const at = (sizeGib: number, deployed: Deployed): Intent =>
      intentIn({ ...facts, deployed, spec: withRecordedSizes(volume(sizeGib, "ami-0bbb"), deployed) });
    const intent = at(200, told(volume(100, "ami-0aaa"), 1));
    expect(intent.groups).toMatchObject([{ base: 1, inPlace: ["volume 100 -> 200 GiB"] }]);
    const rolled = told(volume(100, "ami-0bbb"), 2);
    expect(leftOf(intent, at(200, rolled), []).map(({ name }) => name)).toEqual(["broker-0"]);
    expect(departuresOf(intent, at(200, rolled), [])).toEqual([]);
    expect(departuresOf(intent, at(300, rolled), [])).toEqual([
      "broker-0: volume 100 -> 300 GiB, which was not approved",
    ]);
    const { volumes } = groupIn(rolled, "broker-0");
    const grown = withGroup(rolled, "broker-0", {
      volumes: volumes.map((each) => ({ ...each, sizeGib: 200 })),
    });
    expect(leftOf(intent, at(200, grown), [])).toEqual([]);
  });
});

test("a group is rolled in its turn alone, and only once", () => {
  const turn = (world: World, group: string | undefined, begun: string[] = []): string[] =>
    outOfTurn(approved, intentIn({ begun, ...world }), begun, group);
  const half = rolledIn(["broker-0"]);
  expect(turn({}, undefined)).toEqual([]);
  expect(turn({}, "broker-0")).toEqual([]);
  expect(turn({}, "broker-1")).toEqual(["broker-1 is not what comes next: broker-0"]);
  expect(turn(half, "broker-1")).toEqual([]);
  expect(turn(half, "broker-0")).toEqual(["broker-0 is rolled already"]);
  expect(turn(rolledIn(BROKERS), "broker-0")).toEqual(["broker-0 is rolled already"]);
  // One that has begun is finished before what comes first in the order.
  expect(turn({}, "broker-1", ["broker-1"])).toEqual([]);
});

test("a file whose name has placeholders is held by its digest, for each host", () => {
  const named = change(spec, (edited) => {
    const [check] = poolOf(edited, "broker").ready.checks.slice(-1);
    if (check) check.command = ["/etc/{group}/{host}.sh", "./{group}.sh", "{address}"];
  });
  const asked: string[] = [];
  const digestOf = (word: string): string | undefined => {
    asked.push(word);
    return word.endsWith(".sh") ? sha256(word) : undefined;
  };
  const { files } = gateIntent(findGroup(named, "broker-0"), named, digestOf);
  expect(Object.keys(files)).toEqual([
    "./broker-0.sh",
    "./silence.sh",
    ...[0, 1, 2].map((number) => `/etc/broker-0/broker-0-${String(number)}.sh`),
  ]);
  expect(asked.filter((word) => /\{(group|host)\}/.test(word))).toEqual([]);
});

describe("A plan", () => {
  const { plan: text, spec: of, deployed } = readFixture("roll-clients");
  const plan = readPlan(new TextEncoder().encode(text));
  const facts = {
    ...FACTS,
    asked: { target: "broker-0", image: null },
    groups: ["broker-0"],
    terraform: { tool: plan.tool, version: plan.terraformVersion },
  };
  const intent = intentOf(situationOf(of, deployed), facts);
  const [group] = intent.groups;
  if (!group) throw new Error("no group");
  const otherwise = (values: Partial<typeof group>): Intent => ({
    ...intent,
    groups: [{ ...group, ...values }],
  });

  test("follows the intent that it was approved by", () => {
    expect(group.after.template).toEqual(templateOf(findGroup(of, "broker-0")));
    expect(follows(intent, plan)).toEqual([]);
  });

  test("refuses another image, another revision to begin with, another Terraform, another group", () => {
    const after = { ...group.after, hash: "0000000000" };
    expect(follows(otherwise({ after, undo: null }), plan)).toEqual([
      expect.stringMatching(/^terraform_data\.broker-0-0: v2 \(0000000000\) -> v2 \(\w{10}\)$/),
      expect.stringMatching(/^terraform_data\.broker-0-1: v2 /),
    ]);
    expect(follows(otherwise({ base: 7 }), plan)).toEqual(["broker-0: base 7 -> 1"]);
    expect(follows({ ...intent, terraform: { tool: "OpenTofu", version: "1.12.6" } }, plan)).toEqual([
      "terraform.tool OpenTofu -> Terraform",
      `terraform.version 1.12.6 -> ${plan.terraformVersion}`,
    ]);
    expect(follows(otherwise({ name: "broker-1" }), plan)).toEqual([
      "the plan is of the view broker-0, which is no group of the intent",
    ]);
  });

  test("may be the undo that was approved, and where it has begun what it was", () => {
    const { hash, template } = group.after;
    const after = { ...group.after, hash: "0000000000" };
    expect(follows(otherwise({ after, undo: { hash, template } }), plan)).toEqual([]);
    const goesBack = otherwise({ after, before: group.after, undo: null });
    expect(follows(goesBack, plan, true)).toEqual([]);
    expect(follows(goesBack, plan)).toHaveLength(2);
    const mixed = {
      ...plan,
      resources: plan.resources.map((each) =>
        each.address === "terraform_data.broker-0-0"
          ? (JSON.parse(JSON.stringify(each).replaceAll(String(hash), "0000000000")) as typeof each)
          : each,
      ),
    };
    expect(follows(goesBack, mixed, true)).toHaveLength(1);
  });

  test("of a group that has begun may be made by another Terraform", () => {
    const other: Intent = { ...intent, terraform: { tool: "OpenTofu", version: "1.12.6" } };
    expect(follows(other, plan, true)).toEqual([]);
  });

  test("refuses another number of hosts than was approved", () => {
    const { hosts } = group.after;
    for (const number of [hosts - 1, hosts + 1, 99])
      expect(follows(otherwise({ after: { ...group.after, hosts: number } }), plan)).toEqual([
        `broker-0: hosts ${String(number)} -> ${String(hosts)}`,
      ]);
    const gone = plan.resources.map((each) =>
      each.address === "terraform_data.broker-0-0" ? { ...each, actions: ["delete"], after: null } : each,
    );
    expect(follows(intent, { ...plan, resources: gone })).toEqual([
      `broker-0: hosts ${String(hosts)} -> ${String(hosts - 1)}`,
    ]);
  });

  test("in the middle of a surge may have as many more as were approved", () => {
    const numbers = [0, 1, 2];
    const surging = otherwise({
      after: { ...group.after, hosts: group.after.hosts - 1 },
      before: { ...group.before, hosts: group.after.hosts - 1 },
      gate: { ...group.gate, maxSurge: 1, maxUnavailable: 0 },
    });
    expect(follows(surging, { ...plan, numbers, gate: "closed" })).toEqual([]);
    expect(follows(surging, { ...plan, numbers, gate: "open" })).toHaveLength(1);
    expect(follows(surging, { ...plan, gate: "closed" })).toHaveLength(1);
  });

  test("may change the volumes of a group that is rolled as it was approved, and in no other way", () => {
    const hosts = plan.resources
      .filter(({ address }) => /^terraform_data\.broker-0-\d$/.test(address))
      .map((each) => ({ ...each, actions: ["no-op"], before: each.after }));
    const volume = (sizeGib: number) => ({ input: { sizeGib, type: "gp3" } });
    const grown = (to: number): typeof plan => ({
      ...plan,
      base: new Map([["broker-0", 2]]),
      resources: [
        ...hosts,
        {
          ...{ address: "terraform_data.broker-0-0-data", imported: false, actions: ["update"] },
          ...{ before: volume(100), after: volume(to) },
        },
      ],
    });
    const growing = otherwise({ inPlace: ["volume 100 -> 200 GiB"] });
    expect(follows(growing, grown(200))).toEqual([]);
    expect(follows(growing, grown(300))).toEqual(["broker-0: volume 100 -> 300 GiB, which was not approved"]);
    expect(follows(growing, { ...grown(200), base: new Map([["broker-0", 3]]) })).toEqual([
      "broker-0: base 2 -> 3",
    ]);
    expect(follows(growing, { ...plan, base: new Map([["broker-0", 2]]) })).toEqual([
      "broker-0: base 1 -> 2",
    ]);
  });

  test("refuses what is changed beside the group: a shared part, a resource of the user's own", () => {
    const lb = {
      ...plan,
      resources: [
        ...plan.resources,
        { address: "aws_sns_topic.alarms", imported: false, actions: ["update"], before: {}, after: {} },
      ],
    };
    expect(follows(intent, lb)).toEqual(["beside broker-0: aws_sns_topic.alarms (updated)"]);
  });
});
