import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { buildProgram } from "../../cli/rollout.js";
import { PACE } from "../../rollout/roll/may-roll.js";
import type { Dialogue } from "../../cli/ask.js";
import { runDeploy, type DeployArgs } from "../../cli/deploy.js";
import { intentCommand, readWholeRoll } from "../../cli/whole-roll.js";
import { readCluster } from "../../program/read-deployed.js";
import { planInWords } from "../../cli/plan-in-words.js";
import { GateFailure } from "../../driver/deploy-group.js";
import { rollGroups, type RollDeps } from "../../driver/roll-groups.js";
import { Departed, refuseDepartures } from "../../driver/approved.js";
import { NotConfirmed } from "../../driver/confirm.js";
import type { Deployed } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import type { Window } from "../../rollout/roll/windows.js";
import { holding, type Hold } from "../../cluster/run/hold.js";
import { sha256 } from "../../cluster/sha256.js";
import type { LogEvent } from "../../cluster/run/run-log.js";
import { nextRoll, type RollSituation, type Wanted } from "../../rollout/roll/next-group.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  withGroup,
} from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { layFixture, readFixtureFiles } from "../guard/plan/plan-fixture.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-deploy-"));
  layFixture(folder, "no-op");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("refuses a roll of servers that nobody can be asked about, and leaves the spec as it is", async () => {
  const before = spec();
  expect(await failure(deploy({ target: "consul-server", image: "ami-0ddd", yes: true }))).toBe(
    "consul-server-0, consul-server-1, consul-server-2 are groups of servers, and nobody can be asked: say so with --confirm consul-server-0 consul-server-1 consul-server-2",
  );
  expect(spec()).toBe(before);
  expect(existsSync(join(folder, ".rollout"))).toBe(false);
});

test("refuses a roll of clients without --yes, and leaves the spec as it is", async () => {
  const before = spec();
  expect(await failure(deploy({ target: "broker-1", image: "ami-0ddd" }))).toBe(
    "nobody can be asked whether broker-1 may be rolled: say so with --yes",
  );
  expect(spec()).toBe(before);
});

test("refuses a group that a version before the run store has paused", async () => {
  mkdirSync(join(folder, ".rollout", "demo"), { recursive: true });
  const hold = { kind: "pause", since: "2026-11-20T09:12:00.000Z", by: "ann@laptop" };
  writeFileSync(join(folder, ".rollout", "demo", "hold.json"), JSON.stringify(hold));
  expect(await failure(deploy({ target: "broker-1", yes: true }))).toBe(
    "demo is paused (since 2026-11-20 09:12 UTC by ann@laptop), so broker-1 is not rolled; first: rollout resume, or rollout deploy broker-1 --despite paused --reason TEXT",
  );
});

test("refuses the view cluster, too, while the cluster is paused", async () => {
  mkdirSync(join(folder, ".rollout", "demo"), { recursive: true });
  const hold = { kind: "pause", since: "2026-11-20T09:12:00.000Z", by: "ann@laptop" };
  writeFileSync(join(folder, ".rollout", "demo", "hold.json"), JSON.stringify(hold));
  expect(await failure(deploy({ target: "cluster", yes: true }))).toBe(
    "demo is paused (since 2026-11-20 09:12 UTC by ann@laptop), so cluster is not rolled; first: rollout resume, or rollout deploy cluster --despite paused --reason TEXT",
  );
});

test("says how a cluster is created where none stands", async () => {
  rmSync(join(folder, "terraform.demo.tfstate"));
  const { spec: text } = readFixtureFiles("no-op");
  writeFileSync(
    join(folder, "cluster.yaml"),
    text.replace(/^platform: local\n/m, "$&local: { agents: simulated }\n"),
  );
  expect(await failure(deploy({ all: true, yes: true }))).toMatch(
    /^consul-server-0, .*, broker-2 are new and have never stood; rolled: none; next: npx rollout deploy cluster$/,
  );
});

const IDLE: Omit<RollDeps, "look" | "edit" | "deploy"> = {
  downgrade: () => Promise.resolve(undefined),
  endDrain: () => Promise.resolve(undefined),
  isGateFailure: (error): error is Error => error instanceof GateFailure,
  hold: () => Promise.resolve(),
  onCondition: () => undefined,
  say: () => undefined,
  clock: { now: () => 0, pause: () => Promise.resolve() },
  signal: new AbortController().signal,
};

test("an edit is taken back where its question is answered with no", async () => {
  const local = localSpec();
  let now = local;
  const edits: string[] = [];
  const deps: RollDeps = {
    ...IDLE,
    look: () =>
      Promise.resolve({ spec: now, deployed: deployedAs(local), hold: undefined, events: [], leaders: [] }),
    edit: (group, { image = "" }) => {
      edits.push(`${group}: ${image}`);
      now = change(now, (draft) => {
        poolOf(draft, "broker").images[0] = image;
      });
      return Promise.resolve(now);
    },
    deploy: () => Promise.reject(new NotConfirmed("nothing was done: broker-0 was not confirmed")),
  };
  const wanted = { groups: ["broker-0"], image: "ami-0bbb", command: "rollout deploy broker-0" };
  expect(await failure(rollGroups(deps, wanted))).toBe("nothing was done: broker-0 was not confirmed");
  expect(edits).toEqual(["broker-0: ami-0bbb", "broker-0: ami-0aaa"]);
});

test("an edit stays where a departure is seen after something has begun, and else is taken back", async () => {
  const local = localSpec();
  const roll = async (begin: (now: Spec) => Deployed, events: LogEvent[] = []): Promise<string[]> => {
    let [now, deployed] = [local, deployedAs(local)];
    let seen: LogEvent[] = [];
    const edits: string[] = [];
    const deps: RollDeps = {
      ...IDLE,
      look: () => Promise.resolve({ spec: now, deployed, hold: undefined, events: seen, leaders: [] }),
      edit: (_, { image = "" }) => {
        edits.push(image);
        now = change(now, (draft) => {
          poolOf(draft, "broker").images[0] = image;
        });
        return Promise.resolve(now);
      },
      deploy: () => {
        [deployed, seen] = [begin(now), events];
        return Promise.reject(new Departed("this is not what was approved"));
      },
    };
    const wanted = { groups: ["broker-0"], image: "ami-0bbb", command: "x" };
    expect(await failure(rollGroups(deps, wanted))).toBe("this is not what was approved");
    return edits;
  };
  const isBegun = ["ami-0bbb"];
  expect(await roll(() => deployedAs(local))).toEqual(["ami-0bbb", "ami-0aaa"]);
  expect(await roll((now) => cutAfterLeave(now, deployedAs(local), "broker-0"))).toEqual(isBegun);
  // Recorded, while its data volumes are still to be changed.
  expect(await roll((now) => deployedAs(now))).toEqual(isBegun);
  const leaving: LogEvent[] = [
    { at: "2026-11-21T10:00:00.000Z", run: "r1", event: "group-started", group: "broker-0", to: "ami-0bbb" },
    { at: "2026-11-21T10:01:00.000Z", run: "r1", event: "step-started", group: "broker-0", step: "leave" },
  ];
  expect(await roll(() => deployedAs(local), leaving)).toEqual(isBegun);
});

test("a departure names what finishes a group that has begun, and else how it is approved", () => {
  const said = "this is not what was approved, and nothing more of it is rolled:\n  commit a -> b\n";
  expect(() => {
    refuseDepartures(["commit a -> b"]);
  }).toThrow(
    new Departed(
      `${said}put it back, or have another intent approved, which rollout plan --intent FILE writes`,
    ),
  );
  expect(() => {
    refuseDepartures(["commit a -> b"], "broker-1");
  }).toThrow(
    new Departed(`${said}put it back, or finish broker-1 without the intent: rollout deploy broker-1`),
  );
});

test("a roll ends where the spec is another than was shown, before anything of it is done", async () => {
  const env = { CLUSTER: join(folder, "cluster.yaml") };
  const read = await readWholeRoll(env, { groups: ["broker-0"], command: "x" }, 0);
  expect(read.spec).toStrictEqual((await readCluster(env)).spec);
  const shown = change(localSpec(), () => undefined);
  const now = change(shown, (draft) => {
    poolOf(draft, "nomad-server").images[0] = "ami-0bbb";
  });
  const deps: RollDeps = {
    ...IDLE,
    look: () =>
      Promise.resolve({ spec: now, deployed: deployedAs(shown), hold: undefined, events: [], leaders: [] }),
    edit: () => Promise.reject(new Error("nothing is to be edited")),
    deploy: () => Promise.reject(new Error("nothing is to be rolled")),
  };
  const wanted = { groups: ["nomad-server-0", "broker-0"], command: "rollout deploy --all" };
  expect(await failure(rollGroups(deps, wanted, shown))).toBe(
    "the spec was edited while this ran: nomad-server-0 (ami-0aaa -> ami-0bbb); nothing of it was overwritten, and nothing is rolled by it: look at it, then run this again: rollout deploy --all",
  );
});

test("writes the approved image again where the edit was lost with its run, and takes no undo for that", () => {
  const local = localSpec();
  const edited = change(local, (draft) => {
    poolOf(draft, "broker").images[0] = "ami-0bbb";
  });
  const [host, ...others] = groupIn(deployedAs(edited), "broker-0").hosts;
  if (!host) throw new Error("no host");
  const cut = withGroup(deployedAs(local), "broker-0", { hosts: [host], ready: undefined });
  const step = (wanted: Partial<Wanted>, more: Partial<RollSituation> = {}) =>
    nextRoll({
      ...{ spec: local, deployed: cut, hold: undefined, at: 0, leaders: [], facts: { out: [] } },
      wanted: { groups: ["broker-0"], image: "ami-0bbb", command: "x", isApproved: true, ...wanted },
      ...more,
    });
  expect(others).toHaveLength(2);
  const again = { step: "set-image", group: "broker-0", from: "ami-0aaa", to: "ami-0bbb" };
  const rolled = { kind: "step", step: { step: "roll", group: "broker-0" } };
  expect(step({})).toEqual({ kind: "step", step: again });
  // Nothing of the approved image stands, or nobody has approved it, or it failed, or it is wanted back.
  expect(step({}, { deployed: cutAfterLeave(local, deployedAs(local), "broker-0") })).toEqual(rolled);
  expect(step({ isApproved: false })).toEqual(rolled);
  const failure = { group: "broker-0", to: "ami-0bbb", message: "x" };
  expect(step({}, { facts: { out: [], failure } })).toEqual(rolled);
  const hold = { kind: "cancel", undo: true, since: "2026-11-21T10:00:00.000Z", by: "ann" } as const;
  expect(step({}, { hold })).toEqual(rolled);
});

test("counts the groups of a roll as they come", async () => {
  const local = localSpec();
  let [now, deployed] = [local, deployedAs(local)];
  const said: string[] = [];
  const deps: RollDeps = {
    ...IDLE,
    look: () => Promise.resolve({ spec: now, deployed, hold: undefined, events: [], leaders: [] }),
    edit: (group, { image = "" }) => {
      now = change(now, (draft) => {
        poolOf(draft, "broker").images[Number(group.at(-1))] = image;
      });
      return Promise.resolve(now);
    },
    deploy: () => {
      deployed = deployedAs(now);
      return Promise.resolve({ result: "rolled", revision: 2, seconds: 1, steps: [] });
    },
    say: (line) => said.push(line),
  };
  const wanted = { groups: ["broker-0", "broker-1", "broker-2"], image: "ami-0bbb", command: "x" };
  await rollGroups(deps, wanted);
  expect(said.filter((line) => line.includes("comes next"))).toEqual([
    "broker-0: comes next, group 1 of 3",
    "broker-1: comes next, group 2 of 3",
    "broker-2: comes next, group 3 of 3",
  ]);
});

test("shows the whole roll of a pool and makes no plan, and keeps none of it", async () => {
  const env = { CLUSTER: join(folder, "cluster.yaml") };
  const args = { view: "broker", all: false, image: "ami-0ddd", format: "text" } as const;
  const { text, isAccepted } = await planInWords(env, args);
  expect(isAccepted).toBe(true);
  expect(text).toMatch(/^demo: 3 of 9 groups, .*\n\nNAME .*\nbroker-0 +v1 +ami-0ddd {2}2 replaced/);
  const json = JSON.parse((await planInWords(env, { ...args, format: "json" })).text) as object;
  expect(json).toMatchObject({ cluster: "demo", groups: [{ name: "broker-0" }, {}, {}], refused: [] });
  expect(await failure(planInWords(env, { ...args, out: join(folder, "kept") }))).toBe(
    "--out keeps the plan of one view: name a group, or cluster, and none of --all, --image and --intent",
  );
});

test("asks once about a roll of several groups, before anything is begun", async () => {
  const ask = async (args: Partial<DeployArgs>, answer: string): Promise<[string, string]> => {
    const output = new PassThrough();
    const input = Object.assign(Readable.from([`${answer}\n`]), { isTTY: true });
    const said = await failure(deploy({ image: "ami-0ddd", ...args }, { input, output }));
    return [said, String(output.read())];
  };
  expect(await ask({ target: "broker" }, "n")).toEqual([
    "nothing was done: these 3 groups were not confirmed",
    "Roll these 3 groups? [y/N] ",
  ]);
  expect(await ask({ all: true, yes: true }, "yes")).toEqual([
    "nothing was done: these 9 groups were not confirmed",
    "Type demo to roll these 9 groups: ",
  ]);
  expect(existsSync(join(folder, ".rollout"))).toBe(false);
});

test("writes no intent of what is refused, and none while a group is in flight", async () => {
  const env = { CLUSTER: join(folder, "cluster.yaml") };
  const intent = join(folder, "intent.json");
  const args = { all: false, image: "ami-0ddd", format: "text", intent } as const;
  const edited = spec().replace("images: [v1, v1, v1] # broker", "images: [v1, v1, v2] # broker");
  expect(edited).not.toBe(spec());
  writeFileSync(join(folder, "cluster.yaml"), edited);
  const { text, isAccepted } = await planInWords(env, { ...args, view: "consul-server" });
  expect(isAccepted).toBe(false);
  expect(text).toContain("refused already: broker-2 is pending (v1 -> v2); first: rollout deploy broker-2");
  expect(text).toContain(`what is refused is not to be approved: ${intent} was not written`);
  layFixture(folder, "own-host-missing");
  const begun = /^no intent is made while a group is in flight: broker-0; first: rollout deploy broker-0$/;
  expect(await failure(planInWords(env, { ...args, view: "broker" }))).toMatch(begun);
  expect(existsSync(intent)).toBe(false);
});

test("rolls by an intent only with the hash that was approved, and with nothing else said", async () => {
  const intent = join(folder, "intent.json");
  writeFileSync(intent, "{}");
  const both = "--intent names what is rolled and --sha256 what was approved; give both, or neither";
  expect(await failure(deploy({ intent }))).toBe(both);
  expect(await failure(deploy({ target: "broker-1", sha256: "0".repeat(64) }))).toBe(both);
  const said = "an intent says what is rolled: give neither a target nor --all or --image with --intent";
  for (const more of [{ target: "broker" }, { all: true }, { image: "ami-0ddd" }])
    expect(await failure(deploy({ intent, sha256: "0".repeat(64), ...more }))).toBe(said);
  expect(await failure(deploy({ intent, sha256: "0".repeat(64) }))).toMatch(
    /^not the plan that was approved: /,
  );
  expect(await failure(deploy({ intent, sha256: sha256("{}") }))).toBe(
    `no intent: ${intent}; name a file that rollout plan --intent wrote`,
  );
  const old = '{ "kind": "rollout-intent", "version": 2 }';
  writeFileSync(intent, old);
  expect(await failure(deploy({ intent, sha256: sha256(old) }))).toMatch(
    /^no intent of this version: .*version: /,
  );
});

test("a command that rolls an intent is one for a shell, whatever its file is called", () => {
  expect(intentCommand("/srv/intent.json", "0AB")).toBe(
    "rollout deploy --intent /srv/intent.json --sha256 0ab",
  );
  expect(intentCommand("my intent's.json", "0ab")).toBe(
    "rollout deploy --intent 'my intent'\\''s.json' --sha256 0ab",
  );
});

describe("one group", () => {
  const local = change(localSpec(), (draft) => {
    poolOf(draft, "broker").images[1] = "ami-0bbb";
    Object.assign(draft.rollout, { interval: "15m" });
  });
  const command = "rollout deploy broker-1";
  const at = (minutes: number): string => new Date(minutes * 60_000).toISOString();
  const events: LogEvent[] = [
    { at: at(0), run: "r1", event: "group-started", group: "broker-0" },
    { at: at(10), run: "r1", event: "group-ended", group: "broker-0", result: "ok" },
    { at: at(10), run: "r1", event: "run-ended", result: "ok" },
  ];

  /** Rolls broker-1 20 minutes after the log's beginning; tells what was said and what was done. */
  async function rollOne(wanted: Partial<Wanted> = {}, more: Partial<RollDeps> = {}): Promise<unknown[]> {
    const told: unknown[] = [];
    let now = 20 * 60_000;
    const deps: RollDeps = {
      look: () =>
        Promise.resolve({
          spec: local,
          deployed: deployedAs(localSpec()),
          hold: undefined,
          events,
          leaders: [],
        }),
      ...IDLE,
      edit: () => Promise.reject(new Error("nothing is to be edited")),
      deploy: (group, despite) => {
        told.push([group, at(now / 60_000), ...(despite ?? [])]);
        return Promise.resolve({ result: "nothing" });
      },
      say: (line, wait) => told.push([line, wait?.id, wait?.until]),
      clock: {
        now: () => now,
        pause: () => {
          now += 60_000;
          return Promise.resolve();
        },
      },
      ...more,
    };
    const end = await rollGroups(deps, { groups: ["broker-1"], command, ...wanted });
    expect(end).toEqual({ kind: "done", groups: [{ group: "broker-1", result: "nothing" }] });
    return told;
  }

  test("waits for the interval after the group that another run has rolled, and says its id and its end", async () => {
    expect(await rollOne()).toEqual([
      [
        "waiting until 1970-01-01T00:25:00.000Z before broker-1 (rollout.interval: 15m); all the same: --despite interval --reason TEXT",
        "interval",
        25 * 60_000,
      ],
      ["broker-1", at(25)],
    ]);
  });

  test("is begun at once where that is overridden, which it is told", async () => {
    const despite = { ids: ["interval"], reason: "an incident" };
    expect(await rollOne({ despite })).toEqual([["broker-1", at(20), "interval"]]);
    expect(await rollOne({ despite: { ...despite, ids: ["manual"] } })).toMatchObject([
      [expect.stringContaining("waiting until"), "interval", 25 * 60_000],
      ["broker-1", at(25)],
    ]);
  });

  test("is looked at for machines that died while no window is open where it is as desired, and else waits", async () => {
    // 1970 began on a Thursday.
    const windows: Window[] = [{ days: ["thu"], from: "00:22", to: "01:00", zone: "UTC" }];
    const look = (spec: Spec): Partial<RollDeps> => ({
      look: () =>
        Promise.resolve({
          spec: { ...spec, rollout: { ...spec.rollout, interval: "0s", windows } },
          ...{ deployed: deployedAs(localSpec()), hold: undefined, events, leaders: [] },
        }),
    });
    expect(await rollOne({}, look(localSpec()))).toEqual([["broker-1", at(20)]]);
    expect(await rollOne({}, look(local))).toEqual([
      [expect.stringMatching(/^waiting until .*--despite window --reason TEXT$/), "window", 22 * 60_000],
      ["broker-1", at(22)],
    ]);
    const despite = { ids: ["window"], reason: "a machine died" };
    expect(await rollOne({ despite }, look(local))).toEqual([["broker-1", at(20), "window"]]);
  });

  test("is looked at anew where a pause came before its work left, and waits for the resume", async () => {
    let looks = 0;
    let tries = 0;
    const hold = { kind: "pause", since: at(20), by: "ops@build-2" } as const;
    const told: string[] = [];
    const { rollout } = local;
    const spec = { ...local, rollout: { ...rollout, interval: "0s" } };
    const end = rollOne(
      {},
      {
        look: () => {
          looks++;
          const held = looks > 1 && looks < 4 ? hold : undefined;
          return Promise.resolve({
            spec,
            deployed: deployedAs(localSpec()),
            hold: held,
            events,
            leaders: [],
          });
        },
        deploy: () => (tries++ === 0 ? Promise.resolve(undefined) : Promise.reject(new UserError("begun"))),
        say: (line) => told.push(line),
      },
    );
    expect(await failure(end)).toBe("begun");
    expect(told).toEqual([
      "paused before broker-1: demo is paused (since 00:20 UTC by ops@build-2); rollout resume goes on, Ctrl-C ends this run; all the same: --despite paused --reason TEXT",
      "broker-1: comes next",
    ]);
  });
});

describe("a roll that waits for a resume while a freeze is overridden", () => {
  const local = localSpec();
  const spec = change(local, (draft) => {
    for (const index of [0, 1]) poolOf(draft, "broker").images[index] = "ami-0bbb";
    Object.assign(draft.rollout, { pendingGroups: "queue", manual: true });
  });
  const freeze: Hold = { kind: "pause", since: at(0), by: "ann@laptop", until: at(12) };

  /** What is told of a roll until it begins a group, whose freeze is taken away by somebody at a second, and its own hold at another. */
  async function rollTwo(freezeResumed: number, resumed: number): Promise<string[]> {
    const told: string[] = [];
    const events: LogEvent[] = [{ at: at(0), run: "r1", event: "run-started" }];
    let [seconds, hold]: [number, Hold | undefined] = [0, freeze];
    const end = rollGroups(
      {
        ...IDLE,
        look: () => {
          if (seconds >= (hold === freeze ? freezeResumed : resumed)) hold = undefined;
          const seen = holding(hold, seconds * 1000);
          return Promise.resolve({ spec, deployed: deployedAs(local), hold: seen, events, leaders: [] });
        },
        edit: () => Promise.reject(new Error("nothing is to be edited")),
        deploy: (group) => Promise.reject(new UserError(`${String(seconds)} s: ${group} begins`)),
        hold: (reason) => {
          told.push(`${String(seconds)} s: held, ${reason}`);
          hold = { kind: "pause", since: at(seconds), by: "the run" };
          events.push({ at: at(seconds), run: "r1", event: "held" });
          return Promise.resolve();
        },
        clock: {
          now: () => seconds * 1000,
          pause: () => {
            seconds += 5;
            return seconds > 60 ? Promise.reject(new UserError("nothing begins")) : Promise.resolve();
          },
        },
      },
      {
        ...{ groups: ["broker-0", "broker-1"], command: "rollout deploy broker" },
        despite: { ids: ["paused"], reason: "an incident" },
      },
    );
    const message = await failure(end);
    return [...told, message];
  }

  test("puts its own hold down once the freeze has ended by itself, and waits for the resume of that", async () => {
    const held = "15 s: held, rollout.manual: every group waits";
    expect(await rollTwo(Infinity, Infinity)).toEqual([held, "nothing begins"]);
    expect(await rollTwo(Infinity, 40)).toEqual([held, "40 s: broker-0 begins"]);
  });

  test("goes on where somebody says resume before the freeze ends", async () => {
    expect(await rollTwo(10, Infinity)).toEqual(["10 s: broker-0 begins"]);
  });

  function at(seconds: number): string {
    return new Date(seconds * 1000).toISOString();
  }
});

test("refuses to override without a reason, and a reason without what it is for", async () => {
  const text = "--despite says what is overridden and --reason why; give both, or neither";
  for (const half of [{ despite: ["paused"] }, { despite: ["paused"], reason: " " }, { reason: "why" }])
    expect(await failure(deploy({ target: "broker-1", ...half }))).toBe(text);
});

test("refuses to take a group back by itself where that is a downgrade", async () => {
  const local = localSpec();
  const spec = change(local, (draft) => {
    poolOf(draft, "consul-server").images[1] = "ami-0bbb";
  });
  const deployed = withGroup(deployedAs(local), "consul-server-1", { leave: false });
  const hold = { kind: "cancel", undo: true, since: "2026-11-20T09:12:00.000Z", by: "ann@laptop" } as const;
  const deps: RollDeps = {
    ...IDLE,
    look: () => Promise.resolve({ spec, deployed, hold, events: [], leaders: [] }),
    edit: () => Promise.reject(new Error("it was edited")),
    deploy: () => Promise.resolve(undefined),
    downgrade: (group, image) => Promise.resolve(`${group} would go back to ${image}`),
  };
  const wanted = { groups: ["consul-server-1"], command: "rollout deploy consul-server-1" };
  expect(await rollGroups(deps, wanted)).toEqual({
    kind: "blocked",
    groups: [],
    reason: "consul-server-1 would go back to ami-0aaa",
    command:
      "rollout undo consul-server-1 --despite downgrade --reason TEXT, or once the cause is gone: rollout deploy consul-server-1",
  });
});

test("what the pace is may be overridden, and nothing else", () => {
  const verb = buildProgram().commands.find((each) => each.name() === "deploy");
  expect(verb?.options.find(({ long }) => long === "--despite")?.argChoices).toEqual(PACE);
});

const spec = (): string => readFileSync(join(folder, "cluster.yaml"), "utf8");

/** Without a terminal. */
const deploy = (
  args: Partial<DeployArgs>,
  dialogue: Dialogue = { input: Readable.from([]), output: new PassThrough() },
): Promise<unknown> =>
  runDeploy(
    { CLUSTER: join(folder, "cluster.yaml") },
    { all: false, yes: false, confirm: [], format: "json", ...args },
    dialogue,
  );
