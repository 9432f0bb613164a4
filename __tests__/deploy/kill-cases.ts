import { expect } from "@jest/globals";
import type { Hold } from "./cut-run.js";
import type { Ec2KillDemo } from "./ec2-kill-demo.js";
import type { KillDemo } from "./kill-demo.js";
import type { Case } from "./kill-matrix.js";

/** The group of each kind. */
export const GROUP_OF = {
  clients: "broker-0",
  undo: "broker-0",
  "nomad-server": "nomad-server-1",
  "consul-server": "consul-server-1",
  batch: "worker-0",
} as const satisfies Record<Case["kind"], string>;

/** Everything of a case but its cloud: prepared, cut off, run once more, compared with what an undisturbed roll comes to. */
export async function comesToTheSame(demo: KillDemo | Ec2KillDemo, each: Case): Promise<void> {
  const { runner, kind, signal } = each;
  const group = GROUP_OF[kind];
  const image = kind === "undo" ? await demo.undo(group) : await demo.want(group);
  await demo.begin();

  const hold = holdOf(each);
  const run = await demo.start(runner, group, hold ? { hold } : {});
  if (hold) await run.held();
  await run.said(meanwhileOf(each));
  await run.cut(signal);
  if (signal === "kill all twice") {
    await demo.afterCut(group);
    const again = await demo.start(runner, group, hold ? { hold: { words: hold.words } } : {});
    await again.held();
    await again.cut("kill all");
  }
  await demo.afterCut(group);
  const last = await (await demo.start(runner, group)).end();

  if (last.exitCode !== 0) throw new Error(`run once more, it failed:\n${last.output.slice(-3000)}`);
  expect(await demo.outcome(group)).toEqual(demo.undisturbed(group, image));
}

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
    return ["broker-0-0", "worker-0-2", "nomad-server-2-0", "consul-server-0-0"].map((host) =>
      ended(`${host}-config-consul`, "Creation"),
    );
  return [];
}
