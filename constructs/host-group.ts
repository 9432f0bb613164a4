import { Construct } from "constructs";
import {
  groupAddress,
  groupMemberName,
  hostAddress,
  hostMemberName,
  type GroupKind,
  type HostKind,
} from "../cluster/address.js";
import type { DeployedVolume } from "../cluster/deployed.js";
import { addressesFor, hookWords } from "../cluster/hooks/hook-words.js";
import { GATE_ENVIRONMENT, GATE_REFERENCE } from "../cluster/hooks/variables.js";
import type { HostGroupProps, HostProps } from "./host-group-props.js";
import type { Condition } from "./lifecycle.js";
import { idOf } from "./named.js";
import type { Declaration, Platform } from "./platform.js";
import { haveEnded, RevisionRecord } from "./revision-record.js";

type Declare = (own: Pick<Declaration, "name" | "protection">) => void;

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
    for (const { number } of props.hosts) this.registration(number);
    this.ready();
    this.revision();
  }

  private dataVolume(volume: DeployedVolume): void {
    const { pool, index, name: group } = this.props;
    const { host, ...disk } = volume;
    this.member(host, "data", (own) => {
      this.platform.dataVolume(this, { ...disk, ...own, pool, group, index });
    });
  }

  private hostWithDisk({ number, ...host }: HostProps): void {
    const { pool, index, name: group, hostsAfter = [] } = this.props;
    this.member(number, "host", (own) => {
      this.platform.host(this, { ...host, ...own, pool, group, index, after: hostsAfter });
    });
    if (this.disks.has(number)) {
      this.member(number, "data-attachment", (own) => {
        const [address, volume] = [this.address(number, "host"), this.address(number, "data")];
        this.platform.attachment(this, { ...own, host: address, volume });
      });
    }
    this.agents(number, host.hash);
    this.configConsul(number);
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
    this.member(number, "stop-agents", (own) => {
      this.platform.hook(this, {
        ...own,
        triggers,
        onDestroy: hookCommand(agents, hookWords.stopAgents(host)),
        after: this.present(number, ["data-attachment"]),
      });
    });
    this.member(number, "start-agents", (own) => {
      this.platform.hook(this, {
        ...own,
        triggers: { ...triggers, ...this.attempt(this.address(number, "start-agents")) },
        onCreate: hookCommand(agents, hookWords.startAgents(host, hash)),
        after: this.present(number, ["data-attachment", "stop-agents"]),
      });
    });
  }

  /**
   * Tells one machine where the Consul servers are. It is replaced, so it runs again, when the machine or any Consul
   * server is replaced. The triggers fire for a server that is created anew as well, where `replace_triggered_by` does
   * not; that one fires where a freeze would hold the triggers back.
   */
  private configConsul(number: number): void {
    const { name: group, consul, hooks } = this.props;
    const host = this.address(number, "host");
    const addressOf = this.platform.networkAddress;
    const address = this.address(number, "config-consul");
    const roll = consul.rollOf(address);
    this.member(number, "config-consul", (own) => {
      this.platform.hook(new Construct(this, own.name), {
        ...own,
        ...(addressOf ? { environment: addressesFor(addressOf(host), consul.servers.map(addressOf)) } : {}),
        triggers: {
          ...{ host: idOf(host), servers: consul.servers.map(idOf).join(",") },
          ...this.attempt(address),
          ...(roll === undefined ? {} : { consul: String(roll) }),
        },
        ...(consul.replaced.length > 0
          ? { replaceTriggeredBy: consul.replaced.map((address) => `${address}.id`) }
          : {}),
        onCreate: hookCommand(hooks, hookWords.configureConsul(hostMemberName(group, number, "host"))),
        after: [
          ...this.present(number, ["data-attachment", "start-agents"]),
          ...consul.starts.filter((each) => each !== this.address(number, "start-agents")),
        ],
      });
    });
  }

  /**
   * Makes work leave the machines of the group before they go: a hook that runs when it is destroyed, which is before its
   * hosts are. It is replaced when the template or the set of hosts changes. Terraform renders the command from the new
   * configuration, so it names who stays: hosts of these names that were made from this template. When a group grows
   * that is all of them, when it shrinks only those that go leave. In a batch it names who waits, too, and is replaced with
   * each batch: fewer wait every time.
   *
   * It has no hook on creation: one that failed would taint it, and what is tainted is replaced without its destroy hook.
   */
  private leave(): void {
    const { name: group, hash, hosts, laterHosts = [], hooks } = this.props;
    const stay = hosts.map(({ number }) => hostMemberName(group, number, "host"));
    this.ofGroup("leave", (own) => {
      this.platform.hook(new Construct(this, own.name), {
        ...own,
        triggers: {
          hash,
          hosts: stay.join(","),
          ...(laterHosts.length > 0 ? { waiting: laterHosts.join(",") } : {}),
          ...this.attempt(groupAddress(this.platform.name, group, "leave")),
        },
        onDestroy: hookCommand(hooks, hookWords.leave(group, hash, stay, laterHosts)),
        after: hosts.flatMap(({ number }) =>
          this.present(number, ["host", "data-attachment", "stop-agents", "start-agents", "config-consul"]),
        ),
      });
    });
  }

  /**
   * In the load balancer last. The way out is `leave`'s, which takes a machine out and waits until it is drained there: if a
   * member of a host hung on a member of its group, each host's state would hold the whole group.
   */
  private registration(number: number): void {
    const { pool, balanced } = this.props;
    if (!balanced) return;
    const host = this.address(number, "host");
    this.member(number, "target", (own) => {
      this.platform.target(this, {
        ...own,
        host,
        pool,
        after: this.present(number, ["config-consul"]),
      });
    });
  }

  /**
   * Proves that the group is ready again: a hook that runs when it is created, which is after everything else of its group.
   * What it was passed for stands in its triggers; a group whose `ready` names other hosts or another template is in flight.
   */
  private ready(): void {
    const { name: group, hash, hosts, hooks, passedFor, whileClosed } = this.props;
    const gate = whileClosed ? GATE_REFERENCE : "open";
    const ids = hosts.flatMap(({ number }) => this.present(number, ["host"])).map(idOf);
    this.ofGroup("ready", (own) => {
      this.platform.hook(new Construct(this, own.name), {
        ...own,
        triggers: {
          ...{ hosts: ids.join(","), hash, gate },
          ...this.attempt(groupAddress(this.platform.name, group, "ready")),
        },
        onCreate: hookCommand(hooks, hookWords.ready(group, hash)),
        environment: { [GATE_ENVIRONMENT]: gate },
        after: [
          ...this.presentOfGroup("leave"),
          ...hosts.flatMap(({ number }) => this.present(number, ["config-consul", "target"])),
        ],
        ...(own.protection === "ignored" && passedFor !== undefined
          ? { postcondition: isStill(`self.${this.platform.triggersAt}.hosts`, group, passedFor) }
          : {}),
      });
    });
  }

  private revision(): void {
    const { name: group, revisions, whileClosed, attempts, revisionAfter = [], told = [] } = this.props;
    const ready = groupAddress(this.platform.name, group, "ready");
    const hooks = [
      ...this.props.hosts.flatMap(({ number }) => this.present(number, ["start-agents", "config-consul"])),
      ...this.presentOfGroup("ready"),
    ].filter((address) => attempts.fresh.has(address));
    const isNew = revisions.at(-1)?.number !== whileClosed?.at(-1)?.number;
    this.ofGroup("revision", (own) => {
      new RevisionRecord(this, {
        ...own,
        cluster: this.props.consul.cluster,
        group,
        revisions,
        ...(whileClosed ? { whileClosed } : {}),
        ...(attempts.completed ? { completed: attempts.completed } : {}),
        ...(isNew && hooks.includes(ready) ? { toldBy: ready } : {}),
        ...(hooks.length > 0 ? { precondition: haveEnded(group, [...hooks, ...told]) } : {}),
        after: [...this.presentOfGroup("ready"), ...revisionAfter],
      });
    });
  }

  private attempt(address: string): { readonly attempt?: string } {
    const number = this.props.attempts.numbers.get(address);
    return number === undefined ? {} : { attempt: String(number) };
  }

  private ofGroup(kind: GroupKind, declare: Declare): void {
    const address = groupAddress(this.platform.name, this.props.name, kind);
    this.declare(address, groupMemberName(this.props.name, kind), declare);
  }

  private member(host: number, kind: HostKind, declare: Declare): void {
    this.declare(this.address(host, kind), hostMemberName(this.props.name, host, kind), declare);
  }

  private declare(address: string, name: string, declare: Declare): void {
    const { includes, protect } = this.props;
    if (includes(address)) declare({ name, protection: protect(address) });
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

/**
 * What Terraform's local-exec runs for a hook, where there is a program to call. It is started by exec, since Terraform ends
 * the shell only.
 */
const hookCommand = (program: string | undefined, words: string): string | undefined =>
  program && `exec node "${program}" hook ${words}`;

/** A stale view drops the hosts that a group has got since, and with them their data: no freeze holds what is not declared. */
const isStill = (hosts: string, group: string, passedFor: string): Condition => ({
  condition: `\${${hosts} == ${JSON.stringify(passedFor)}}`,
  errorMessage: `This view was made when ${group} had other hosts than it has now. Synthesize again.`,
});
