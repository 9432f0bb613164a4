import { Construct } from "constructs";
import { hookCommand } from "./hook-command.js";
import { hookWords } from "../cluster/hooks/hook-words.js";
import { GATE_ENVIRONMENT, GATE_REFERENCE } from "../cluster/hooks/variables.js";
import { idOf } from "./named.js";
import type { Declaration, Platform } from "./platform.js";
import type { Postcondition } from "./lifecycle.js";

export interface ReadyGateProps extends Declaration {
  readonly group: string;
  readonly hash: string;
  /** The addresses of the group's hosts, by number. */
  readonly hosts: readonly string[];
  /** The program whose hook is called. */
  readonly hooks?: string | undefined;
  /** The ids of the hosts that it was passed for, where it is to stay so. */
  readonly passedFor?: string;
  /** Whether the variable of the view may close it; else it is always open. */
  readonly closable: boolean;
}

/**
 * Proves that a group is ready again: a hook that runs when it is created, which is after everything else of its group.
 * What it was passed for stands in its triggers; a group whose `ready` names other hosts or another template is in flight.
 */
export class ReadyGate extends Construct {
  constructor(scope: Construct, platform: Platform, props: ReadyGateProps) {
    super(scope, props.name);
    const { group, hash, hosts, hooks, passedFor, closable, ...declaration } = props;
    const gate = closable ? GATE_REFERENCE : "open";
    platform.hook(this, {
      ...declaration,
      triggers: { hosts: hosts.map(idOf).join(","), hash, gate },
      onCreate: hookCommand(hooks, hookWords.ready(group, hash)),
      environment: { [GATE_ENVIRONMENT]: gate },
      ...(passedFor === undefined
        ? {}
        : { postcondition: isStill(`self.${platform.triggersAt}.hosts`, group, passedFor) }),
    });
  }
}

/** A stale view drops the hosts that a group has got since, and with them their data: no freeze holds what is not declared. */
const isStill = (hosts: string, group: string, passedFor: string): Postcondition => ({
  condition: `\${${hosts} == ${JSON.stringify(passedFor)}}`,
  errorMessage: `This view was made when ${group} had other hosts than it has now. Synthesize again.`,
});
