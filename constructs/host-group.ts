import { Construct } from "constructs";
import {
  groupAddress,
  groupMemberName,
  hostAddress,
  hostMemberName,
  type HostKind,
} from "../cluster/address.js";
import type { DeployedVolume, Revision } from "../cluster/deployed.js";
import type { RootVolume } from "../cluster/yaml/schema.js";
import type { GroupIndex } from "../cluster/three.js";
import { ConfigConsul, type ConsulKnowledge } from "./config-consul.js";
import { hookCommand } from "./hook-command.js";
import { hookWords } from "../cluster/hooks/hook-words.js";
import { idOf } from "./named.js";
import { LeaveHook } from "./leave-hook.js";
import type { Protection } from "./lifecycle.js";
import type { Platform } from "./platform.js";
import { ReadyGate } from "./ready-gate.js";
import { RevisionRecord } from "./revision-record.js";

/** A host as a view renders it. */
export interface HostProps {
  /** Counted from 0 in its group. */
  readonly number: number;
  readonly image: string;
  readonly instanceType: string;
  readonly hash: string;
  readonly rootVolume?: RootVolume;
  readonly subnetId?: string;
}

export interface HostGroupProps {
  readonly pool: string;
  readonly index: GroupIndex;
  /** `broker-0` */
  readonly name: string;
  /** The template hash that the group's hooks are rendered for. */
  readonly hash: string;
  readonly hosts: readonly HostProps[];
  /** The names of those that keep their machines in this view and go with a later batch. Default: none. */
  readonly waiting?: readonly string[];
  /** The data volumes, parked ones of hosts that are gone included. */
  readonly volumes: readonly DeployedVolume[];
  /** Whether the pool has a load balancer that hosts are attached to. */
  readonly balanced: boolean;
  readonly revisions: readonly Revision[];
  /** The revisions that stay recorded while the gate of the view is closed; absent where it is always open. */
  readonly whileClosed?: readonly Revision[];
  /** The ids of the hosts that `ready` was passed for; absent where the group may change. */
  readonly passedFor?: string;
  /** How each member is protected in this view. */
  readonly protect: (address: string) => Protection;
  /** Whether a member is rendered: everything where the group may change, what the state holds where it is frozen. */
  readonly includes: (address: string) => boolean;
  /** Addresses that the hosts wait for when they are created, at the first creation of a cluster. */
  readonly hostsAfter?: readonly string[];
  /** Further addresses that the revision waits for. */
  readonly revisionAfter?: readonly string[];
  readonly consul: ConsulKnowledge;
  /** The program whose hooks are called; absent where nothing may be drained, as with `protection: off`. */
  readonly hooks?: string;
  /** The program that starts and stops the agents of each host; absent where machines do that themselves, or have none. */
  readonly agents?: string;
}

/**
 * One of the three groups of a pool: its hosts with what hangs on them, and the group's own `leave`, `ready` and
 * revision. The edges between these resources are the order in which a group is rolled: out of the load balancer, drained
 * there, leave, agents stopped, volume detached, old host gone, new host, volume, agents started, config_consul,
 * registered, ready, revision.
 *
 * An address is made of the group's name, the host's number and the kind of member, and of nothing else.
 */
export class HostGroup extends Construct {
  /** The numbers of the hosts that have a data volume. */
  private readonly disks: ReadonlySet<number>;

  constructor(
    scope: Construct,
    private readonly platform: Platform,
    private readonly props: HostGroupProps,
  ) {
    super(scope, props.name);
    this.disks = new Set(props.volumes.map(({ host }) => host));
    for (const volume of props.volumes) this.dataVolume(volume);
    for (const host of props.hosts) this.hostWithDisk(host);
    this.leave();
    for (const host of props.hosts) this.registration(host);
    this.ready();
    this.revision();
  }

  private dataVolume(volume: DeployedVolume): void {
    const { pool, index, name: group } = this.props;
    const { host, ...disk } = volume;
    this.member(host, "data", (name, protection) => {
      this.platform.dataVolume(this, { ...disk, name, protection, pool, group, index });
    });
  }

  private hostWithDisk({ number, ...host }: HostProps): void {
    const { pool, index, name: group, hostsAfter = [] } = this.props;
    this.member(number, "host", (name, protection) => {
      this.platform.host(this, { ...host, name, protection, pool, group, index, after: hostsAfter });
    });
    if (this.disks.has(number)) {
      this.member(number, "data-attachment", (name, protection) => {
        const [address, volume] = [this.address(number, "host"), this.address(number, "data")];
        this.platform.attachment(this, { name, protection, host: address, volume });
      });
    }
    this.agents(number, host.hash);
    this.member(number, "config-consul", (name, protection) => {
      new ConfigConsul(this, this.platform, {
        name,
        protection,
        host: this.address(number, "host"),
        consul: this.props.consul,
        after: [
          ...this.present(number, ["data-attachment", "start-agents"]),
          ...this.props.consul.starts.filter((each) => each !== this.address(number, "start-agents")),
        ],
        hooks: this.props.hooks,
        hostName: hostMemberName(group, number, "host"),
      });
    });
  }

  /**
   * Stopped by a hook that runs when it is destroyed, started by one that runs when it is created. They are two, since a
   * start that failed is tainted, and what is tainted is replaced without its destroy hook.
   */
  private agents(number: number, hash: string): void {
    const { agents, name: group } = this.props;
    if (!agents) return;
    const host = hostMemberName(group, number, "host");
    const triggers = { host: idOf(this.address(number, "host")) };
    this.member(number, "stop-agents", (name, protection) => {
      this.platform.hook(this, {
        name,
        protection,
        triggers,
        onDestroy: hookCommand(agents, hookWords.stopAgents(host)),
        after: this.present(number, ["data-attachment"]),
      });
    });
    this.member(number, "start-agents", (name, protection) => {
      this.platform.hook(this, {
        name,
        protection,
        triggers,
        onCreate: hookCommand(agents, hookWords.startAgents(host, hash)),
        after: this.present(number, ["data-attachment", "stop-agents"]),
      });
    });
  }

  private leave(): void {
    const { name: group, hash, hosts, waiting = [], hooks } = this.props;
    const address = groupAddress(this.platform.name, group, "leave");
    if (!this.props.includes(address)) return;
    new LeaveHook(this, this.platform, {
      name: groupMemberName(group, "leave"),
      protection: this.props.protect(address),
      group,
      hash,
      hosts: hosts.map(({ number }) => hostMemberName(group, number, "host")),
      waiting,
      after: hosts.flatMap(({ number }) =>
        this.present(number, ["host", "data-attachment", "stop-agents", "start-agents", "config-consul"]),
      ),
      hooks,
    });
  }

  /** In the load balancer last and out of it first: the target goes, then its draining is waited for, then the group leaves. */
  private registration({ number }: HostProps): void {
    const { name: group, pool, balanced, hooks } = this.props;
    if (!balanced) return;
    const host = this.address(number, "host");
    this.member(number, "lb-drained", (name, protection) => {
      this.platform.hook(this, {
        name,
        protection,
        triggers: { host: idOf(host) },
        onDestroy: hookCommand(hooks, hookWords.lbDrained(hostMemberName(group, number, "host"))),
        after: this.presentOfGroup("leave"),
      });
    });
    this.member(number, "target", (name, protection) => {
      this.platform.target(this, {
        name,
        protection,
        host,
        pool,
        after: this.present(number, ["lb-drained"]),
      });
    });
  }

  private ready(): void {
    const { name: group, hash, hosts, hooks, passedFor, whileClosed } = this.props;
    const address = groupAddress(this.platform.name, group, "ready");
    if (!this.props.includes(address)) return;
    const protection = this.props.protect(address);
    const members = hosts.flatMap(({ number }) => this.present(number, ["config-consul", "target"]));
    new ReadyGate(this, this.platform, {
      name: groupMemberName(group, "ready"),
      protection,
      group,
      hash,
      hosts: hosts.flatMap(({ number }) => this.present(number, ["host"])),
      after: [...this.presentOfGroup("leave"), ...members],
      closable: whileClosed !== undefined,
      hooks,
      ...(protection === "ignored" && passedFor !== undefined ? { passedFor } : {}),
    });
  }

  private revision(): void {
    const { name: group, revisions, whileClosed, revisionAfter = [] } = this.props;
    const address = groupAddress(this.platform.name, group, "revision");
    if (!this.props.includes(address)) return;
    new RevisionRecord(this, {
      name: groupMemberName(group, "revision"),
      protection: this.props.protect(address),
      cluster: this.props.consul.cluster,
      group,
      revisions,
      ...(whileClosed ? { whileClosed } : {}),
      after: [...this.presentOfGroup("ready"), ...revisionAfter],
    });
  }

  private member(
    host: number,
    kind: HostKind,
    declare: (name: string, protection: Protection) => void,
  ): void {
    const address = this.address(host, kind);
    if (this.props.includes(address))
      declare(hostMemberName(this.props.name, host, kind), this.props.protect(address));
  }

  private address(host: number, kind: HostKind): string {
    return hostAddress(this.platform.name, this.props.name, host, kind);
  }

  /** Those of a host's members that have been declared so far: what may be referred to. */
  private present(host: number, kinds: readonly HostKind[]): string[] {
    return kinds
      .filter((kind) => this.node.tryFindChild(hostMemberName(this.props.name, host, kind)))
      .map((kind) => this.address(host, kind));
  }

  private presentOfGroup(kind: "leave" | "ready"): string[] {
    const declared = this.node.tryFindChild(groupMemberName(this.props.name, kind));
    return declared ? [groupAddress(this.platform.name, this.props.name, kind)] : [];
  }
}
