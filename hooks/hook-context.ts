import type { Environment } from "../clients/environment.js";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import type { HookFile } from "../cluster/hooks/hook-file.js";
import type { Clock } from "../clients/clock.js";

export const HOOKS = [
  "leave",
  "lb-drained",
  "ready",
  "configure-consul",
  "start-agents",
  "stop-agents",
] as const;

/** How Terraform's local-exec calls a hook. */
export interface HookArgs {
  readonly hook: (typeof HOOKS)[number];
  /** The group, or the host for a hook of one machine. */
  readonly subject: string;
  readonly hash?: string;
  /** The hosts that stay, joined by commas. */
  readonly stay?: string;
  /** Those of them that leave with a later batch, joined by commas. */
  readonly waiting?: string;
}

/** What a hook works with. */
export interface HookContext {
  readonly env: Environment;
  readonly file: HookFile;
  /** The machines of platform local, where agents run on them. */
  readonly machines?: LocalMachines;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Told what is waited for, whenever that changes; nobody is told where Terraform calls a hook. */
  readonly onCondition?: (condition: string) => void;
  readonly signal: AbortSignal;
  /** Where it keeps what it needs again after it was cut off: the folder of the stack. */
  readonly folder: string;
}

/** The hosts that an argument names. */
export const hostsIn = (joined = ""): string[] => joined.split(",").filter((host) => host !== "");
