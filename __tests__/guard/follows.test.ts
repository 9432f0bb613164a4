import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { readApproved } from "../../cli/check.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Intent } from "../../cluster/run/intent.js";
import { sha256 } from "../../cluster/sha256.js";
import { templateOf } from "../../cluster/template-hash.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { departuresOf, follows, leftOf } from "../../guard/follows.js";
import { readPlan } from "../../guard/plan/read-plan.js";
import { takeBack } from "../../rollout/edit/take-back.js";
import { intentOf, type IntentFacts } from "../../rollout/roll/intent.js";
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
    const edited = change(
      begun,
      (all) => (poolOf(all, "broker").drain = { deadline: "9h", onDeadline: "fail" }),
    );
    expect(departures({ spec: edited, deployed }, ["broker-0"])).toContain(
      "broker-0: gate.drain.deadlineSeconds 3600 -> 32400",
    );
    const back = takeBack(findGroup(begun, "broker-0"), groupIn(standing, "broker-0"), true)?.change;
    expect(back?.generation).toBe(1);
    const of = (generation: number): string[] => {
      const undone = change(spec, (all) => (poolOf(all, "broker").generations = [generation, 0, 0]));
      return departures({ spec: undone, deployed }, ["broker-0"]);
    };
    expect(of(1)).toEqual([]);
    expect(of(2)).not.toEqual([]);
  });
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

  test("may be the undo that was approved", () => {
    const { hash, template } = group.after;
    const after = { ...group.after, hash: "0000000000" };
    expect(follows(otherwise({ after, undo: { hash, template } }), plan)).toEqual([]);
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
