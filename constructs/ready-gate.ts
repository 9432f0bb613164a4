import { Construct } from "constructs";
import type { HookCommands } from "./hook-commands.js";
import { idOf } from "./named.js";
import type { Declaration, Platform } from "./platform.js";

export interface ReadyGateProps extends Declaration {
  readonly group: string;
  readonly hash: string;
  /** The addresses of the group's hosts, by number. */
  readonly hosts: readonly string[];
  readonly hooks?: HookCommands;
}

/**
 * Proves that a group is whole again: a hook that runs when it is created, which is after everything else of its group.
 * What it was passed for stands in its triggers; a group whose `ready` names other hosts or another template is in flight.
 */
export class ReadyGate extends Construct {
  constructor(scope: Construct, platform: Platform, props: ReadyGateProps) {
    super(scope, props.name);
    const { group, hash, hosts, hooks, ...declaration } = props;
    platform.hook(this, {
      ...declaration,
      triggers: { hosts: hosts.map(idOf).join(","), hash, gate: "open" },
      ...(hooks ? { onCreate: hooks.ready(group, hash) } : {}),
    });
  }
}
