import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { longTest } from "../support/long.js";
import type { CutRun, Hold } from "./cut-run.js";
import { type Case, CASES, isShort, titleOf } from "./kill-matrix.js";

/** A cluster that is rolled, cut off and rolled on, again and again. */
export interface Killable<Outcome = unknown> {
  /** Gives a group an image that nobody has had. */
  want(group: string): Promise<string>;
  /** Rolls a group, ends that before it is recorded, and takes it back. @returns the image that it has again */
  undo(group: string): Promise<string>;
  /** From here on it counts what happens. */
  begin(): Promise<void>;
  start(runner: Case["runner"], group: string, hold?: Hold): Promise<CutRun>;
  /** Does what a run that was killed makes its messages ask for before the next. */
  afterCut(group: string): Promise<void>;
  outcome(group: string): Promise<Outcome>;
  /** What an undisturbed roll comes to. */
  undisturbed(group: string, image: string): Outcome;
  remove(): Promise<void>;
}

/** Declares the cases of one kind of state, one after another on one cluster: after one that fails, on another. */
export function declareKills(backend: Case["backend"], create: () => Promise<Killable>): void {
  let demo: Killable | undefined;

  beforeAll(async () => {
    demo = await create();
  });

  afterAll(async () => {
    await demo?.remove();
  });

  // Processes are found by /proc.
  const isLinux = process.platform === "linux";
  for (const each of CASES.filter((one) => one.backend === backend)) {
    const declare = isShort(each) ? test : longTest;
    (isLinux ? declare : test.skip)(titleOf(each), async () => {
      demo ??= await create();
      try {
        await comesToTheSame(demo, each);
      } catch (error) {
        await demo.remove();
        demo = undefined;
        throw error;
      }
    });
  }
}

async function comesToTheSame(demo: Killable, each: Case): Promise<void> {
  const { runner, kind, signal } = each;
  const group = GROUP_OF[kind];
  const image = kind === "undo" ? await demo.undo(group) : await demo.want(group);
  await demo.begin();

  const hold = holdOf(each);
  const run = await demo.start(runner, group, hold);
  if (hold) await run.held();
  await run.said(meanwhileOf(each));
  await run.cut(signal);
  await demo.afterCut(group);
  if (signal === "kill all twice") {
    const again = await demo.start(runner, group, hold && { words: hold.words });
    if (hold) await again.held();
    await again.cut("kill all");
    await demo.afterCut(group);
  }
  const last = await (await demo.start(runner, group)).end();

  if (last.exitCode !== 0) throw new Error(`run once more, it failed:\n${last.output.slice(-3000)}`);
  expect(await demo.outcome(group)).toEqual(demo.undisturbed(group, image));
}

/** The group of each kind. */
const GROUP_OF = {
  clients: "broker-0",
  undo: "broker-0",
  "nomad-server": "nomad-server-1",
  "consul-server": "consul-server-1",
  batch: "worker-0",
} as const satisfies Record<Case["kind"], string>;

/** Which hook is held; none where what is to be cut off is no hook. */
function holdOf({ runner, kind, hook }: Case): Hold | undefined {
  const group = GROUP_OF[kind];
  // In a batch that is not the first, so that an earlier one has ended.
  const host = kind === "batch" ? `${group}-1` : `${group}-0`;
  const from = kind === "batch" ? 2 : 1;
  const gate = runner === "driver" ? "closed" : "open";
  switch (hook) {
    case "leave":
      return { words: new RegExp(`^leave ${group} `), from };
    case "stop-agents":
    case "start-agents":
      return { words: new RegExp(`^${hook} ${host} `) };
    case "configure-consul":
      // Of a Consul server's roll that of another group's machine.
      return { words: new RegExp(`^${hook} ${kind === "consul-server" ? "broker-0-1" : host} `) };
    case "ready":
      return { words: new RegExp(`^ready ${group} .*${gate}$`), from };
    case "record":
      return runner === "driver" ? { words: new RegExp(`^ready ${group} .*open$`) } : undefined;
  }
}

/** What has ended when it is cut off: others of its group, and for Consul servers all other machines. */
function meanwhileOf({ runner, kind, hook }: Case): RegExp[] {
  const ended = (name: string, what: "Creation" | "Destruction"): RegExp =>
    new RegExp(`${name}\\b[^\\n]*: ${what} complete`);
  const group = GROUP_OF[kind];
  const isPair = group === "broker-0";
  if (hook === "record" && runner !== "driver") return [ended(`${group}-ready`, "Creation")];
  if (hook === "leave" && isPair) return [ended("broker-0-1-target", "Destruction")];
  if (hook === "stop-agents" && isPair) return [ended("broker-0-1-stop-agents", "Destruction")];
  if (hook === "start-agents" && isPair) return [ended("broker-0-1-config-consul", "Creation")];
  if (hook === "configure-consul" && isPair) return [ended("broker-0-1-target", "Creation")];
  if (hook === "configure-consul" && kind === "consul-server")
    return ["broker-0-0", "nomad-server-2-0", "consul-server-0-0"].map((host) =>
      ended(`${host}-config-consul`, "Creation"),
    );
  return [];
}
