import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { longTest } from "../support/long.js";
import type { CutRun, Hold } from "./cut-run.js";
import { type Case, CASES, isShort, titleOf } from "./kill-matrix.js";

/** A cluster that is rolled, cut off and rolled on, again and again. */
export interface Killable<Outcome = unknown> {
  /** Gives a group an image that nobody has had. */
  want(group: string): Promise<string>;
  /** Rolls a group, ends that before it is recorded, and takes it back. @returns the image that it has again */
  undo(group: string, runner: Case["runner"]): Promise<string>;
  /** From here on it counts what happens. */
  begin(): Promise<void>;
  start(runner: Case["runner"], group: string, hold?: Hold): Promise<CutRun>;
  /** Does what a run that was killed makes its messages ask for before the next. */
  afterCut(group: string): Promise<void>;
  /** The command that `rollout status` names; null where there is nothing to do. */
  next(): Promise<string | null>;
  outcome(group: string): Promise<Outcome>;
  /** What an undisturbed roll comes to. */
  undisturbed(group: string, image: string): Outcome;
  remove(): Promise<void>;
}

/** The names of all hosts of a cluster, by how many each group of a pool has. */
export const hostsIn = (pools: Readonly<Record<string, readonly number[]>>): string[] =>
  Object.entries(pools).flatMap(([pool, groups]) =>
    groups.flatMap((count, index) =>
      Array.from({ length: count }, (_, number) => `${pool}-${String(index)}-${String(number)}`),
    ),
  );

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
        const left = demo;
        demo = undefined;
        await left.remove();
        throw error;
      }
    });
  }
}

async function comesToTheSame(demo: Killable, each: Case): Promise<void> {
  const { runner, kind, signal } = each;
  const group = GROUP_OF[kind];
  const image = kind === "undo" ? await demo.undo(group, runner) : await demo.want(group);
  await demo.begin();

  const { hold, said } = momentOf(each);
  const run = await demo.start(runner, group, hold);
  if (hold) await run.held();
  await run.said(said);
  await run.cut(signal);
  await demo.afterCut(group);
  if (signal === "kill all twice") {
    const again = await demo.start(runner, group, hold && { words: hold.again ?? hold.words });
    if (hold) await again.held();
    await again.cut("kill all");
    await demo.afterCut(group);
  }
  // A run that was killed may have been at its end. A driver's next run then takes away what it left.
  if (runner === "driver" || (await demo.next()) !== null) {
    const { exitCode, output } = await (await demo.start(runner, group)).end();
    if (exitCode !== 0) throw new Error(`run once more, it failed:\n${output.slice(-3000)}`);
  }

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

/** Where a roll is cut off: the hook that is held, and what ends meanwhile, so that the state is written while it runs. */
interface Moment {
  /** None where what is cut off is no hook. */
  readonly hold?: Hold;
  /** What Terraform says by then. */
  readonly said: readonly RegExp[];
}

function momentOf({ runner, kind, hook }: Case): Moment {
  const group = GROUP_OF[kind];
  const gate = runner === "driver" ? "closed" : "open";
  // Of a batch that is not the first, so that an earlier one has ended.
  const from = kind === "batch" ? 2 : 1;
  const { host, other } = HOSTS_OF[kind];
  const beside = (said: (name: string) => RegExp): RegExp[] => (other === undefined ? [] : [said(other)]);
  switch (hook) {
    case "leave":
      return {
        hold: { words: new RegExp(`^leave ${group} `), from },
        said: group === "broker-0" ? beside((name) => destroyed(`${name}-target`)) : [],
      };
    case "stop-agents":
      return {
        hold: { words: new RegExp(`^stop-agents ${host} `) },
        said: beside((name) => created(`${name}-config-consul`)),
      };
    case "start-agents":
      return {
        hold: { words: new RegExp(`^start-agents ${host} `) },
        said: beside((name) => created(`${name}-config-consul`)),
      };
    case "configure-consul":
      // Of a Consul server's roll that of another group's machine: all machines are configured.
      return kind === "consul-server"
        ? {
            hold: { words: /^configure-consul broker-0-1 / },
            said: ["broker-0-0", "nomad-server-2-0", host].map((name) => created(`${name}-config-consul`)),
          }
        : {
            hold: { words: new RegExp(`^configure-consul ${host} `) },
            said: beside((name) => created(`${name}-config-consul`)),
          };
    case "ready": {
      const words = new RegExp(`^ready ${group} .*${gate}$`);
      // Once all machines are made it may be the open gate's that comes next.
      const again = new RegExp(`^ready ${group} `);
      return kind === "consul-server"
        ? {
            hold: { words, again, before: /^configure-consul broker-0-1 / },
            said: [created("broker-0-1-config-consul")],
          }
        : { hold: { words, again, from }, said: [] };
    }
    case "record":
      return runner === "driver"
        ? { hold: { words: new RegExp(`^ready ${group} .*open$`) }, said: [] }
        : { said: [created(`${group}-ready`)] };
  }
}

/** The host whose hook is held, and one that ends beside it. A group of servers has one host, and nothing beside it. */
const HOSTS_OF: Readonly<Record<Case["kind"], { readonly host: string; readonly other?: string }>> = {
  clients: { host: "broker-0-0", other: "broker-0-1" },
  undo: { host: "broker-0-0", other: "broker-0-1" },
  "nomad-server": { host: "nomad-server-1-0" },
  "consul-server": { host: "consul-server-1-0" },
  batch: { host: "worker-0-2", other: "worker-0-3" },
};

const created = (name: string): RegExp => new RegExp(`${name}\\b[^\\n]*: Creation complete`);

const destroyed = (name: string): RegExp => new RegExp(`${name}\\b[^\\n]*: Destruction complete`);
