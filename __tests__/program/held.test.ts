import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runCheck } from "../../cli/check.js";
import type { CheckResult } from "../../program/check-result.js";
import { changeHold } from "../../clients/run-store/hold.js";
import type { RunStore } from "../../clients/run-store/run-store.js";
import type { Hold } from "../../cluster/run/hold.js";
import type { LogEvent } from "../../cluster/run/run-log.js";
import { heldViews } from "../../program/held.js";
import { synthesize, type Program } from "../../program/program.js";
import { readCluster } from "../../program/read-deployed.js";
import { layFixture } from "../guard/plan/plan-fixture.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { logged, storeIn } from "../support/run-records.js";
import { CANCEL, NOW, PAUSE, runOf } from "../support/situation.js";

let folder: string;
let store: RunStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-held-"));
  store = storeIn(folder);
  layFixture(folder, "roll-clients");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("nothing is held where nothing is said, and the store is not even made", async () => {
  expect(await held()).toEqual([]);
  expect(existsSync(join(folder, "terraform.demo.tfstate.rollout"))).toBe(false);
});

test("a pause and a cancel hold without an end", async () => {
  await say({ ...PAUSE, reason: "${incident} 42" });
  expect(await held()).toEqual([
    [
      "broker-0",
      Infinity,
      'demo is paused (since 09:12 UTC by ops@build-1, "${incident} 42"), so broker-0 is not rolled; first: rollout resume, or rollout deploy broker-0 --despite paused --reason TEXT',
    ],
  ]);
  await say(CANCEL);
  expect(await held()).toMatchObject([
    [
      "broker-0",
      Infinity,
      "demo is cancelled (since 09:12 UTC by ops@build-1), so broker-0 is not rolled; first: rollout resume",
    ],
  ]);
});

test("a view that would replace two servers at once is held whatever holds, and one that adds a server is not", async () => {
  const three = localSpec();
  const five = change(three, (spec) => {
    poolOf(spec, "consul-server").hosts = [2, 2, 1];
  });
  const next = change(five, (spec) => {
    poolOf(spec, "consul-server").images[0] = "ami-0bbb";
  });
  const views = ["cluster", "consul-server-0"];
  const begun = withGroup(deployedAs(five), "consul-server-0", {
    tainted: ["terraform_data.consul-server-0-ready"],
  });
  expect(await held({ spec: next, deployed: begun, views })).toEqual([
    [
      "consul-server-0",
      Infinity,
      "servers go one at a time, and consul-server-0 has several, so it is not rolled by its view; first: rollout deploy consul-server-0",
    ],
  ]);
  expect(await held({ spec: five, deployed: deployedAs(three), views })).toEqual([]);
  expect(await held({ spec: three, deployed: deployedAs(five), views })).toEqual([]);
  const seven = change(three, (spec) => {
    poolOf(spec, "consul-server").hosts = [3, 2, 2];
  });
  expect(await held({ spec: three, deployed: deployedAs(seven), views })).toMatchObject([
    ["consul-server-0", Infinity, expect.stringContaining("servers go one at a time")],
  ]);
  // An interval ends, and that does not.
  await logged(store, ENDED);
  const paced = change(next, (spec) => {
    spec.rollout.interval = "15m";
  });
  expect(await held({ spec: paced, deployed: deployedAs(five), views })).toMatchObject([
    ["consul-server-0", Infinity, expect.stringContaining("servers go one at a time")],
  ]);
  // The first is new, and nobody has proven it.
  const [first, ...others] = groupIn(deployedAs(next), "consul-server-0").hosts;
  const halfway = withGroup(deployedAs(five), "consul-server-0", {
    hosts: [...(first ? [first] : []), ...groupIn(deployedAs(five), "consul-server-0").hosts.slice(1)],
  });
  expect(others).toHaveLength(1);
  expect(await held({ spec: next, deployed: halfway, views })).toMatchObject([
    ["consul-server-0", Infinity, {}],
  ]);
});

test("an interval holds to its end, and with what has none without one", async () => {
  await logged(store, ENDED);
  edit("interval: 15m");
  expect(await held()).toEqual([
    [
      "broker-0",
      NOW + 10 * 60_000 + 600,
      "rollout.interval: 15m, so broker-0 is not rolled; first: wait for it, or rollout deploy broker-0 --despite interval --reason TEXT",
    ],
  ]);
  const views = { ...(await read()), held: new Map([["broker-0", { until: NOW + 600, why: "slowly" }]]) };
  const { rollout_not_before } = parse(written(views)).variable;
  expect(rollout_not_before).toMatchObject({ default: "2026-11-21T10:00:01Z" });
  edit("interval: 15m, pauseAfter: [broker-2]");
  expect(await held()).toEqual([
    [
      "broker-0",
      Infinity,
      "rollout.pauseAfter names broker-2, so broker-0 is not rolled; first: rollout deploy broker-0\nrollout.interval: 15m, so broker-0 is not rolled; first: wait for it, or rollout deploy broker-0 --despite pause-after interval --reason TEXT",
    ],
  ]);
});

test("a window holds until it opens, and is in the view with its end once it is open", async () => {
  edit('windows: [{ days: [sat], from: "12:00", to: "13:00", zone: Europe/Berlin }]');
  expect(await held()).toEqual([
    [
      "broker-0",
      NOW + 60 * 60_000,
      "rollout.windows: none is open before 11:00 UTC, so broker-0 is not rolled; first: wait for it, or rollout deploy broker-0 --despite window --reason TEXT",
    ],
  ]);
  edit('windows: [{ days: [sat], from: "10:00", to: "13:00", zone: Europe/Berlin }]');
  const program = await read();
  const open = await heldViews(program, env(), NOW);
  const { variable } = parse(written({ ...program, held: open }));
  expect(variable).toMatchObject({
    rollout_not_before: { default: "1970-01-01T00:00:00Z" },
    rollout_not_after: {
      default: "2026-11-21T12:00:00Z",
      validation: [
        {
          error_message:
            "the window of rollout.windows that this was synthesized for has ended, so broker-0 is not rolled; first: synthesize again",
        },
      ],
    },
  });
  // What has begun is finished, whenever that is.
  await logged(
    store,
    runOf(
      [9, "run-started"],
      [9, "group-started", { group: "broker-0" }],
      [8, "step-started", { group: "broker-0", step: "leave" }],
    ),
  );
  expect(await held()).toEqual([]);
});

describe("a view that is synthesized before its window ends with it, and has the words of that", () => {
  const CLOSED =
    "the window of rollout.windows that this was synthesized for has ended, so broker-0 is not rolled; first: synthesize again";
  const limits = async () => {
    const program = await read();
    const { variable } = parse(written({ ...program, held: await heldViews(program, env(), NOW) }));
    const { rollout_not_before, rollout_not_after } = variable as Record<string, { default: string }>;
    expect(rollout_not_after).toMatchObject({ validation: [{ error_message: CLOSED }] });
    return [rollout_not_before?.default, rollout_not_after?.default];
  };

  test("where none is open", async () => {
    edit('windows: [{ days: [sat], from: "12:00", to: "13:00", zone: Europe/Berlin }]');
    expect(await limits()).toEqual(["2026-11-21T11:00:00Z", "2026-11-21T12:00:00Z"]);
  });

  test("where an interval ends in the one that is open", async () => {
    await logged(store, ENDED);
    edit('interval: 15m, windows: [{ days: [sat], from: "10:00", to: "13:00", zone: Europe/Berlin }]');
    expect(await limits()).toEqual(["2026-11-21T10:10:01Z", "2026-11-21T12:00:00Z"]);
  });

  test("where an interval ends after the one that is open, so that it is the next", async () => {
    await logged(store, ENDED);
    edit('interval: 15m, windows: [{ days: [sat, sun], from: "10:00", to: "11:05", zone: Europe/Berlin }]');
    expect(await limits()).toEqual(["2026-11-22T09:00:00Z", "2026-11-22T10:05:00Z"]);
    expect(await held()).toEqual([
      [
        "broker-0",
        Date.parse("2026-11-22T09:00:00Z"),
        "rollout.interval: 15m, so broker-0 is not rolled; first: wait for it\nrollout.windows: none is open from 10:10 UTC to 2026-11-22 09:00 UTC, so broker-0 is not rolled; first: wait for it, or rollout deploy broker-0 --despite interval window --reason TEXT",
      ],
    ]);
  });

  test("where a freeze ends after it, and where one has no end there is neither", async () => {
    edit('windows: [{ days: [sat], from: "10:00", to: "13:00", zone: Europe/Berlin }]');
    await say({ ...PAUSE, until: "2026-11-21T18:00:00.000Z" });
    expect(await limits()).toEqual(["2026-11-28T09:00:00Z", "2026-11-28T12:00:00Z"]);
    await say(PAUSE);
    expect([...(await heldViews(await read(), env(), NOW)).values()]).toEqual([
      { until: Infinity, why: expect.stringMatching(/^demo is paused /) },
    ]);
  });
});

test("a plan is refused by check once its window has closed", async () => {
  const [now, later] = [new Date(), new Date(Date.now() + 2 * 60 * 60_000)];
  const time = (at: Date): string => at.toISOString().slice(11, 16);
  const days = "[mon, tue, wed, thu, fri, sat, sun]";
  const check = () => runCheck(env(), { plan: join(folder, "plan.json") }) as Promise<CheckResult>;
  edit(
    `windows: [{ days: ${days}, from: "${time(later)}", to: "${time(new Date(now.getTime() - 60 * 60_000))}", zone: UTC }]`,
  );
  expect(await failure(check())).toMatch(
    /^rollout\.windows: none is open before .* UTC, so broker-0 is not rolled; first: wait for it, or /,
  );
  edit(`windows: [{ days: ${days}, from: "00:00", to: "00:00", zone: UTC }]`);
  expect(await check()).toMatchObject({ verdict: "accepted" });
});

test("refuses to make the view of a group where nobody can read what holds it, and asks for no other", async () => {
  await store.write("hold", "{", undefined);
  expect(await failure(held())).toMatch(/^terraform\.demo\.tfstate\.rollout\/hold .* rollout resume$/);
  expect(await held({ views: ["cluster"] })).toEqual([]);
  const { deployed } = await read();
  expect(await held({ deployed: withGroup(deployed, "broker-0", { leave: false }) })).toEqual([]);
});

test("what has begun is not held: it is finished", async () => {
  await say(PAUSE);
  await logged(store, [
    ...ENDED,
    ...runOf(
      [3, "group-started", { group: "broker-0" }],
      [2, "step-started", { group: "broker-0", step: "leave" }],
    ),
  ]);
  expect(await held()).toEqual([]);
});

test("a view that is held says so in two variables, and is else as it is without", async () => {
  await say({ ...PAUSE, reason: "${incident} 42" });
  const program = await read();
  const free = written(program);
  expect(written({ ...program, held: new Map() })).toBe(free);
  const { variable, ...rest } = parse(written({ ...program, held: await heldViews(program, env(), NOW) }));
  const { rollout_not_before, rollout_not_after, ...variables } = variable;
  expect({ variable: variables, ...rest }).toEqual(parse(free));
  expect(rollout_not_before).toEqual({
    type: "string",
    default: "9999-12-31T23:59:59Z",
    validation: [
      {
        condition: "${timecmp(plantimestamp(), var.rollout_not_before) >= 0}",
        error_message: expect.stringContaining('"$${incident} 42"), so broker-0 is not rolled; first: '),
      },
    ],
  });
  expect(rollout_not_after).toMatchObject({
    default: "9999-12-31T23:59:59Z",
    validation: [{ condition: "${timecmp(plantimestamp(), var.rollout_not_after) <= 0}" }],
  });
});

test("refuses in check a plan that was made before the pause, until the resume, and none that rolls nothing", async () => {
  const check = () => runCheck(env(), { plan: join(folder, "plan.json") }) as Promise<CheckResult>;
  expect(await check()).toMatchObject({ verdict: "accepted" });
  await say(PAUSE);
  expect(await failure(check())).toMatch(
    /^demo is paused \(since .* by ops@build-1, "waiting for the DBA"\), so broker-0 is not rolled; first: rollout resume, or rollout deploy broker-0 --despite paused --reason TEXT$/,
  );
  await changeHold(store, NOW, () => undefined);
  expect(await check()).toMatchObject({ verdict: "accepted" });
  await say(PAUSE);
  layFixture(folder, "two-groups");
  expect((await check()).violations[0]).toMatchObject({ rule: "one-group" });
  layFixture(folder, "no-op");
  expect(await check()).toMatchObject({ verdict: "accepted" });
});

/** A run that has rolled broker-2 and ended five minutes before, less 0.6 s. */
const ENDED: LogEvent[] = runOf(
  [9, "run-started"],
  [9, "group-started", { group: "broker-2" }],
  [4.99, "group-ended", { group: "broker-2", result: "ok" }],
  [4.99, "run-ended", { result: "ok" }],
);

const say = (hold: Hold): Promise<void> => changeHold(store, NOW, () => hold);

const env = () => ({ CLUSTER: join(folder, "cluster.yaml") });

async function read(more: Partial<Program> = {}): Promise<Program> {
  const cluster = await readCluster(env());
  return { ...cluster, views: ["cluster", "broker-0"], cause: "roll", ...more };
}

const held = async (more?: Partial<Program>) =>
  [...(await heldViews(await read(more), env(), NOW))].map(([group, { until, why }]) => [group, until, why]);

/** Gives the spec of the fixture a pace. */
function edit(pace: string): void {
  const file = join(folder, "cluster.yaml");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, `${text.replace(/^rollout: .*\n/m, "")}\nrollout: { ${pace} }\n`);
}

/** The view of broker-0 as it is written. */
function written(program: Program): string {
  const outdir = join(folder, "cdktf.out");
  synthesize(program, outdir);
  return readFileSync(join(outdir, "demo", "broker-0", "cdk.tf.json"), "utf8");
}

const parse = (text: string) => JSON.parse(text) as { readonly variable: Readonly<Record<string, unknown>> };
