import type { CheckResult } from "../../rollout/observation/observation.js";
import { fillIn, type Check } from "../../cluster/gate-settings.js";
import { runCommandCheck, type CheckDeps } from "./run-command-check.js";
import { runHttpCheck } from "./run-http-check.js";

/** The machine that a check is about. */
export interface CheckedMachine {
  /** `broker-0-1` */
  readonly host: string;
  readonly address: string;
  readonly group: string;
}

/**
 * Tries one of a pool's own checks on one machine, once. Whatever the machine or the program does, it is a result and no
 * exception.
 */
export async function runCheck(check: Check, at: CheckedMachine, deps: CheckDeps): Promise<CheckResult> {
  const tried =
    check.kind === "http"
      ? await runHttpCheck(check, fillIn(check.url, { ...at, address: inUrl(at.address) }), deps.signal)
      : await runCommandCheck(
          check,
          check.command.map((word) => fillIn(word, at)),
          deps,
        );
  return { name: check.name, host: at.host, ...tried };
}

/** An address of IPv6 stands in brackets in a URL. */
const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);
