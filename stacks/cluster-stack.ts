import type { Construct } from "constructs";
import type { Protection } from "../constructs/lifecycle.js";
import { groupAddress } from "../cluster/address.js";
import { groupsOf, type Group, type Role } from "../cluster/groups.js";
import { isNew } from "../cluster/pending.js";
import { frozenRendering, newRendering, type Rendering } from "./group-props.js";
import { ViewStack, type ViewProps } from "./view-stack.js";

const BEFORE: Readonly<Record<Role, readonly Role[]>> = {
  "consul-server": [],
  "nomad-server": ["consul-server"],
  client: ["consul-server", "nomad-server"],
};

/**
 * The view that creates: groups that have never stood, and the shared parts. All deployed groups are frozen. It may be
 * deployed again and again until the cluster stands; the first creation goes Consul servers, Nomad servers, clients.
 *
 * With `protection: off` nothing is frozen and nothing drained, for a deliberate teardown.
 */
export class ClusterStack extends ViewStack {
  readonly target = undefined;

  constructor(scope: Construct, props: ViewProps) {
    super(scope, "cluster", props);
    this.declare();
  }

  protected override get sharedProtection(): Protection {
    return this.props.spec.protection === "off" ? "live" : "kept";
  }

  protected override rendering(group: Group): Rendering | undefined {
    const { deployed, spec } = this.props;
    const current = deployed.groups.get(group.name);
    if (group.retires && !current) return undefined;
    const rendering =
      !current || isNew(current)
        ? newRendering(group, current, this.options)
        : frozenRendering(current, deployed.addresses, this.createsConsulServer);
    return spec.protection === "off" ? { ...rendering, protect: () => "live" } : rendering;
  }

  /** The `ready` of those new groups that come before the group's role. */
  protected override hostsAfter(group: Group): readonly string[] {
    const fresh = this.newGroups();
    return fresh.some(({ name }) => name === group.name)
      ? fresh
          .filter(({ role }) => BEFORE[group.role].includes(role))
          .map(({ name }) => groupAddress(this.options.platform, name, "ready"))
      : [];
  }

  /** A Consul server that comes anew must be known to machines that stand already. */
  private get createsConsulServer(): boolean {
    return this.newGroups().some(({ role }) => role === "consul-server");
  }

  private newGroups(): Group[] {
    const { deployed, spec } = this.props;
    return groupsOf(spec).filter(({ name }) => isNew(deployed.groups.get(name)));
  }
}
