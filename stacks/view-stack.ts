import { Annotations, TerraformResource, TerraformStack, TerraformVariable } from "cdktf";
import { Construct } from "constructs";
import { createPlatform } from "../constructs/create-platform.js";
import type { HostGroupProps } from "../constructs/host-group-props.js";
import { HostPool } from "../constructs/host-pool.js";
import { lifecycleOf, type Protection } from "../constructs/lifecycle.js";
import { judgeSynthesized } from "../guard/judge.js";
import { formatViolation, type Verdict } from "../guard/verdict.js";
import { hostAddress, parseGroupName, type HostKind } from "../cluster/address.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { isForReview } from "../cluster/deployed.js";
import { poolsOf, roleOf, type Group } from "../cluster/groups.js";
import { formatHookFile } from "../cluster/hooks/hook-file.js";
import { startsAgents } from "../cluster/local-agents.js";
import { targetGroupAddress } from "../cluster/pending.js";
import { emptiedPools, forgetBlocks, leftoversOf } from "../cluster/retiring.js";
import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  GATES,
  OWN_VARIABLE,
  REVIEW_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../cluster/hooks/variables.js";
import { mapThree } from "../cluster/three.js";
import { addBackend } from "./backend.js";
import type { Rendering, RenderingOptions } from "./group-props.js";
import { ClusterFolderSynthesizer } from "./synthesizer.js";

export interface ViewProps extends ClusterState {
  /** The folder of the spec, relative to the folder of the synthesized stack: where a local state's path starts. */
  readonly specFolder: string;
  /** The compiled CLI, relative to the folder of the synthesized stack. */
  readonly program: string;
  /** Why the next revision is made: the commit, or what the user says. */
  readonly cause: string;
  /** The hosts of the group that a view rolls whose machines wait for a later batch, by name. Default: none. */
  readonly waiting?: readonly string[];
}

interface Rendered {
  readonly group: Group;
  readonly rendering: Rendering | undefined;
}

/** Versions of Terraform and of OpenTofu that have all that a view uses. */
const REQUIRED_VERSION = ">= 1.9.0";

/**
 * One view of a cluster's one state. All views have the same backend and the same construct ids, hence the same
 * addresses; they differ in what they may change. What a view was made from stands in two variables of its plan:
 * `rollout_view`, its name, and `rollout_base`, the revision of each group. `rollout_gate` is the driver's, and so is
 * `rollout_waiting`: where machines of the group wait for a later batch, the gate cannot be open.
 *
 * Fails synth if what it declares, escape hatches included, would change anything that this view may not.
 */
export abstract class ViewStack extends TerraformStack {
  protected readonly options: RenderingOptions;
  private synthesized: object | undefined;

  protected constructor(
    scope: Construct,
    id: string,
    protected readonly props: ViewProps,
  ) {
    super(scope, id);
    const { spec, cause } = props;
    this.options = {
      platform: spec.platform,
      revisionHistoryLimit: spec.rollout.revisionHistoryLimit,
      cause,
    };
    this.synthesizer = new ClusterFolderSynthesizer(this.synthesizer, this, spec.name, formatHookFile(props));
    this.node.addValidation({ validate: () => this.verdict().violations.map(formatViolation) });
  }

  /** The name of the group that the view may change; undefined for the cluster view. */
  abstract readonly target: string | undefined;

  /** What the view renders of a group; undefined for nothing. */
  protected abstract rendering(group: Group): Rendering | undefined;

  protected abstract readonly sharedProtection: Protection;

  /** Addresses that the hosts of a pool wait for at its first creation. */
  protected abstract hostsAfter(group: Group): readonly string[];

  /** Everything is declared here, since subclasses must be constructed first. */
  protected declare(): void {
    const { spec, deployed, specFolder } = this.props;
    addBackend(this, spec.backend, specFolder);
    this.addOverride("terraform.required_version", REQUIRED_VERSION);
    this.variables();
    this.announceOrigin();
    const platform = createPlatform(this, spec);
    const emptied = this.target === undefined ? emptiedPools(spec, deployed) : [];
    const pools = poolsOf(spec).filter((pool) => !emptied.includes(pool));
    this.forget();
    const rendered = pools
      .flatMap(({ groups }) => groups)
      .map((group) => ({ group, rendering: this.rendering(group) }));
    const shared = {
      protection: this.sharedProtection,
      includes: (address: string) => this.target === undefined || deployed.addresses.has(address),
    };
    platform.shared(new Construct(this, "shared"), shared);
    const context = this.contextOf(rendered);
    // In a construct of their own, or a pool could not be called backend, shared or aws.
    const scope = new Construct(this, "pools");
    for (const pool of pools) {
      const balanced =
        pool.loadBalancer !== undefined && shared.includes(targetGroupAddress(spec.platform, pool.name));
      const groups = mapThree(pool.groups, (group): HostGroupProps | undefined => {
        const rendering = rendered.find((each) => each.group.name === group.name)?.rendering;
        return rendering && { ...rendering, ...context, ...this.edges(group, rendered), balanced };
      });
      const { name, loadBalancer: settings } = pool;
      new HostPool(scope, platform, {
        name,
        groups,
        ...(settings ? { loadBalancer: { ...shared, settings } } : {}),
      });
    }
  }

  /** The data volumes of a pool that has retired leave the state and stay where they are; all else of it is dropped. */
  private forget(): void {
    if (this.target !== undefined) return;
    const blocks = forgetBlocks(leftoversOf(this.props.spec, this.props.deployed));
    if (blocks.length > 0) this.addOverride("removed", blocks);
  }

  /** Resources of the user's own get what makes them harmless in the view of a group, once all have been added. */
  override prepareStack(): void {
    this.ownResources();
    super.prepareStack();
  }

  /** What Terraform will read. The guard judges it and the synthesizer writes it, so it is rendered once. */
  override toTerraform(): object {
    this.synthesized ??= super.toTerraform() as object;
    return this.synthesized;
  }

  /** Whether the view replaces a Consul server, so that every machine must learn of its successor. */
  protected get isConsulView(): boolean {
    return this.target !== undefined && roleOf(parseGroupName(this.target)?.pool ?? "") === "consul-server";
  }

  private contextOf(rendered: readonly Rendered[]): Pick<HostGroupProps, "consul" | "hooks" | "agents"> {
    const { spec, program, deployed } = this.props;
    const agents = startsAgents(spec, deployed) ? program : undefined;
    const servers = rendered.filter(({ group }) => group.role === "consul-server");
    return {
      consul: {
        cluster: spec.name,
        servers: this.members(servers, "host"),
        starts: agents ? this.members(servers, "start-agents") : [],
        replaced: this.members(
          servers.filter(({ group }) => group.name === this.target),
          "host",
        ),
      },
      ...(spec.protection === "on" ? { hooks: program } : {}),
      ...(agents ? { agents } : {}),
    };
  }

  /**
   * What a group waits for. The roll of a Consul group is done only once the machines of all others are configured with it.
   * Its revision waits for that and not its `ready`: at the first creation these machines waited for `ready`, which
   * Terraform remembers, so that replacing both would be a cycle. A revision is never replaced.
   */
  private edges(
    group: Group,
    rendered: readonly Rendered[],
  ): Pick<HostGroupProps, "hostsAfter" | "revisionAfter"> {
    const others = rendered.filter((each) => each.group.name !== group.name);
    const configures = this.isConsulView && group.name === this.target;
    return {
      hostsAfter: this.hostsAfter(group),
      revisionAfter: configures ? this.members(others, "config-consul") : [],
    };
  }

  private members(rendered: readonly Rendered[], kind: HostKind): string[] {
    return rendered.flatMap(({ group, rendering }) =>
      (rendering?.hosts ?? [])
        .map(({ number }) => hostAddress(this.options.platform, group.name, number, kind))
        .filter((address) => rendering?.includes(address)),
    );
  }

  /**
   * Resources that the user added to the stack are shared parts: frozen in the view of a group, and rendered there only
   * if deployed. Where they stand is written into the plan, so that it can be judged alone.
   */
  private ownResources(): void {
    const added = this.node.children
      .filter(({ node }) => node.id !== "shared" && node.id !== "pools")
      .flatMap((child) => child.node.findAll());
    const own = added.filter((each) => TerraformResource.isTerraformResource(each));
    if (own.length === 0) return;
    const paths = new Map<string, string>();
    for (const resource of own) {
      const address = `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
      if (this.target !== undefined && !this.isDeployed(address)) {
        resource.node.scope?.node.tryRemoveChild(resource.node.id);
        continue;
      }
      const { lifecycle } = lifecycleOf({ protection: this.sharedProtection });
      if (lifecycle) {
        resource.lifecycle = this.target === undefined ? { ...resource.lifecycle, ...lifecycle } : lifecycle;
      }
      paths.set(address, resource.node.path.split("/").slice(1).join("/"));
    }
    const variable = new TerraformVariable(this, OWN_VARIABLE, {
      type: "map(string)",
      description: "The construct path of each resource of the user's own.",
    });
    variable.addOverride("default", Object.fromEntries(paths));
  }

  /** Whether the state holds a resource, or one of the objects that it stands for, such as `x.y[0]`. */
  private isDeployed(address: string): boolean {
    const { addresses } = this.props.deployed;
    return addresses.has(address) || [...addresses].some((each) => each.startsWith(`${address}[`));
  }

  private variables(): void {
    const { deployed, waiting = [] } = this.props;
    new TerraformVariable(this, VIEW_VARIABLE, {
      type: "string",
      default: this.node.id,
      description: "The view that this plan is of.",
    });
    const base = new TerraformVariable(this, BASE_VARIABLE, {
      type: "map(number)",
      description: "The revision of each group that this view was made from.",
    });
    // Overridden, since cdktf would turn the hyphens of the groups' names into underscores.
    base.addOverride(
      "default",
      Object.fromEntries(
        [...deployed.groups.values()].map(({ name, revisions }) => [name, revisions.at(-1)?.number ?? 0]),
      ),
    );
    if (waiting.length > 0) {
      new TerraformVariable(this, WAITING_VARIABLE, {
        type: "list(string)",
        default: [...waiting],
        description: "The hosts whose machines wait for a later batch.",
      });
    }
    new TerraformVariable(this, GATE_VARIABLE, {
      type: "string",
      default: "open",
      description: "Whether the group that this view rolls is proven whole and recorded, or stays in flight.",
      validation: [
        {
          condition: `\${contains(${JSON.stringify(waiting.length > 0 ? ["closed"] : GATES)}, var.${GATE_VARIABLE})}`,
          errorMessage:
            waiting.length > 0
              ? `This view leaves machines of ${this.node.id} for a later batch, so it proves nothing. Run: rollout deploy ${this.node.id}`
              : `${GATE_VARIABLE} is open or closed.`,
        },
      ],
    });
    if (!isForReview(deployed.origin)) return;
    new TerraformVariable(this, REVIEW_VARIABLE, {
      type: "bool",
      default: true,
      validation: [
        {
          condition: `\${!var.${REVIEW_VARIABLE}}`,
          errorMessage: `This view was made for a review, from ${deployed.origin.where} and not from the state. Unset ROLLOUT_DEPLOYED and synthesize again.`,
        },
      ],
    });
  }

  /** What a reader must know before believing the view; cdktf prints warnings where it hides what a program prints. */
  private announceOrigin(): void {
    const { origin } = this.props.deployed;
    if (isForReview(origin)) {
      Annotations.of(this).addWarning(
        `deployed is taken from ${origin.where}, not from the state: for a review only`,
      );
    } else if (this.props.deployed.addresses.size === 0) {
      Annotations.of(this).addWarning(
        `the state ${origin.where} is empty: everything is new. If this cluster stands already, its backend is not the one that the spec names`,
      );
    }
  }

  /** What the guard says of the view as it is declared now. */
  verdict(): Verdict {
    const { spec, deployed, specFolder, program, waiting = [] } = this.props;
    return judgeSynthesized(
      { view: this.node.id, target: this.target, spec, deployed, specFolder, program, waiting },
      this.toTerraform(),
    );
  }
}
