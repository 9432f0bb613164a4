import { beforeEach, expect, test } from "@jest/globals";
import { realClock } from "../../clients/clock.js";
import { OPEN_STEPS } from "../../clients/run-store/open-steps.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Action } from "../../cluster/gate-settings.js";
import { Interruption } from "../../cluster/interruption.js";
import { UserError } from "../../cluster/user-error.js";
import { runSteps, STEPPED, undoSteps } from "../../hooks/steps.js";
import type { HookContext } from "../../hooks/hook-context.js";
import type { Machine, Subject } from "../../live/checks/subject.js";
import { known, pick, wholeCluster, type World } from "../rollout/observed.js";
import { change, poolOf, smallSpec } from "../support/fixtures.js";
import { MemoryStore, seenBy } from "../support/memory-store.js";
import { failure } from "../support/refusal.js";

const command = (program: string) => ({ command: [program], timeout: "5s" });

const spec = change(smallSpec(), (edited) => {
  const { steps } = poolOf(edited, "broker");
  steps.beforeLeave = [
    { name: "silence", ...command("silence"), onFailure: "stop", undo: command("loud") },
    { name: "move", ...command("move"), scope: "group", onFailure: "stop", undo: command("home") },
    { name: "tell", ...command("tell"), scope: "pool", onFailure: "continue" },
  ];
  steps.afterLeave = [{ name: "gone", ...command("gone"), onFailure: "stop" }];
});

const group = findGroup(spec, "broker-0");
const HOSTS = ["broker-0-0", "broker-0-1"];

let lines: string[];
let ran: string[];
let store: MemoryStore;
let world: World;

/** Where the undo of `silence` was run. */
let addresses: string[];

/** The programs that fail. */
let failing: string[];

beforeEach(() => {
  [lines, ran, failing, addresses] = [[], [], [], []];
  store = new MemoryStore();
  world = wholeCluster();
});

const context = (more: Partial<HookContext> = {}): HookContext => ({
  env: {},
  file: { spec, specFolder: ".", deployed: [{ name: "broker-0", hosts: HOSTS, images: [] }] },
  clock: realClock,
  say: (line) => void lines.push(line),
  onCondition: () => undefined,
  signal: new AbortController().signal,
  folder: ".",
  store: () => Promise.resolve(store),
  ...more,
});

/** An action that is written down and not run. */
const run = (action: Action, at: Subject) => {
  const [program = ""] = action.kind === "command" ? action.command : [];
  ran.push(`${program} ${at.hosts ?? at.host ?? ""}`);
  if (program === "loud") addresses.push(at.address ?? "");
  const passed = !failing.includes(program);
  return Promise.resolve({
    name: action.name,
    host: at.name,
    passed,
    value: passed ? "exit code 0" : "exit code 1",
  });
};

const before = (more: Partial<HookContext> = {}, hosts = HOSTS): Promise<boolean> =>
  runSteps("beforeLeave", context(more), group, world, hosts, run);
const undo = (more: Partial<HookContext> = {}): Promise<void> =>
  undoSteps(context(more), group, run, () => Promise.resolve(living()));

const living = (): Machine[] =>
  known(world.consul.members)
    .filter(({ status }) => status === "alive")
    .map(({ name, address }) => ({ host: name, address }));

const owed = async (): Promise<string[]> =>
  ((await OPEN_STEPS.read(store)) ?? []).map(({ step, at }) => `${step} ${at.name}`);

const statusOf = (host: string, status: "failed" | "left"): void => {
  const { members } = world.consul;
  const member = Array.isArray(members) ? members.find(({ name }) => name === host) : undefined;
  if (!member) throw new Error(`no member ${host}`);
  member.status = status;
};

const ALL = "broker-0-0,broker-0-1,broker-1-0,broker-1-1,broker-2-0";

test("steps run one after another, each for its machines, its group or its pool", async () => {
  expect(await before()).toBe(true);
  expect(ran).toEqual([
    "silence broker-0-0",
    "silence broker-0-1",
    "move broker-0-0,broker-0-1",
    `tell ${ALL}`,
  ]);
  expect(lines).toEqual([
    "broker-0: step silence (beforeLeave): broker-0-0, broker-0-1",
    "broker-0: step silence (beforeLeave) is done",
    "broker-0: step move (beforeLeave): broker-0",
    "broker-0: step move (beforeLeave) is done",
    "broker-0: step tell (beforeLeave): broker",
    "broker-0: step tell (beforeLeave) is done",
  ]);
});

test("an undo is owed once for each that a step was run for, and is run for the last step first", async () => {
  await before();
  await before();
  expect(await owed()).toEqual([
    "step silence (beforeLeave) broker-0-0",
    "step silence (beforeLeave) broker-0-1",
    "step move (beforeLeave) broker-0",
  ]);

  ran = [];
  await undo();

  expect(ran).toEqual(["home broker-0-0,broker-0-1", "loud broker-0-0", "loud broker-0-1"]);
  expect(await owed()).toEqual([]);
});

test("refuses to go on where a step fails, and its own undo is owed, too", async () => {
  failing = ["move"];
  expect(await failure(before())).toBe(
    [
      "broker-0: step move (beforeLeave) failed:",
      "  broker-0: exit code 1",
      "mend that, then go on with: rollout deploy broker-0",
    ].join("\n"),
  );
  expect(ran.at(-1)).toBe("move broker-0-0,broker-0-1");
  expect((await owed()).at(-1)).toBe("step move (beforeLeave) broker-0");
});

test("a step that may fail is only said", async () => {
  failing = ["tell"];
  expect(await before()).toBe(true);
  expect(lines.at(-1)).toBe(
    "warning: broker-0: step tell (beforeLeave) failed, and the roll goes on:\n  broker: exit code 1",
  );
});

test("an undo that fails is said and stays owed, and the others are run", async () => {
  await before();
  failing = ["home"];
  await undo();
  expect(lines).toContain(
    "warning: broker-0: undo of step move (beforeLeave) failed, and is still owed:\n  broker-0: exit code 1",
  );
  expect(ran.at(-1)).toBe("loud broker-0-1");
  expect(await owed()).toEqual(["step move (beforeLeave) broker-0"]);
});

test("a machine that is dead, ended or not meant is left out, and a group of none has no steps", async () => {
  statusOf("broker-0-0", "failed");
  expect(await before()).toBe(true);
  expect(ran.slice(0, 2)).toEqual(["silence broker-0-1", "move broker-0-1"]);
  ran = [];
  expect(await before({}, ["broker-0-0"])).toBe(false);
  world.machines = [{ host: "broker-0-1", id: "i-1", image: "ami-0aaa", state: "terminated" }];
  expect(await before()).toBe(false);
  expect(ran).toEqual([]);
});

test("what is run after the leave is for the machines that have left", async () => {
  statusOf("broker-0-1", "left");
  await runSteps("afterLeave", context(), group, world, HOSTS, run);
  expect(ran).toEqual(["gone broker-0-1"]);
});

test("a group that is created has no steps, nor has one of the driver's in Terraform's hooks", async () => {
  expect(await before({ file: { spec, specFolder: ".", deployed: [] } })).toBe(false);
  expect(await before({ env: { [STEPPED]: "broker-0" } })).toBe(false);
  expect(await before({ env: { [STEPPED]: "broker-1" } })).toBe(true);
});

test("an interruption ends the steps, and not the undo", async () => {
  const stop = new AbortController();
  const { signal } = stop;
  stop.abort(new Interruption("interrupted"));
  expect(await failure(before({ signal }))).toBe("interrupted");
  await undo({ signal });
  expect(ran.at(-1)).toBe("loud broker-0-1");
  expect(await owed()).toEqual([]);
});

test("a step that has begun counts though nobody knows how it ended", async () => {
  const cut = (): Promise<never> => Promise.reject(new Error("killed"));
  await failure(runSteps("beforeLeave", context(), group, world, HOSTS, cut));
  expect(await owed()).toHaveLength(2);
});

test("an undo is run where its machine is now, else at another of the group, else where it was", async () => {
  await before();
  const members = known(world.consul.members);
  const at = async (): Promise<string> => {
    [addresses, lines] = [[], []];
    failing = ["loud"];
    await undo();
    return [lines.find((line) => line.includes("silence")), ...addresses].join("\n");
  };
  pick(members, "broker-0-1").address = "10.0.99.9";
  expect(await at()).toMatchInlineSnapshot(`
   "broker-0: undo of step silence (beforeLeave): broker-0-0, broker-0-1 at 10.0.99.9
   10.0.6.1
   10.0.99.9"
  `);
  pick(members, "broker-0-1").status = "left";
  expect(await at()).toMatchInlineSnapshot(`
   "broker-0: undo of step silence (beforeLeave): broker-0-0, broker-0-1 at 10.0.6.1 of broker-0-0
   10.0.6.1
   10.0.6.1"
  `);
  pick(members, "broker-0-0").status = "failed";
  expect(await at()).toMatchInlineSnapshot(`
   "broker-0: undo of step silence (beforeLeave): broker-0-0 at 10.0.6.1, where it was, broker-0-1 at 10.0.7.1, where it was
   10.0.6.1
   10.0.7.1"
  `);
});

test("an undo that is owed by a machine and by its successor is run once", async () => {
  await before();
  pick(known(world.consul.members), "broker-0-1").address = "10.0.99.9";
  await before();
  expect(await owed()).toHaveLength(5);
  addresses = [];
  await undo();
  expect(addresses).toEqual(["10.0.99.9", "10.0.6.1"]);
  expect(await owed()).toEqual([]);
});

test("an undo that has left the spec is said and owed no more, but for those of other groups", async () => {
  await before();
  const file = { spec: smallSpec(), specFolder: ".", deployed: [] };
  await undo({ file });
  expect(await owed()).toHaveLength(3);
  await OPEN_STEPS.change(store, (open = []) => [
    ...open,
    { group: "search-0", step: "step gone (afterLeave)", at: { name: "search-0", group: "search-0" } },
  ]);

  [ran, lines] = [[], []];
  await undo({ file, driver: { inFlight: [] } });

  expect(ran).toEqual([]);
  expect(await owed()).toEqual(["step gone (afterLeave) search-0"]);
  expect(lines).toEqual([
    "warning: broker-0: undo of step silence (beforeLeave) was not run, and is owed no more: it has left the spec",
    "warning: broker-0: undo of step move (beforeLeave) was not run, and is owed no more: it has left the spec",
  ]);
});

test("a store that cannot be read is said, and all stays owed", async () => {
  await before();
  const broken = seenBy(store, { read: () => Promise.reject(new UserError("no answer")) });
  await undo({ store: () => Promise.resolve(broken) });
  expect(await owed()).toHaveLength(3);
  expect(lines.at(-1)).toBe("warning: broker-0: what its steps owe is not undone: no answer");
});
