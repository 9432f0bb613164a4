import { parseArgs } from "node:util";
import { UserError } from "../cluster/user-error.js";
import { reportFailure } from "../program/report-failure.js";
import { HOOKS, type HookArgs } from "../hooks/hook-context.js";
import { runHook } from "../hooks/run-hook.js";

/** `hook leave broker-0 --hash 1f0c... --stay broker-0-0,broker-0-1`, which Terraform's local-exec calls and no person does. */
function hookArgsIn(args: readonly string[]): HookArgs {
  const { values, positionals } = parsed(args);
  const [, name = "", subject = "", ...more] = positionals;
  const hook = HOOKS.find((each) => each === name);
  if (hook === undefined || subject === "" || more.length > 0) {
    throw new UserError(
      `no hook: ${args.join(" ")}; there are ${HOOKS.join(", ")}, each of a group or a host`,
      2,
    );
  }
  const { hash, stay, waiting } = values;
  return {
    hook,
    subject,
    ...(hash === undefined ? {} : { hash }),
    stay: hostsIn(stay),
    laterHosts: hostsIn(waiting),
  };
}

const hostsIn = (joined = ""): string[] => joined.split(",").filter((host) => host !== "");

function parsed(args: readonly string[]) {
  try {
    const options = {
      hash: { type: "string" },
      stay: { type: "string" },
      waiting: { type: "string" },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error), 2);
  }
}

try {
  await runHook(process.env, hookArgsIn(process.argv.slice(2)), (text) => {
    process.stdout.write(`${text}\n`);
  });
} catch (error) {
  process.exitCode = reportFailure(error);
}
