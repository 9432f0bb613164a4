import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Environment } from "../clients/environment.js";
import { runStoreIn } from "../clients/run-store/store-in.js";
import { localMachines, type LocalMachines } from "../clients/local-machines/machines.js";
import { parseHookFile, type HookFile } from "../cluster/hooks/hook-file.js";
import { HOOK_FILE } from "../cluster/hooks/variables.js";
import { hasAgents, localSettingsOf } from "../cluster/local-agents.js";
import { UserError } from "../cluster/user-error.js";
import { clusterClock, realClock } from "../clients/clock.js";
import type { HookArgs, HookContext } from "./hook-context.js";
import { interruptions } from "../clients/interruption.js";
import { groupOfHook, leaveMark, noteBegun } from "./mark.js";
import { tellFailure } from "./tell-failure.js";

const LOAD: Readonly<
  Record<HookArgs["hook"], () => Promise<(context: HookContext, args: HookArgs) => Promise<void>>>
> = {
  leave: async () => (await import("./leave.js")).runLeaveHook,
  ready: async () => (await import("./ready.js")).runReadyHook,
  // Stacks of earlier versions call it.
  "lb-drained": () =>
    Promise.resolve(({ say }, { subject }) => {
      say(`${subject}: nothing to do: leave waits for the load balancer`);
      return Promise.resolve();
    }),
  "start-agents": async () => (await import("./agents.js")).runStartAgentsHook,
  "stop-agents": async () => (await import("./agents.js")).runStopAgentsHook,
  "configure-consul": async () => (await import("./configure-consul.js")).runConfigureConsulHook,
};

/**
 * Runs a hook in the folder of a synthesized stack, where Terraform calls it. Each hook is loaded when it is called.
 * @throws UserError when it cannot do what it is for; Terraform then stops, and the next run goes on from there
 */
export async function runHook(env: Environment, args: HookArgs, say: (line: string) => void): Promise<void> {
  const file = readHookFile();
  const folder = process.cwd();
  const group = groupOfHook(file, args);
  if (group) noteBegun(folder, group);
  const machines = machinesFor(file, args);
  const store = () => runStoreIn(file.spec.backend, resolve(file.specFolder));
  if (machines || hasAgents(file.spec))
    try {
      await run({ env, file, folder, say, store }, args, machines);
    } catch (error) {
      await tellFailure({ file, folder, store }, args, error);
      throw error;
    }
  else
    say(
      `hook ${args.hook} ${args.subject}: nothing to do: this cluster on platform local has no agents (local.agents: none)`,
    );
  leaveMark({ env, file, folder }, args.hook === "ready" ? group : undefined);
}

async function run(
  known: Pick<HookContext, "env" | "file" | "folder" | "say" | "store">,
  args: HookArgs,
  machines: LocalMachines | undefined,
): Promise<void> {
  const { signal, stop } = interruptions();
  const context: HookContext = {
    ...known,
    ...{ clock: machines ? clusterClock(machines) : realClock, signal },
    // Terraform shows what is said, and nothing else.
    onCondition: () => undefined,
    ...(machines ? { machines } : {}),
  };
  try {
    const hook = await LOAD[args.hook]();
    await hook(context, args);
  } finally {
    stop();
  }
}

function readHookFile(): HookFile {
  if (existsSync(HOOK_FILE)) return parseHookFile(readFileSync(HOOK_FILE, "utf8"));
  throw new UserError(
    `no ${HOOK_FILE} in this folder: hooks are called by Terraform in the folder of a synthesized stack, such as cdktf.out/demo/broker-0`,
    2,
  );
}

/**
 * The machines of platform local, where the spec wants agents on them. What starts and stops them works on those that are
 * there whatever the spec says by now.
 */
function machinesFor({ spec, specFolder }: HookFile, { hook }: HookArgs): LocalMachines | undefined {
  const wanted = localSettingsOf(spec).agents !== "none";
  return wanted || hook === "start-agents" || hook === "stop-agents"
    ? localMachines(resolve(specFolder, ".rollout", spec.name))
    : undefined;
}
