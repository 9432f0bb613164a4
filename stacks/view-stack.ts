import { Annotations, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import { createPlatform } from "../constructs/create-platform.js";
import type { HostGroupProps } from "../constructs/host-group-props.js";
import { HostPool } from "../constructs/host-pool.js";
import type { Protection } from "../constructs/lifecycle.js";
import { judgeSynthesized } from "../guard/judge.js";
import { formatViolation, type Verdict } from "../guard/verdict.js";
import { groupAddress, hostAddress, type HostKind } from "../cluster/address.js";
import { attemptsOf, recordedAttempts, type ViewAttempts } from "../cluster/attempts.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { isForReview } from "../cluster/deployed.js";
import { groupsOf, poolsOf, type Group, type Role } from "../cluster/groups.js";
import { formatHookFile } from "../cluster/hooks/hook-file.js";
import { isInPlaceNow } from "../cluster/in-place.js";
import { startsAgents } from "../cluster/local-agents.js";
import { withNumbers } from "../cluster/numbers.js";
import { isNew, pendingGroups, targetGroupAddress } from "../cluster/pending.js";
import { emptiedPools, forgetBlocks, leftoversOf } from "../cluster/retiring.js";
import { mapThree } from "../cluster/three.js";
import { addBackend } from "./backend.js";
import { freezeOwnResources } from "./freeze-own.js";
import { frozenRendering, newRendering, targetRendering, type Rendering } from "./group-props.js";
import { viewedPool } from "../constructs/viewed-pool.js";
import type { ViewedPool } from "../cluster/viewed-pool.js";
import type { View } from "./view.js";
import { ClusterFolderSynthesizer } from "./synthesizer.js";
import { addPace, addVariables, type Held } from "./view-variables.js";

export interface ViewProps extends ClusterState {
  /** The folder of the spec, relative to the folder of the synthesized stack: where a local state's path starts. */
  readonly specFolder: string;
  /** The compiled CLI, relative to the folder of the synthesized stack. */
  readonly program: string;
  /** Why the next revision is made: the commit, or what the user says. */
  readonly cause: string;
  /** Of groups of which more is known, by name. Default: none. */
  readonly causes?: ReadonlyMap<string, string>;
  /** The commit of the spec, or `uncommitted`. Default: none is recorded. */
  readonly commit?: string;
  /** The hooks that the stack runs, by the digest of their bundle. Default: those of the build that is there when they run. */
  readonly bundle?: string;
  /** The hosts of the group that a view rolls whose machines wait for a later batch, by name. Default: none. */
  readonly laterHosts?: readonly string[];
  /** The numbers of the hosts of the group that a view rolls. Default: those that are deployed. */
  readonly numbers?: readonly number[];
  /** What holds groups back that have not begun, by their names. Default: nothing. */
  readonly held?: ReadonlyMap<string, Held>;
  /** Whether the user's own resources are in it. Default: true; a rehearsal must not touch what is real. */
  readonly ownResources?: boolean;
  /** Declares the user's own resources in a view. Default: nothing. */
  readonly addOwn?: ((view: ViewStack) => void) | undefined;
}

interface Rendered {
  readonly group: Group;
  readonly rendering: Rendering | undefined;
}

/** Versions of Terraform and of OpenTofu that have all that a view uses. */
const REQUIRED_VERSION = ">= 1.9.0";

/** The first creation goes Consul servers, Nomad servers, clients. */
const BEFORE: Readonly<Record<Role, readonly Role[]>> = {
  "consul-server": [],
  "nomad-server": ["consul-server"],
  client: ["consul-server", "nomad-server"],
};

/**
 * One view of a cluster's one state. All views have the same backend and the same construct ids, hence the same
 * addresses; they differ in what they may change.
 *
 * The view `cluster` creates: groups that have never stood, and the shared parts. All deployed groups are frozen. It may be
 * deployed again and again until the cluster stands. With `protection: off` nothing is frozen and nothing drained, for a
 * deliberate teardown.
 *
 * The view of a group rolls it: only that group carries its desired settings. Every other group and all shared parts are
 * frozen and rendered from what is deployed. Where the group is a Consul server's, every `config_consul` of the cluster is
 * replaced with it. Where hosts of a client group wait for a later batch, these are frozen, too.
 *
 * Fails synth if what it declares, escape hatches included, would change anything that this view may not.
 */
export class ViewStack extends TerraformStack implements View {
  /** The name of the group that the view may change; undefined for the cluster view. */
  readonly target: string | undefined;
  /** The same with the numbers of its hosts. */
  private readonly rolled: Group | undefined;
  private readonly sharedProtection: Protection;
  /** The groups that the view makes for the first time. */
  private readonly created: readonly Group[];
  /** Whether the view makes a Consul server anew, so that every machine must learn of it. */
  private readonly makesConsulServer: boolean;
  private readonly attempts: ViewAttempts;
  private synthesized: object | undefined;

  /** @param view `cluster`, or the name of a deployed group */
  constructor(
    scope: Construct,
    view: string,
    private readonly props: ViewProps,
  ) {
    super(scope, view);
    const { spec, deployed, specFolder, laterHosts = [], numbers } = props;
    this.target = view === "cluster" ? undefined : view;
    this.sharedProtection = this.target ? "frozen" : spec.protection === "off" ? "live" : "kept";
    const groups = groupsOf(spec);
    this.created = this.target ? [] : groups.filter(({ name }) => isNew(deployed.groups.get(name)));
    const made = this.target ? groups.filter(({ name }) => name === this.target) : this.created;
    this.makesConsulServer = made.some(({ role }) => role === "consul-server");
    const target = groups.find(({ name }) => name === this.target);
    this.rolled = target && withNumbers(target, deployed.groups.get(target.name), numbers);
    this.attempts = attemptsOf(props, this.target, laterHosts, numbers);
    const hookFile = formatHookFile({ ...props, rolled: this.rolled });
    this.synthesizer = new ClusterFolderSynthesizer(this.synthesizer, this, spec.name, hookFile);
    this.node.addValidation({ validate: () => this.verdict().violations.map(formatViolation) });
    addBackend(this, spec.backend, specFolder);
    this.addOverride("terraform.required_version", REQUIRED_VERSION);
    addVariables(this, deployed, laterHosts, this.rolled?.numbers);
    this.announceOrigin();
    if (this.rolled?.surges && !numbers && pendingGroups(spec, deployed).some(({ name }) => name === view))
      Annotations.of(this).addWarning(
        `by cdktf ${view} is replaced whole, in its one apply; for new machines first (pools.${this.rolled.pool}.maxSurge): npx rollout deploy ${view}`,
      );
    const held = props.held?.get(view);
    if (held) addPace(this, held);
    this.pools();
  }

  private pools(): void {
    const { spec, deployed } = this.props;
    const platform = createPlatform(this, spec);
    const emptied = this.target ? [] : emptiedPools(spec, deployed);
    const pools = poolsOf(spec).filter((pool) => !emptied.includes(pool));
    this.forget();
    const rendered = pools
      .flatMap(({ groups }) => groups)
      .map((group) => ({ group, rendering: this.rendering(group) }));
    const shared = {
      protection: this.sharedProtection,
      includes: (address: string) => !this.target || deployed.addresses.has(address),
    };
    platform.shared(new Construct(this, "shared"), shared);
    const context = this.contextOf(rendered);
    // In a construct of their own, or a pool could not be called backend, shared or aws.
    const scope = new Construct(this, "pools");
    for (const { name, loadBalancer: settings, groups } of pools) {
      const balanced = settings !== undefined && shared.includes(targetGroupAddress(spec.platform, name));
      new HostPool(scope, platform, {
        name,
        groups: mapThree(groups, (group): HostGroupProps | undefined => {
          const rendering = rendered.find((each) => each.group.name === group.name)?.rendering;
          return rendering && { ...rendering, ...context, ...this.edges(group, rendered), balanced };
        }),
        ...(settings ? { loadBalancer: { ...shared, settings } } : {}),
      });
    }
  }

  /** What the view renders of a group; undefined for nothing. */
  private rendering(group: Group): Rendering | undefined {
    const { spec, deployed, causes, laterHosts = [] } = this.props;
    const cause = causes?.get(group.name) ?? this.props.cause;
    const { platform } = spec;
    const { revisionHistoryLimit } = spec.rollout;
    const { addresses } = deployed;
    const current = deployed.groups.get(group.name);
    const attempts = this.attempts.groups.get(group.name) ?? recordedAttempts(current, platform);
    const options = { platform, revisionHistoryLimit, cause, attempts, addresses, laterHosts };
    if (!current && (this.target || group.retires)) return undefined;
    if (this.rolled && current && !isNew(current) && group.name === this.target)
      return targetRendering(this.rolled, current, {
        ...options,
        isInPlace: isInPlaceNow(spec, deployed, group.name),
      });
    const rendering =
      current && !this.created.includes(group)
        ? frozenRendering(current, options, this.makesConsulServer)
        : newRendering(group, current, options);
    return !this.target && spec.protection === "off" ? { ...rendering, protect: () => "live" } : rendering;
  }

  /** The data volumes of a pool that has retired leave the state and stay where they are; all else of it is dropped. */
  private forget(): void {
    if (this.target) return;
    const blocks = forgetBlocks(leftoversOf(this.props.spec, this.props.deployed));
    if (blocks.length > 0) this.addOverride("removed", blocks);
  }

  /** Resources of the user's own get what makes them harmless in the view of a group, once all have been added. */
  override prepareStack(): void {
    const deployed = this.target ? this.props.deployed.addresses : undefined;
    freezeOwnResources(this, { protection: this.sharedProtection, deployed });
    super.prepareStack();
  }

  pool(pool: { readonly name: string }): ViewedPool {
    return viewedPool(this.props.spec, pool.name);
  }

  /** What Terraform will read. The guard judges it and the synthesizer writes it, so it is rendered once. */
  override toTerraform(): object {
    this.synthesized ??= super.toTerraform() as object;
    return this.synthesized;
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
        rollOf: this.attempts.consulRollOf,
      },
      ...(spec.protection === "on" ? { hooks: program } : {}),
      ...(agents ? { agents } : {}),
    };
  }

  /**
   * What a group waits for. A new one for the `ready` of those new groups that come before its role. The roll of a Consul
   * group is done only once the machines of all others are configured with it. Its revision waits for that and not its
   * `ready`: at the first creation these machines waited for `ready`, which Terraform remembers, so that replacing both
   * would be a cycle. A revision is never replaced.
   */
  private edges(
    group: Group,
    rendered: readonly Rendered[],
  ): Pick<HostGroupProps, "hostsAfter" | "revisionAfter" | "told"> {
    const { platform } = this.props.spec;
    const before = this.created.includes(group)
      ? this.created.filter(({ role }) => BEFORE[group.role].includes(role))
      : [];
    // Machines of groups that are created are told with the rest of their own group.
    const others = rendered.filter((each) => each.group !== group && !this.created.includes(each.group));
    const isTold = this.attempts.consulRoll !== undefined;
    const waits = group.name === this.target || (isTold && this.created.includes(group));
    const told = waits && group.role === "consul-server" ? this.members(others, "config-consul") : [];
    return {
      hostsAfter: before.map(({ name }) => groupAddress(platform, name, "ready")),
      revisionAfter: told,
      told: isTold ? told : [],
    };
  }

  private members(rendered: readonly Rendered[], kind: HostKind): string[] {
    return rendered.flatMap(({ group, rendering }) =>
      (rendering?.hosts ?? [])
        .map(({ number }) => hostAddress(this.props.spec.platform, group.name, number, kind))
        .filter((address) => rendering?.includes(address)),
    );
  }

  /** What a reader must know before believing the view; cdktf prints warnings where it hides what a program prints. */
  private announceOrigin(): void {
    const { origin, addresses } = this.props.deployed;
    if (isForReview(origin)) {
      Annotations.of(this).addWarning(
        `deployed is taken from ${origin.where}, not from the state: for a review only`,
      );
    } else if (addresses.size === 0) {
      Annotations.of(this).addWarning(
        `the state ${origin.where} is empty: everything is new. If this cluster stands already, its backend is not the one that the spec names`,
      );
    }
  }

  /** What the guard says of the view as it is declared now. */
  verdict(): Verdict {
    return judgeSynthesized({ ...this.props, view: this.node.id, target: this.target }, this.toTerraform());
  }
}
