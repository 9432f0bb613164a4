import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { reviewOf, reviewSchema, type Review } from "../../../rollout/review/review.js";
import { baselineOf } from "../../../stacks/baseline.js";
import { schemaFor, type Spec } from "../../../cluster/yaml/schema.js";
import { withUserData } from "../../../cluster/yaml/user-data-files.js";

type Change = readonly [before: unknown, after: unknown];

const WINDOW = { days: ["mon"], from: "22:00", to: "05:00", zone: "Europe/Berlin" };
const CHECK = { name: "answers", http: "http://{address}/", interval: "5s", timeout: "5s" };
const COMMAND = { name: "answers", command: ["true"] };

const STEP = { name: "silence", command: ["true"] };

/** Changes of an action's keys, which a step has and its undo, too. */
const ACTIONS: readonly (readonly [key: string, before: object, after: object])[] = [
  [".timeout", { command: ["true"] }, { command: ["true"], timeout: "1m" }],
  [".command", { command: ["true"] }, { command: ["false"] }],
  [".env", { command: ["true"] }, { command: ["true"], env: ["JAVA_HOME"] }],
  [".expect.exitCode", { command: ["true"] }, { command: ["true"], expect: { exitCode: 1 } }],
  [".expect.contains", { command: ["true"] }, { command: ["true"], expect: { contains: "ok" } }],
  [".http", { http: "http://a/" }, { http: "http://b/" }],
  [".status", { http: "http://a/" }, { http: "http://a/", status: 204 }],
  [".contains", { http: "http://a/" }, { http: "http://a/", contains: "ok" }],
  [".headers.*", { http: "http://a/" }, { http: "http://a/", headers: { authorization: "AUTH" } }],
];

const ofSteps = (list: string): [string, Change][] => {
  const step = (action: object) => [{ name: "silence", ...action }];
  const undo = (action: object) => [{ ...STEP, undo: action }];
  const changes: (readonly [key: string, ...Change])[] = [
    ["", [STEP], []],
    [".name", [STEP], [{ ...STEP, name: "other" }]],
    [".onFailure", [STEP], [{ ...STEP, onFailure: "continue" }]],
    [".scope", [STEP], [{ ...STEP, scope: "group" }]],
    ...ACTIONS.map(([key, before, after]) => [key, step(before), step(after)] as const),
    ...ACTIONS.map(([key, before, after]) => [`.undo${key}`, undo(before), undo(after)] as const),
  ];
  return changes.map(([key, ...change]) => [`pools.*.steps.${list}${key}`, change]);
};

/** A change of each key alone; `*` is a client pool, other pools have the same. Undefined is a key that is not set. */
const SHOWN: Readonly<Record<string, Change>> = {
  name: ["demo", "other"],
  protection: ["on", "off"],
  "aws.region": ["eu-west-1", "eu-west-2"],
  "aws.vpcId": ["vpc-0a1", "vpc-0b1"],
  "aws.subnetIds": [
    ["subnet-1", "subnet-2", "subnet-3"],
    ["subnet-1", "subnet-2", "subnet-4"],
  ],
  "aws.keyName": ["ops", "other"],
  "aws.instanceProfile": [undefined, "other"],
  "aws.securityGroupIds": [["sg-1", "sg-2"], ["sg-1"]],
  "aws.imageOwners": [undefined, ["amazon"]],
  "aws.providerVersion": [undefined, "6.1.0"],
  "local.agents": ["none", "simulated"],
  "local.speed": [1, 20],
  "backend.path": ["a.tfstate", "b.tfstate"],
  "backend.bucket": ["a", "b"],
  "backend.key": ["a", "b"],
  "backend.region": ["eu-west-1", "eu-west-2"],
  "backend.dynamodbTable": ["locks", undefined],
  "backend.kmsKeyId": ["a", undefined],
  "backend.usePathStyle": [undefined, true],
  "rollout.pendingGroups": ["one", "queue"],
  "rollout.order": [[], ["broker"]],
  "rollout.interval": ["1h", "5m"],
  "rollout.pauseAfter": [["broker-0", "broker-1"], ["broker-0"]],
  "rollout.manual": [true, false],
  "rollout.windows": [undefined, [WINDOW]],
  "rollout.windows.days": [[WINDOW], [{ ...WINDOW, days: ["sat"] }]],
  "rollout.windows.from": [[WINDOW], [{ ...WINDOW, from: "21:00" }]],
  "rollout.windows.to": [[WINDOW], [{ ...WINDOW, to: "06:00" }]],
  "rollout.windows.zone": [[WINDOW], [{ ...WINDOW, zone: "UTC" }]],
  "rollout.onFailure": ["stop", "undo"],
  "rollout.ownResources": [[], ["dns/zone"]],
  "rollout.revisionHistoryLimit": [10, 5],
  "pools.*.images": [
    ["a", "a", "a"],
    ["a", "b", "a"],
  ],
  "pools.*.instanceTypes": [
    ["a", "a", "a"],
    ["a", "b", "a"],
  ],
  "pools.*.rootVolumes": [undefined, [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]],
  "pools.*.rootVolumes.sizeGib": [
    [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }],
    [{ sizeGib: 8 }, { sizeGib: 9 }, { sizeGib: 8 }],
  ],
  "pools.*.instanceProfiles": [undefined, [null, "agents", null]],
  "pools.*.securityGroupIds": [undefined, [[], ["sg-0a1"], []]],
  "pools.*.tags": [undefined, [{}, { team: "data" }, {}]],
  "pools.*.tags.*": [
    [{}, { team: "data" }, {}],
    [{}, { team: "web" }, {}],
  ],
  "pools.*.userData": [undefined, [null, "a.sh", null]],
  "pools.*.generations": [undefined, [0, 1, 0]],
  "pools.*.hosts": [undefined, [1, 2, 1]],
  "pools.*.dataVolumes": [undefined, [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]],
  "pools.*.dataVolumes.sizeGib": [
    [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }],
    [{ sizeGib: 8 }, { sizeGib: 9 }, { sizeGib: 8 }],
  ],
  "pools.*.dataVolumes.type": [
    [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }],
    [{ sizeGib: 8 }, { sizeGib: 8, type: "gp2" }, { sizeGib: 8 }],
  ],
  "pools.*.dataVolumes.iops": [
    [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }],
    [{ sizeGib: 8 }, { sizeGib: 8, iops: 3100 }, { sizeGib: 8 }],
  ],
  "pools.*.dataVolumes.throughput": [
    [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }],
    [{ sizeGib: 8 }, { sizeGib: 8, throughput: 200 }, { sizeGib: 8 }],
  ],
  "pools.*.maxUnavailable": [1, 2],
  "pools.*.maxSurge": [2, 1],
  "pools.*.workload": ["stays", "moves"],
  "pools.*.retire": [undefined, "delete-volumes"],
  "pools.*.loadBalancer.port": [80, 81],
  "pools.*.loadBalancer.protocol": ["tcp", "udp"],
  "pools.*.loadBalancer.internal": [true, false],
  "pools.*.loadBalancer.deregistrationDelay": ["60s", "30s"],
  "pools.*.loadBalancer.sourceCidrs": [["10.0.0.0/8"], ["10.0.0.0/8", "11.0.0.0/8"]],
  "pools.*.drain.deadline": ["1h", "5m"],
  "pools.*.drain.onDeadline": ["fail", "accept"],
  ...Object.fromEntries(["beforeLeave", "afterLeave", "afterReady"].flatMap(ofSteps)),
  "pools.*.ready.timeout": ["15m", "10m"],
  "pools.*.bake.time": ["30s", "0s"],
  "pools.*.bake.first": ["10m", undefined],
  "pools.*.ready.checks": [[CHECK], []],
  "pools.*.ready.checks.when": [[CHECK], [{ ...CHECK, when: "after" }]],
  "pools.*.ready.checks.name": [[CHECK], [{ ...CHECK, name: "other" }]],
  "pools.*.ready.checks.http": [[CHECK], [{ ...CHECK, http: "http://{address}/other" }]],
  "pools.*.ready.checks.status": [[CHECK], [{ ...CHECK, status: 204 }]],
  "pools.*.ready.checks.contains": [[{ ...CHECK, contains: "ok" }], [CHECK]],
  "pools.*.ready.checks.interval": [[CHECK], [{ ...CHECK, interval: "1m" }]],
  "pools.*.ready.checks.timeout": [[CHECK], [{ ...CHECK, timeout: "1m" }]],
  "pools.*.ready.checks.headers.*": [[{ ...CHECK, headers: { authorization: "AUTH" } }], [CHECK]],
  "pools.*.ready.checks.command": [[COMMAND], [{ ...COMMAND, command: ["false"] }]],
  "pools.*.ready.checks.env": [[{ ...COMMAND, env: ["JAVA_HOME"] }], [COMMAND]],
  "pools.*.ready.checks.scope": [[{ ...COMMAND, scope: "group" }], [COMMAND]],
  "pools.*.ready.checks.expect.exitCode": [[COMMAND], [{ ...COMMAND, expect: { exitCode: 1 } }]],
  "pools.*.ready.checks.expect.contains": [[{ ...COMMAND, expect: { contains: "ok" } }], [COMMAND]],
};

/** Keys of the schema that are not in the list above, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  platform: "a change of it is a change of aws or local and of the backend, and a state refuses it",
  "backend.type": "a change of it is a change of the keys that belong to it",
};

const SCHEMA = JSON.parse(
  readFileSync(new URL("../../../cluster.schema.json", import.meta.url), "utf8"),
) as unknown;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every key that takes a value of its own, lists of maps included; keys that are only named to be refused are none. */
function keysOf(schema: unknown, path: readonly string[] = []): string[] {
  if (!isRecord(schema) || "not" in schema) return [];
  const below = [schema["oneOf"], schema["anyOf"]].flatMap((some) =>
    Array.isArray(some) ? (some as unknown[]) : [],
  );
  const named = Object.entries({
    ...(isRecord(schema["properties"]) ? schema["properties"] : {}),
    ...(isRecord(schema["additionalProperties"]) ? { "*": schema["additionalProperties"] } : {}),
  });
  const items = [schema["items"]].flat();
  const ofItems = items.flatMap((each) => keysOf(each, path).filter((key) => key !== path.join(".")));
  const found = [
    ...below.flatMap((each) => keysOf(each, path)),
    ...named.flatMap(([key, each]) => keysOf(each, [...path, key])),
    ...ofItems,
  ];
  const isMap = below.length + named.length > 0;
  return isMap ? found : [path.join("."), ...found];
}

const asListed = (key: string): string => key.replace(/^pools\.(consul|nomad)-server\./, "pools.*.");

const KEYS = [...new Set(keysOf(SCHEMA).map(asListed))].sort();

describe("Every key of cluster.yaml is shown by a review when it changes", () => {
  test("all of them are on one of the two lists", () => {
    expect([...Object.keys(SHOWN), ...Object.keys(ELSEWHERE)].sort()).toEqual(KEYS);
  });

  const pools = ["consul-server", "nomad-server", "broker"];
  const cases = Object.entries(SHOWN).flatMap(([key, change]) =>
    key.startsWith("pools.*")
      ? pools.filter((pool) => takes(pool, key)).map((pool) => [key.replace("*", pool), change] as const)
      : [[key, change] as const],
  );

  test.each(cases)("%s", (key, [before, after]) => {
    const told = reviewed(specWith(key, before), specWith(key, after));
    expect(told.changed).toBe(true);
    expect(told.headline).not.toContain("no group changes");
    expect(told.groups.length + (told.settings?.length ?? 0)).toBeGreaterThan(0);
    for (const { path } of told.settings ?? []) expect(path.startsWith(topOf(key))).toBe(true);
  });
});

test("what protects less, is shorter, fewer or more at once, or means another cluster is told with a caution", () => {
  const cautions = Object.entries(SHOWN).map(([key, [before, after]]) => {
    const path = key.replace("*", "broker");
    const [there, back] = [specWith(path, before), specWith(path, after)];
    const isTold = (from: Spec, to: Spec): boolean => reviewed(from, to).headline.includes("CAUTION: ");
    return [key, `${isTold(there, back) ? "there" : ""} ${isTold(back, there) ? "back" : ""}`.trim()];
  });
  expect(Object.fromEntries(cautions.filter(([, told]) => told !== ""))).toMatchInlineSnapshot(`
   {
     "aws.imageOwners": "there",
     "aws.region": "there back",
     "aws.vpcId": "there back",
     "backend.bucket": "there back",
     "backend.dynamodbTable": "there back",
     "backend.key": "there back",
     "backend.kmsKeyId": "there back",
     "backend.path": "there back",
     "backend.region": "there back",
     "backend.usePathStyle": "there back",
     "local.agents": "there back",
     "name": "there back",
     "pools.*.bake.first": "there",
     "pools.*.bake.time": "there",
     "pools.*.drain.deadline": "there",
     "pools.*.drain.onDeadline": "there",
     "pools.*.loadBalancer.deregistrationDelay": "there",
     "pools.*.loadBalancer.internal": "there",
     "pools.*.loadBalancer.sourceCidrs": "there",
     "pools.*.maxSurge": "there",
     "pools.*.maxUnavailable": "there",
     "pools.*.ready.checks": "there",
     "pools.*.ready.checks.command": "there back",
     "pools.*.ready.checks.contains": "there back",
     "pools.*.ready.checks.env": "there back",
     "pools.*.ready.checks.expect.contains": "there back",
     "pools.*.ready.checks.expect.exitCode": "there back",
     "pools.*.ready.checks.headers.*": "there back",
     "pools.*.ready.checks.http": "there back",
     "pools.*.ready.checks.interval": "there back",
     "pools.*.ready.checks.name": "there back",
     "pools.*.ready.checks.scope": "there back",
     "pools.*.ready.checks.status": "there back",
     "pools.*.ready.checks.timeout": "there back",
     "pools.*.ready.checks.when": "there back",
     "pools.*.retire": "there",
     "pools.*.steps.afterLeave": "there",
     "pools.*.steps.afterLeave.command": "there back",
     "pools.*.steps.afterLeave.contains": "there back",
     "pools.*.steps.afterLeave.env": "there back",
     "pools.*.steps.afterLeave.expect.contains": "there back",
     "pools.*.steps.afterLeave.expect.exitCode": "there back",
     "pools.*.steps.afterLeave.headers.*": "there back",
     "pools.*.steps.afterLeave.http": "there back",
     "pools.*.steps.afterLeave.name": "there back",
     "pools.*.steps.afterLeave.onFailure": "there back",
     "pools.*.steps.afterLeave.scope": "there back",
     "pools.*.steps.afterLeave.status": "there back",
     "pools.*.steps.afterLeave.timeout": "there back",
     "pools.*.steps.afterLeave.undo.command": "there back",
     "pools.*.steps.afterLeave.undo.contains": "there back",
     "pools.*.steps.afterLeave.undo.env": "there back",
     "pools.*.steps.afterLeave.undo.expect.contains": "there back",
     "pools.*.steps.afterLeave.undo.expect.exitCode": "there back",
     "pools.*.steps.afterLeave.undo.headers.*": "there back",
     "pools.*.steps.afterLeave.undo.http": "there back",
     "pools.*.steps.afterLeave.undo.status": "there back",
     "pools.*.steps.afterLeave.undo.timeout": "there back",
     "pools.*.steps.afterReady": "there",
     "pools.*.steps.afterReady.command": "there back",
     "pools.*.steps.afterReady.contains": "there back",
     "pools.*.steps.afterReady.env": "there back",
     "pools.*.steps.afterReady.expect.contains": "there back",
     "pools.*.steps.afterReady.expect.exitCode": "there back",
     "pools.*.steps.afterReady.headers.*": "there back",
     "pools.*.steps.afterReady.http": "there back",
     "pools.*.steps.afterReady.name": "there back",
     "pools.*.steps.afterReady.onFailure": "there back",
     "pools.*.steps.afterReady.scope": "there back",
     "pools.*.steps.afterReady.status": "there back",
     "pools.*.steps.afterReady.timeout": "there back",
     "pools.*.steps.afterReady.undo.command": "there back",
     "pools.*.steps.afterReady.undo.contains": "there back",
     "pools.*.steps.afterReady.undo.env": "there back",
     "pools.*.steps.afterReady.undo.expect.contains": "there back",
     "pools.*.steps.afterReady.undo.expect.exitCode": "there back",
     "pools.*.steps.afterReady.undo.headers.*": "there back",
     "pools.*.steps.afterReady.undo.http": "there back",
     "pools.*.steps.afterReady.undo.status": "there back",
     "pools.*.steps.afterReady.undo.timeout": "there back",
     "pools.*.steps.beforeLeave": "there",
     "pools.*.steps.beforeLeave.command": "there back",
     "pools.*.steps.beforeLeave.contains": "there back",
     "pools.*.steps.beforeLeave.env": "there back",
     "pools.*.steps.beforeLeave.expect.contains": "there back",
     "pools.*.steps.beforeLeave.expect.exitCode": "there back",
     "pools.*.steps.beforeLeave.headers.*": "there back",
     "pools.*.steps.beforeLeave.http": "there back",
     "pools.*.steps.beforeLeave.name": "there back",
     "pools.*.steps.beforeLeave.onFailure": "there back",
     "pools.*.steps.beforeLeave.scope": "there back",
     "pools.*.steps.beforeLeave.status": "there back",
     "pools.*.steps.beforeLeave.timeout": "there back",
     "pools.*.steps.beforeLeave.undo.command": "there back",
     "pools.*.steps.beforeLeave.undo.contains": "there back",
     "pools.*.steps.beforeLeave.undo.env": "there back",
     "pools.*.steps.beforeLeave.undo.expect.contains": "there back",
     "pools.*.steps.beforeLeave.undo.expect.exitCode": "there back",
     "pools.*.steps.beforeLeave.undo.headers.*": "there back",
     "pools.*.steps.beforeLeave.undo.http": "there back",
     "pools.*.steps.beforeLeave.undo.status": "there back",
     "pools.*.steps.beforeLeave.undo.timeout": "there back",
     "pools.*.workload": "there",
     "protection": "there",
     "rollout.interval": "there",
     "rollout.manual": "there",
     "rollout.ownResources": "there",
     "rollout.pauseAfter": "there",
     "rollout.pendingGroups": "there",
     "rollout.revisionHistoryLimit": "there",
     "rollout.windows": "back",
     "rollout.windows.days": "there back",
     "rollout.windows.from": "there back",
     "rollout.windows.to": "there back",
     "rollout.windows.zone": "there back",
   }
  `);
});

test("a caution names what was and what will be; many are counted, and a long value is not in the headline", () => {
  const checks = Array.from({ length: 9 }, (_, index) => ({ ...CHECK, name: `c${String(index)}` }));
  const before = specWith("pools.broker.ready.checks", checks);
  const off = specWith("protection", "off");
  expect(reviewed(before, off).headline).toMatchInlineSnapshot(
    `"accepted, 10 settings change; CAUTION: protection: on -> off, pools.broker.ready.checks.c0, pools.broker.ready.checks.c1, pools.broker.ready.checks.c2, pools.broker.ready.checks.c3, pools.broker.ready.checks.c4 and 4 more"`,
  );
});

test("as many as there are at once is more than any number, and fewer is no reason for a caution", () => {
  const key = "pools.broker.maxUnavailable";
  const cautions = [
    [3, undefined],
    [undefined, 3],
  ].map(([from, to]) => reviewed(specWith(key, from), specWith(key, to)).settings);
  expect(cautions).toEqual([
    [{ path: key, before: "3", after: null, caution: true }],
    [{ path: key, before: null, after: "3", caution: false }],
  ]);
});

test("a new pool is held against the defaults, and one that is gone is told as its groups", () => {
  const plain = { images: ["a", "a", "a"], instanceTypes: ["t", "t", "t"] };
  const before = specWith("name", "demo");
  const told = (cache: object) => reviewed(before, specWith("pools.cache", { ...plain, ...cache }));
  expect(told({}).settings).toEqual([]);
  expect(told({ drain: { onDeadline: "accept" }, bake: { time: "1m" } }).settings).toMatchInlineSnapshot(`
   [
     {
       "after": "1m",
       "before": "30s",
       "caution": false,
       "path": "pools.cache.bake.time",
     },
     {
       "after": "accept",
       "before": "fail",
       "caution": true,
       "path": "pools.cache.drain.onDeadline",
     },
   ]
  `);
  const gone = reviewed(specWith("pools.cache", plain), before);
  expect([gone.settings, gone.gone]).toEqual([[], ["cache-0", "cache-1", "cache-2"]]);
});

test("a pool's own steps stand where they are run in the roll of a group", () => {
  const lists = {
    beforeLeave: [STEP],
    afterLeave: [{ ...STEP, name: "gone" }],
    afterReady: [{ ...STEP, name: "back" }],
  };
  const before = specWith("pools.broker.steps", lists);
  const withPool = (changes: object): Spec => {
    const pools = { ...before.pools, broker: { ...before.pools["broker"], ...changes } };
    return schemaFor(before).parse({ ...before, pools });
  };
  const told = (after: Spec): string[] | undefined => reviewed(before, after).groups[0]?.steps;
  expect(told(withPool({ images: ["a", "b", "a"] }))).toMatchInlineSnapshot(`
   [
     "step silence (beforeLeave)",
     "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
     "step gone (afterLeave)",
     "1 old machine destroyed, then 1 new from b",
     "told of the Consul servers",
     "ready: the group is whole again, or everything stops here",
     "step back (afterReady)",
     "the new revision recorded",
   ]
  `);
  expect(told(withPool({ hosts: [1, 2, 1] }))).toMatchInlineSnapshot(`
   [
     "1 machine created from a; the other one stays as it is",
     "told of the Consul servers",
     "ready: the group is whole again, or everything stops here",
     "step back (afterReady)",
   ]
  `);
});

test("neither the order of keys nor a default that is written out is a change", () => {
  const turned = { timeout: "5s", interval: "5s", http: CHECK.http, name: CHECK.name };
  const before = specWith("pools.broker.ready.checks", [CHECK]);
  const after = specWith("pools.broker.ready.checks", [turned]);
  expect(reviewed(before, after)).toMatchObject({
    settings: [],
    changed: false,
    headline: "accepted, no group changes",
  });
});

test("a rejection is something to comment on, and so is a key of which nothing is to be said", () => {
  const before = specWith("name", "demo");
  const violations = [{ rule: "one-group", message: "m", remedy: "r" }];
  expect(reviewed(before, before).changed).toBe(false);
  expect(reviewed(before, before, { violations }).changed).toBe(true);
  const hosts = reviewed(before, specWith("pools.broker.hosts", [1, 1, 1]));
  expect([hosts.headline, hosts.changed]).toEqual(["accepted, no group changes", true]);
});

test("the next command is a group's roll, else the cluster view's deploy, and none where there is nothing to run", () => {
  const before = specWith("name", "demo");
  const next = (key: string, value: unknown, more: Partial<Parameters<typeof reviewOf>[0]> = {}) =>
    reviewed(before, specWith(key, value), more).next;
  const shared = { view: "cluster", address: "terraform_data.x", lines: ["+ y"] };
  const images = ["a", "b", "a"];
  expect({
    group: next("pools.broker.images", images),
    rejected: next("pools.broker.images", images, {
      violations: [{ rule: "one-group", message: "m", remedy: "r" }],
    }),
    shared: next("protection", "on", { differences: [shared] }),
    setting: next("pools.broker.bake.time", "1m"),
    backend: next("backend.path", "other", { differences: [shared] }),
  }).toEqual({
    group: "npx rollout deploy broker-1",
    rejected: null,
    shared: "npx rollout deploy cluster",
    setting: null,
    backend: null,
  });
  const off = specWith("protection", "off");
  expect(reviewed(off, { ...off, pools: specWith("pools.broker.images", images).pools }).next).toBeNull();
});

/** Whether a pool has a key: servers have few. */
function takes(pool: string, key: string): boolean {
  return pool === "broker" || keysOf(SCHEMA).includes(key.replace("*", pool));
}

/** What stands in `settings` for a key: a list of checks is told by the checks' names. */
const topOf = (key: string): string => key.replace(/(\.checks|\.windows|\.steps\.[a-zA-Z]+)\..*$/, "$1");

/** A small spec with one key set; a list of maps is set as a whole. Others follow where a rule binds them to it. */
function specWith(key: string, value: unknown): Spec {
  const isOnS3 = /^backend\.(?!path)/.test(key);
  const isLocal = /^(local|backend\.path)/.test(key);
  const three = (of: unknown): unknown[] => [of, of, of];
  const plain = { images: three("a"), instanceTypes: three("a") };
  const raw: Record<string, unknown> = {
    name: "demo",
    ...(isLocal
      ? { platform: "local", ...(key === "local.speed" ? { local: { agents: "simulated" } } : {}) }
      : {
          platform: "aws",
          aws: { region: "eu-west-1", vpcId: "vpc-0a1", subnetIds: ["subnet-1", "subnet-2", "subnet-3"] },
        }),
    backend: isOnS3
      ? { type: "s3", bucket: "a", key: "a", region: "eu-west-1" }
      : { type: "local", path: "a.tfstate" },
    pools: {
      "consul-server": { ...plain },
      "nomad-server": { ...plain },
      broker: {
        ...plain,
        ...(key.includes("loadBalancer") ? { loadBalancer: { port: 80, sourceCidrs: ["10.0.0.0/8"] } } : {}),
        ...(key.includes("workload") ? { dataVolumes: three({ sizeGib: 8 }) } : {}),
        ...(key.includes("maxUnavailable") ? { hosts: [3, 3, 3] } : {}),
      },
    },
  };
  const path = key
    .replace(/(\.(checks|windows|rootVolumes|dataVolumes|tags|steps\.[a-zA-Z]+))\..*$/, "$1")
    .split(".");
  const last = path.pop() ?? "";
  const place = path.reduce<Record<string, unknown>>((at, step) => {
    const next = at[step];
    const found = isRecord(next) ? next : {};
    at[step] = found;
    return found;
  }, raw);
  if (value !== undefined) place[last] = value;
  return withUserData(schemaFor(raw).parse(raw), "cluster.yaml", () =>
    new TextEncoder().encode("#!/bin/sh\n"),
  );
}

function reviewed(before: Spec, after: Spec, more: Partial<Parameters<typeof reviewOf>[0]> = {}): Review {
  const deployed = baselineOf(before, "git:main");
  return reviewSchema.parse(reviewOf({ spec: after, deployed, violations: [], before, ...more }));
}
