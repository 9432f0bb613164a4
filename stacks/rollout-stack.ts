import type { Construct } from "constructs";
import type { Group } from "../cluster/groups.js";
import { isNew } from "../cluster/pending.js";
import { frozenRendering, targetRendering, type Rendering } from "./group-props.js";
import { ViewStack, type ViewProps } from "./view-stack.js";

/**
 * The view that rolls one group: only that group carries its desired settings. Every other group and all shared parts
 * are frozen and rendered from what is deployed. Where the group is a Consul server's, every `config_consul` of the
 * cluster is replaced with it. Where hosts of a client group wait for a later batch, these are frozen, too.
 */
export class RolloutStack extends ViewStack {
  protected override readonly sharedProtection = "frozen";

  /** @param target the name of a deployed group, which is the view's name, too */
  constructor(
    scope: Construct,
    readonly target: string,
    props: ViewProps,
  ) {
    super(scope, target, props);
    this.declare();
  }

  protected override rendering(group: Group): Rendering | undefined {
    const { deployed, waiting = [] } = this.props;
    const current = deployed.groups.get(group.name);
    if (!current) return undefined;
    return group.name === this.target && !isNew(current)
      ? targetRendering(group, current, this.options, { addresses: deployed.addresses, waiting })
      : frozenRendering(current, deployed.addresses, this.isConsulView);
  }

  protected override hostsAfter(): readonly string[] {
    return [];
  }
}
