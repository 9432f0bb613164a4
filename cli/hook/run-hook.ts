import { existsSync, readFileSync } from "node:fs";
import type { Environment } from "../../clients/environment.js";
import { HOOK_FILE, parseHookFile, type HookFile } from "../../spec/hook-file.js";
import { UserError } from "../../spec/user-error.js";
import { realClock } from "./clock.js";
import type { HookArgs, HookContext } from "./hook-context.js";
import { interruptions } from "./interruption.js";

/**
 * Runs a hook in the folder of a synthesized stack, where Terraform calls it. Each hook is loaded when it is called.
 * @throws UserError when it cannot do what it is for; Terraform then stops, and the next run goes on from there
 */
export async function runHook(env: Environment, args: HookArgs, say: (line: string) => void): Promise<void> {
  const file = readHookFile();
  if (!hasAgents(file, env)) {
    say(
      `hook ${args.hook} ${args.subject}: nothing to do: this cluster on platform local has no agents (CONSUL_HTTP_ADDR and NOMAD_ADDR are not set)`,
    );
    return;
  }
  const { signal, stop } = interruptions();
  const context: HookContext = { env, file, clock: realClock, say, signal, folder: process.cwd() };
  try {
    switch (args.hook) {
      case "leave":
        await (await import("./leave-hook.js")).runLeaveHook(context, args);
        return;
      case "ready":
        await (await import("./ready-hook.js")).runReadyHook(context, args);
        return;
      case "lb-drained":
        await (await import("./lb-drained-hook.js")).runLbDrainedHook(context, args);
        return;
      case "configure-consul":
        await (await import("./configure-consul-hook.js")).runConfigureConsulHook(context, args);
        return;
    }
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

/** On aws agents are always there: where nothing is named, the agents' own default addresses are asked. */
export const hasAgents = ({ spec }: HookFile, env: Environment): boolean =>
  spec.platform === "aws" || [env["CONSUL_HTTP_ADDR"], env["NOMAD_ADDR"]].some((address) => address);
