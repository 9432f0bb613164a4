import { Construct } from "constructs";
import { hookCommand } from "./hook-command.js";
import { hookWords } from "../cluster/hooks/hook-words.js";
import type { Declaration, Platform } from "./platform.js";

export interface LeaveHookProps extends Declaration {
  readonly group: string;
  readonly hash: string;
  /** The names of the hosts that the group has from now on. */
  readonly hosts: readonly string[];
  /** Those of them that keep their machines for now, and go with a later batch. */
  readonly waiting: readonly string[];
  /** The program whose hook is called. */
  readonly hooks?: string | undefined;
}

/**
 * Makes work leave the machines of a group before they go: a hook that runs when it is destroyed, which is before its
 * hosts are. It is replaced when the template or the set of hosts changes. Terraform renders the command from the new
 * configuration, so it names who stays: hosts of these names that were made from this template. When a group grows
 * that is all of them, when it shrinks only those that go leave. In a batch it names who waits, too, and is replaced with
 * each batch: fewer wait every time.
 *
 * It has no hook on creation: one that failed would taint it, and what is tainted is replaced without its destroy hook.
 */
export class LeaveHook extends Construct {
  constructor(scope: Construct, platform: Platform, props: LeaveHookProps) {
    super(scope, props.name);
    const { group, hash, hosts, waiting, hooks, ...declaration } = props;
    platform.hook(this, {
      ...declaration,
      triggers: {
        hash,
        hosts: hosts.join(","),
        ...(waiting.length > 0 ? { waiting: waiting.join(",") } : {}),
      },
      onDestroy: hookCommand(hooks, hookWords.leave(group, hash, hosts, waiting)),
    });
  }
}
