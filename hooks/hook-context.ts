import type { Environment } from "../clients/environment.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import type { LocalMachines } from "../clients/local-machines/machines.js";
import type { HookFile } from "../cluster/hooks/hook-file.js";
import { HOOK_FILE } from "../cluster/hooks/variables.js";
import type { Clock } from "../clients/clock.js";
import { groupsOf, type Group } from "../cluster/groups.js";
import type { InFlight } from "../cluster/pending.js";
import { UserError } from "../cluster/user-error.js";

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
  /** The hosts that stay. */
  readonly stay?: readonly string[];
  /** Those of them that leave with a later batch. */
  readonly laterHosts?: readonly string[];
}

/** What is waited for, in numbers. */
export interface Counts {
  /** How much is still in the way; 0 where something is only done. */
  readonly remaining: number;
  /** How long the step may take, from its beginning. */
  readonly deadlineSeconds?: number | undefined;
}

/** What a hook works with. */
export interface HookContext {
  readonly env: Environment;
  readonly file: HookFile;
  /** The machines of platform local, where agents run on them. */
  readonly machines?: LocalMachines;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Told what is waited for, whenever that changes. */
  readonly onCondition: (condition: string, counts?: Counts) => void;
  readonly signal: AbortSignal;
  /** Absent where Terraform calls the hook: its hook `configure-consul` works beside, and nobody knows what is in flight. */
  readonly driver?: {
    readonly inFlight: readonly InFlight[];
    /** Whether it gets what it had already: an undo, which nothing holds up, or a restart. Default: no. */
    readonly goesBack?: boolean;
    /** Takes the steps that follow a gate: one of them that fails says nothing against that. */
    readonly later?: (steps: () => Promise<unknown>) => void;
  };
  /** What all share who roll the cluster. */
  readonly store: () => Promise<RunStore>;
  /** Where it keeps what it needs again after it was cut off: the folder of the stack. */
  readonly folder: string;
}

/**
 * The group that a hook is called for, as its stack was made from.
 * @throws UserError when the stack was synthesized anew since the plan was made
 */
export function groupOf({ spec, numbers }: HookFile, name: string, hash: string | undefined): Group {
  const group = groupsOf(spec).find((each) => each.name === name);
  if (!group) throw new UserError(`no group ${name} in ${HOOK_FILE}; synthesize and plan again`, 2);
  if (group.hash !== hash) {
    throw new UserError(
      `the plan is not of this stack: ${name} has the template ${group.hash} in ${HOOK_FILE}, the hook was called for ${hash ?? "none"}; synthesize and plan again`,
    );
  }
  return numbers?.group === name ? { ...group, numbers: numbers.hosts } : group;
}
