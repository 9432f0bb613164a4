import { Construct } from "constructs";
import { Cluster } from "./cluster.js";
import type { ClientPoolProps, ServerPoolProps } from "./pool-props.js";

/** Three groups of machines of one kind, as they are to be. They are rendered by each view of the cluster. */
export abstract class Pool<Props extends object = object> extends Construct {
  /**
   * @param scope a cluster, or a construct within one
   * @param name of the pool, wherever in the cluster it is declared
   * @throws UserError outside of a cluster
   */
  constructor(
    scope: Construct,
    readonly name: string,
    readonly props: Props,
  ) {
    super(scope, name);
    Cluster.of(scope).add(this);
  }
}

/** The Consul servers: `consul-server-0`, `-1` and `-2`. */
export class ConsulServers extends Pool<ServerPoolProps> {
  constructor(scope: Construct, props: ServerPoolProps) {
    super(scope, "consul-server", props);
  }
}

/** The Nomad servers: `nomad-server-0`, `-1` and `-2`. */
export class NomadServers extends Pool<ServerPoolProps> {
  constructor(scope: Construct, props: ServerPoolProps) {
    super(scope, "nomad-server", props);
  }
}

/** A pool of clients, such as brokers; any number of them, each under a name of its own. */
export class ClientPool extends Pool<ClientPoolProps> {}
