import type { GroupAttempts } from "../cluster/attempts.js";
import type { DeployedVolume } from "../cluster/deployed.js";
import type { Revision } from "../cluster/revision.js";
import type { OwnSettings } from "../cluster/template-hash.js";
import type { GroupIndex } from "../cluster/three.js";
import type { RootVolume } from "../cluster/yaml/schema.js";
import type { Protection } from "./lifecycle.js";

/** What the machines of a view are configured with. */
interface ConsulKnowledge {
  readonly cluster: string;
  /** The addresses of all Consul servers' hosts. */
  readonly servers: readonly string[];
  /** The addresses of what starts these hosts' agents, where Terraform does: their network addresses come by it. */
  readonly starts: readonly string[];
  /** The addresses of the servers that this view replaces: every machine must learn of their successors. */
  readonly replaced: readonly string[];
  /** Which roll of Consul servers a `config_consul` is told of, by its address. */
  readonly rollOf: (address: string) => number | undefined;
}

/** A host as a view renders it. */
export interface HostProps {
  /** Counted from 0 in its group. */
  readonly number: number;
  readonly image: string;
  readonly instanceType: string;
  readonly hash: string;
  /** The size of the system disk; default: the image's. */
  readonly rootVolume?: RootVolume;
  /** The subnet that the machine is in; default: the one that the spec gives its group. */
  readonly subnetId?: string;
  /** What its group has of its own; of a machine that stays as it is, nothing. */
  readonly own?: OwnSettings;
  /** What a machine that stands was told, as far as that is known. */
  readonly userData?: string | undefined;
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
  readonly laterHosts?: readonly string[];
  /** The data volumes, parked ones of hosts that are gone included. */
  readonly volumes: readonly DeployedVolume[];
  /** Whether the pool has a load balancer that hosts are attached to. */
  readonly balanced: boolean;
  readonly revisions: readonly Revision[];
  /** The revisions that stay recorded while the gate of the view is closed; absent where it is always open. */
  readonly whileClosed?: readonly Revision[];
  readonly attempts: GroupAttempts;
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
  /** Those of them that are hooks that run anew. */
  readonly told?: readonly string[];
  readonly consul: ConsulKnowledge;
  /** The program whose hooks are called; absent where nothing may be drained, as with `protection: off`. */
  readonly hooks?: string;
  /** The program that starts and stops the agents of each host; absent where machines do that themselves, or have none. */
  readonly agents?: string;
}
