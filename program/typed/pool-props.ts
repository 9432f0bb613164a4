import type { Three } from "../../cluster/three.js";
import type { GateProps } from "./gate-props.js";

/** What machines of a pool are made from: one value for each of the groups 0, 1 and 2. A change replaces that group's machines. */
export interface MachineProps {
  /** Of `ami-` and hexadecimal digits on aws. Never a token: a view is compared with the state while it is synthesized. */
  readonly images: Three<string>;
  /** Such as `m6i.large`. */
  readonly instanceTypes: Three<string>;
  /** The system disks, 1 to 16384 GiB. Default: as large as the image's. */
  readonly rootVolumes?: Three<{ readonly sizeGib: number }>;
  /** `null`: what `instanceProfile` of {@link AwsProps} says; its name written here is another value. Default: three times null. */
  readonly instanceProfiles?: Three<string | null>;
  /** Beside those that all machines have. Default: three times []. */
  readonly securityGroupIds?: Three<readonly string[]>;
  /** Of the machines, at most 45; never `Name`, `aws:…` or `rollout:…`. Default: three times {}. */
  readonly tags?: Three<Readonly<Record<string, string>>>;
  /**
   * A file for each group, from the program's folder, that cloud-init runs on its machines beside what this program writes: ASCII,
   * beginning with `#!` or `#cloud-config`. `null`: none. Default: three times null.
   */
  readonly userData?: Three<string | null>;
  /** Raise one to replace machines that are otherwise unchanged. Default: [0, 0, 0]. */
  readonly generations?: Three<number>;
}

/** A pool of servers, Consul's or Nomad's. */
export interface ServerPoolProps extends MachineProps, GateProps {
  /** How many servers each group has: 3, 5 or 7 in all, less than half of them in each group. Default: [1, 1, 1]. */
  readonly hosts?: Three<number>;
}

/** A disk of each machine of a group. On a volume that stands all but its type is changed in place, and no machine is replaced. */
export interface DataVolume {
  /** 1 to 16384 GiB, of st1 and sc1 at least 125. None is ever made smaller. */
  readonly sizeGib: number;
  /** Another one replaces that group's machines. Default: gp3. */
  readonly type?: "gp3" | "gp2" | "st1" | "sc1";
  /**
   * Operations a second of a gp3 volume: 3000 to 16000, at most 500 for each GiB. Default: what the volume has; a new one gets 3000.
   * @see https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
   */
  readonly iops?: number;
  /** MiB a second of a gp3 volume: 125 to 1000, at most a quarter of its iops. Default: what the volume has; a new one gets 125. */
  readonly throughput?: number;
}

/** A pool of Nomad clients. */
export interface ClientPoolProps extends MachineProps, GateProps {
  /** How many machines each group has, 1 to 1200. Default: [1, 1, 1]. */
  readonly hosts?: Three<number>;
  /** How many machines of a group `rollout deploy` replaces at once. Default: all of them; with `maxSurge`: 0. */
  readonly maxUnavailable?: number;
  /** How many new machines of a group `rollout deploy` makes before old ones go; not with `dataVolumes`. Default: 0. */
  readonly maxSurge?: number;
  /** What each machine of a group has, and what outlives it. Default: none. */
  readonly dataVolumes?: Three<DataVolume>;
  /** `stays`: its work is bound to its data volume, and the pool has `dataVolumes`. Default: moves. */
  readonly workload?: "moves" | "stays";
  /** One network load balancer for the whole pool. Default: none. */
  readonly loadBalancer?: {
    /** Of the load balancer and of the machines behind it. */
    readonly port: number;
    /** Default: tcp. */
    readonly protocol?: "tcp" | "udp";
    /** `false`: `sourceCidrs` says for whom it is reachable. Default: true. */
    readonly internal?: boolean;
    /** How long open connections to a machine that leaves may last, up to 1h. Default: 300s. */
    readonly deregistrationDelay?: string;
    /** The IPv4 ranges that may connect; required with `internal: false`. Default: the VPC's own. */
    readonly sourceCidrs?: readonly string[];
  };
  /** The pool leaves for good, and its data volumes are kept or deleted. Default: it stays. */
  readonly retire?: "keep-volumes" | "delete-volumes";
  readonly drain?: {
    /** How long work may take to leave a machine, 1s to 168h, after which Nomad stops it. Default: 1h. */
    readonly deadline?: string;
    /** `fail`: a group whose work was stopped by the deadline is not replaced. Default: fail. */
    readonly onDeadline?: "fail" | "accept";
  };
}
