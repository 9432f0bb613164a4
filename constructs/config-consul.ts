import { Construct } from "constructs";
import { hookCommand } from "./hook-command.js";
import { addressesFor, hookWords } from "../cluster/hooks/hook-words.js";
import { idOf } from "./named.js";
import type { Declaration, Platform } from "./platform.js";

/** What the machines of a view are configured with. */
export interface ConsulKnowledge {
  readonly cluster: string;
  /** The addresses of all Consul servers' hosts. */
  readonly servers: readonly string[];
  /** The addresses of what starts these hosts' agents, where Terraform does: their network addresses come by it. */
  readonly starts: readonly string[];
  /** The addresses of the servers that this view replaces: every machine must learn of their successors. */
  readonly replaced: readonly string[];
}

export interface ConfigConsulProps extends Declaration {
  /** The address of the host that is configured. */
  readonly host: string;
  readonly consul: ConsulKnowledge;
  /** The program whose hook is called. */
  readonly hooks?: string | undefined;
  readonly hostName: string;
}

/**
 * Tells one machine where the Consul servers are. It is replaced, so it runs again, when the machine or any Consul
 * server is replaced. The triggers fire for a server that is created anew as well, where `replace_triggered_by` does
 * not; that one fires where a freeze would hold the triggers back.
 */
export class ConfigConsul extends Construct {
  constructor(scope: Construct, platform: Platform, props: ConfigConsulProps) {
    super(scope, props.name);
    const { host, consul, hooks, hostName, ...declaration } = props;
    const addressOf = platform.networkAddress;
    platform.hook(this, {
      ...declaration,
      ...(addressOf ? { environment: addressesFor(addressOf(host), consul.servers.map(addressOf)) } : {}),
      triggers: { host: idOf(host), servers: consul.servers.map(idOf).join(",") },
      ...(consul.replaced.length > 0
        ? { replaceTriggeredBy: consul.replaced.map((address) => `${address}.id`) }
        : {}),
      onCreate: hookCommand(hooks, hookWords.configureConsul(hostName)),
    });
  }
}
