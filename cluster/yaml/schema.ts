import * as z from "zod";
import { asMap, isMap } from "../raw.js";
import { bake, drain, ready, steps } from "./gate-schema.js";
import { duration, filled, plain, refused, text, three, whole } from "./schema-values.js";

/** Ends the description of what is part of the template's hash; a test holds it against `templateHash`. */
export const REPLACES = "A change replaces the machines of the group.";

/** Of EBS volumes. */
export const VOLUME_TYPES = ["gp3", "gp2", "st1", "sc1"] as const;
export const DEFAULT_VOLUME_TYPE = "gp3";

const imageName = text(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
  "the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa",
);

const instanceType = text(/^[a-z0-9][a-z0-9.-]{0,63}$/, "an instance type, such as m6i.large");

const generation = whole(0, 1_000_000);

const instanceProfile = text(/^[\w+=,.@-]{1,128}$/, "the name of an instance profile, without its path");

const securityGroupIds = z.array(text(/^sg-[0-9a-z]+$/, "the id of a security group, such as sg-0a1"), {
  error: "a list of ids of security groups, such as [sg-0a1]",
});

const tags = z.record(
  z.string(),
  text(
    /^[\p{L}\p{N} _.:/=+@-]{0,256}$/u,
    'a text of at most 256 letters, digits, spaces and any of _.:/=+-@, such as "1234"',
  ),
  { error: "a map of tags, such as { team: data }" },
);

const userData = text(
  /^(?!\/)[\w./@+-]{1,256}$/,
  "the path of a file from this one's folder, such as user-data/broker-1.sh",
);

const cidr = z
  .cidrv4({ error: "an IPv4 range, such as 10.0.0.0/8" })
  .refine((range) => !range.endsWith("/0"), { error: "a range smaller than the whole world (/0)" });

const loadBalancer = z
  .strictObject({
    port: whole(1, 65535).describe("The port of the load balancer and of the machines behind it."),
    protocol: z.enum(["tcp", "udp"]).default("tcp").describe("What it carries. Default: tcp."),
    internal: z
      .boolean()
      .default(true)
      .describe("true: reachable inside the network only; false: sourceCidrs says for whom. Default: true."),
    deregistrationDelay: duration("0s", "1h")
      .default("300s")
      .describe("How long open connections to a machine that leaves may last. Default: 300s."),
    sourceCidrs: z
      .array(cidr, { error: "a list of IPv4 ranges, such as [10.0.0.0/8]" })
      .min(1, { error: "at least one IPv4 range, such as [10.0.0.0/8]" })
      .optional()
      .describe(
        "The IPv4 ranges that may connect; required with internal: false. Default: the VPC's own ranges.",
      ),
  })
  .refine((balancer) => balancer.internal || balancer.sourceCidrs !== undefined, {
    path: ["sourceCidrs"],
    error: "the ranges that may connect, since internal is false",
  })
  .describe("One network load balancer for the whole pool. Default: none.");

const dataVolume = z.strictObject({
  kmsKeyId: refused(
    "a volume keeps the key that it was made with, and a new one gets EBS's default key of account and region: set that, add a pool, and retire this one once its work has moved",
  ),
  sizeGib: whole(1, 16384).describe(
    "The size in GiB, of st1 and sc1 at least 125. A volume that stands grows in place, and never shrinks.",
  ),
  type: z
    .enum(VOLUME_TYPES)
    .default(DEFAULT_VOLUME_TYPE)
    .describe(`The type of an EBS volume. ${REPLACES} Default: gp3.`),
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html, as the default version of the provider has it.
  iops: whole(3000, 16_000)
    .optional()
    .describe(
      "Operations a second of a gp3 volume, at most 500 for each GiB; changed in place. Default: what the volume has; a new one gets 3000.",
    ),
  throughput: whole(125, 1000)
    .optional()
    .describe(
      "MiB a second of a gp3 volume, at most a quarter of its iops; changed in place. Default: what the volume has; a new one gets 125.",
    ),
});

const rootVolume = z.strictObject({ sizeGib: whole(1, 16384).describe("The size in GiB.") });

const machines = {
  images: three(imageName, "one image").describe(`The image of each group. ${REPLACES}`),
  instanceTypes: three(instanceType, "one type").describe(`The instance type of each group. ${REPLACES}`),
  rootVolumes: three(rootVolume, "one volume")
    .optional()
    .describe(`The system disks of each group. ${REPLACES} Default: as large as the image's.`),
  instanceProfiles: three(instanceProfile.nullable(), "one name or null")
    .optional()
    .describe(
      `The instance profile of each group's machines; null: what aws.instanceProfile says; its name written here is another value. ${REPLACES} Default: [null, null, null].`,
    ),
  securityGroupIds: three(securityGroupIds, "one list")
    .optional()
    .describe(
      `Security groups of each group's machines, beside those that all machines have. ${REPLACES} Default: [[], [], []].`,
    ),
  tags: three(tags, "one map")
    .optional()
    .describe(
      `Tags of each group's machines, at most 45; Name, aws:… and rollout:… are not for you. ${REPLACES} Default: [{}, {}, {}].`,
    ),
  userData: three(userData.nullable(), "one path or null")
    .optional()
    .describe(
      `A file for each group that cloud-init runs on its machines beside what this program writes: ASCII, beginning with #! or #cloud-config; null: none. ${REPLACES} Default: [null, null, null].`,
    ),
  generations: three(generation, "one number")
    .optional()
    .describe(
      `Raise the number of a group to replace machines that are otherwise unchanged, as rollout restart does. ${REPLACES} Default: [0, 0, 0].`,
    ),
};

const serverPool = z.strictObject({
  ...machines,
  hosts: three(whole(1, 3), "one number of servers")
    .optional()
    .describe(
      "How many servers each group has, 3, 5 or 7 in all, and less than half of them in each group: [2, 2, 1]. They are rolled one at a time. Default: [1, 1, 1].",
    ),
  dataVolumes: refused("data volumes are for client pools; a new server gets its data from the others"),
  workload: refused("it is for client pools; servers run no work"),
  maxUnavailable: refused("it is for client pools; servers go one at a time"),
  maxSurge: refused("it is for client pools; a server gets the place of the one before it"),
  retire: refused("server pools stay: a cluster without one is none; a teardown is protection: off"),
  loadBalancer: refused("it is for client pools"),
  drain: refused("it is for client pools; servers run no work"),
  ready,
  bake,
  steps,
});

const clientPool = z.strictObject({
  ...machines,
  hosts: three(whole(1, 1200), "one number of hosts")
    .optional()
    .describe(
      "How many machines each group has. New ones come and spare ones leave in the group's own roll; those that stay are kept. Default: [1, 1, 1].",
    ),
  maxUnavailable: whole(0, 1200)
    .optional()
    .describe(
      "How many machines of a group rollout deploy replaces at once; the rest follow in the same roll. Default: all of them, and 0 with maxSurge.",
    ),
  maxSurge: whole(0, 1200)
    .optional()
    .describe(
      "How many machines a group may have beyond its number while rollout deploy rolls it: new ones come first, and old ones leave once these are proven. For pools whose work moves, without dataVolumes. Default: 0.",
    ),
  dataVolumes: three(dataVolume, "one volume")
    .optional()
    .describe(
      "A disk for each machine of a group, which outlives the machine and a shrinking group. A larger size, iops and throughput are changed in place, by rollout deploy of the group, and no machine is replaced; to get the key, or to lose it, replaces the machines of a pool. Default: none.",
    ),
  workload: z
    .enum(["moves", "stays"])
    .default("moves")
    .describe(
      "moves: work runs elsewhere while its machine is replaced; stays: work is bound to its data volume, and the pool has dataVolumes. Default: moves.",
    ),
  loadBalancer: loadBalancer.optional(),
  retire: z
    .enum(["keep-volumes", "delete-volumes"])
    .optional()
    .describe(
      "The pool leaves for good, group by group; rollout retire sets it. keep-volumes: its data volumes leave the state and are kept; delete-volumes: they are deleted. Default: the pool stays.",
    ),
  drain,
  ready,
  bake,
  steps,
});

const pools = z
  .object(
    {
      "consul-server": serverPool.describe("The Consul servers."),
      "nomad-server": serverPool.describe("The Nomad servers."),
    },
    { error: "a map of pools, consul-server and nomad-server among them" },
  )
  .catchall(clientPool.describe("A pool of clients; any number of them, each under a name of its own."))
  .describe("Each key names three groups: broker stands for broker-0, broker-1 and broker-2.");

const BACKEND_TYPE = "Where the state lies: local, a file; s3, a bucket.";

const backend = z
  .discriminatedUnion(
    "type",
    [
      z.strictObject({
        type: z.literal("local").describe(BACKEND_TYPE),
        path: plain("the path of a state file, relative to this file").describe(
          "The state file, relative to this file.",
        ),
      }),
      z.strictObject({
        type: z.literal("s3").describe(BACKEND_TYPE),
        bucket: text(/^[\w.:/-]+$/, "the name of a bucket, or the ARN of an access point").describe(
          "The bucket that the state lies in.",
        ),
        key: plain("the key of the state in the bucket, such as demo/terraform.tfstate").describe(
          "The state's key in the bucket; every cluster has one of its own.",
        ),
        region: text(/^[\w-]+$/, "the bucket's region, such as eu-west-1").describe("The bucket's region."),
        dynamodbTable: text(/^[\w.:/-]+$/, "the name or the ARN of a DynamoDB table")
          .optional()
          .describe(
            "Locks by this DynamoDB table. Default: a lock file in the bucket, which takes Terraform 1.10 or newer.",
          ),
        kmsKeyId: text(/^[\w:/-]+$/, "the id, the alias or the ARN of a KMS key")
          .optional()
          .describe("The key that the state is encrypted with. Default: what the bucket does by itself."),
        usePathStyle: z
          .boolean()
          .optional()
          .describe(
            "true: the bucket's name stands in the path, for stores that are not AWS's own. Default: false.",
          ),
      }),
    ],
    {
      error: ({ input }) => {
        if (!isMap(input)) return "a map such as { type: local, path: terraform.demo.tfstate }";
        return input["type"] === "consul"
          ? "local or s3; a Consul backend inside the cluster that it describes is no choice: the state would be out of reach whenever it is needed"
          : "local or s3";
      },
    },
  )
  .describe("Where the Terraform state lies. Every view of the cluster has the same.");

const names = (what: string) => z.array(filled("the name of a group"), { error: what });

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return zone !== "";
  } catch {
    return false;
  }
}

const time = (what: string) => text(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time such as "22:00"').describe(what);

const window = z.strictObject({
  days: z
    .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), {
      error: "a list of days, such as [mon, tue]",
    })
    .min(1, { error: "at least one day" })
    .describe("The days on which it opens."),
  from: time("When it opens."),
  to: time("When it closes: on the next day where it is not after `from`."),
  zone: z
    .string({ error: "a time zone, such as Europe/Berlin or UTC" })
    .refine(isZone, { error: "a time zone that is known here, such as Europe/Berlin or UTC" })
    .describe("Whose clock that is. Where the clock is changed an hour may be missing or come twice."),
});

const rollout = z
  .strictObject({
    pendingGroups: z
      .enum(["one", "queue"])
      .default("one")
      .describe(
        "one: more than one pending group does not synthesize; queue: each has a view, and they are rolled one after another. Default: one.",
      ),
    order: names("a list of pools and groups, such as [broker-1, broker]")
      .default([])
      .describe(
        "What is rolled first; a pool stands for those of its groups that are not named, and what is not named follows. Default: Consul servers, Nomad servers, client pools; in a server pool the leader last.",
      ),
    interval: duration("0s", "168h")
      .default("0s")
      .describe("How long to wait between two groups. Default: 0s."),
    pauseAfter: names("a list of groups, such as [broker-0]")
      .default([])
      .describe("Groups after which a roll waits for rollout resume. Default: [], none."),
    manual: z
      .boolean({ error: "true or false" })
      .default(false)
      .describe("true: every group waits for rollout resume. Default: false."),
    windows: z
      .array(window, { error: "a list of windows" })
      .min(1, { error: "at least one window, or no key at all" })
      .optional()
      .describe("When a group may begin; one that has begun is finished. Default: at any time."),
    onFailure: z
      .enum(["stop", "undo"])
      .default("stop")
      .describe(
        "What becomes of a group that does not become ready. stop: it stays as it is; undo: it goes back to its last good revision. Either way the roll ends there. Default: stop.",
      ),
    ownResources: z
      .array(text(/^[\w.-]+(\/[\w.-]+)*$/, "a construct path without the view's name, such as dns/zone"), {
        error: "a list of construct paths, such as [dns/zone]",
      })
      .default([])
      .describe(
        "Shared resources of your own, by construct path: the cluster view may create and update them. Default: [], none.",
      ),
    revisionHistoryLimit: whole(1, 100)
      .default(10)
      .describe("How many revisions a group keeps. Default: 10."),
  })
  .describe("In which order and at which pace groups are rolled.");

const aws = z
  .strictObject({
    region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region, such as eu-west-1").describe(
      "Where the machines live.",
    ),
    vpcId: text(/^vpc-[0-9a-z]+$/, "the id of a VPC, such as vpc-0a1").describe(
      "The network of the machines.",
    ),
    subnetIds: three(
      text(/^subnet-[0-9a-z]+$/, "the id of a subnet, such as subnet-0a1"),
      "one subnet",
    ).describe("Group i of every pool lives in subnet i; three zones, so that losing one takes one group."),
    keyName: plain("the name of a key pair")
      .optional()
      .describe("The key pair of every machine. Default: none."),
    instanceProfile: instanceProfile
      .optional()
      .describe("The instance profile of every machine. Default: none."),
    securityGroupIds: securityGroupIds
      .optional()
      .describe(
        "Further security groups for every machine: who may use ssh, and the ports of your own jobs. Default: none.",
      ),
    imageOwners: z
      .array(text(/^(\d{12}|[a-z-]+)$/, '"123456789012", or amazon'), { error: "a list, such as [amazon]" })
      .optional()
      .describe("Accounts and aliases whose images are rolled besides this account's. Default: [], none."),
    providerVersion: text(
      /^\d+\.\d+\.\d+$/,
      "an exact version, such as 6.25.0; a range could give two views two providers",
    )
      .optional()
      .describe(
        "The version of the AWS provider. Default: the one that the bindings were made from, 6.25.0.",
      ),
  })
  .describe(
    "What all machines on AWS share. A changed subnet, key or profile reaches a group when it is rolled next.",
  );

const local = z
  .strictObject({
    agents: z
      .enum(["none", "simulated", "real"])
      .default("none")
      .describe(
        "What runs on the machines. none: nothing; simulated: one process that speaks for all; real: consul and nomad from the PATH, on Linux. It cannot change while the cluster stands. Default: none.",
      ),
    speed: whole(1, 1000)
      .default(1)
      .describe("How many times as fast as real time simulated agents live. Default: 1."),
  })
  .refine(({ agents, speed }) => agents === "simulated" || speed === 1, {
    path: ["speed"],
    error: "1, or agents: simulated; nothing else can live faster than real time",
  })
  .describe("Machines on your own computer. Default: { agents: none, speed: 1 }.");

const NAME =
  "at most 24 lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)";

const clusterName = text(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, NAME).max(24, { error: NAME });

const name = clusterName.describe("The cluster's name; it stands in tags and must not change.");

const PLATFORM =
  "Where the machines are: aws; or local, the same graph of Terraform's built-in terraform_data, on your own computer.";

const common = {
  backend,
  pools,
  rollout: rollout.prefault({}),
  protection: z
    .enum(["on", "off"])
    .default("on")
    .describe(
      "on: no view can be destroyed; off allows a deliberate teardown: cdktf destroy cluster works, and nothing is drained. Default: on.",
    ),
};

const onAws = z.strictObject({
  name,
  platform: z.literal("aws", { error: "aws or local" }).describe(PLATFORM),
  aws,
  local: refused("it is for platform: local"),
  ...common,
});

const onLocal = z.strictObject({
  name,
  platform: z.literal("local", { error: "aws or local" }).describe(PLATFORM),
  aws: refused("it is for platform: aws"),
  local: local.optional(),
  ...common,
});

/** `cluster.yaml`: what the cluster is meant to be. */
export const specSchema = z.discriminatedUnion("platform", [onAws, onLocal]);

/** The half of {@link specSchema} to check a value against, so that a wrong platform does not hide what else is wrong. */
export function schemaFor(value: unknown): typeof onAws | typeof onLocal {
  const fields = asMap(value);
  return fields["platform"] === "aws" || (fields["platform"] !== "local" && "aws" in fields)
    ? onAws
    : onLocal;
}

export type Spec = z.output<typeof specSchema> & {
  /** The text of each file that a pool names as user data, by its path; absent where none is named. */
  readonly userData?: Readonly<Record<string, string>>;
  /** The sizes of data volumes in GiB that groups are recorded with, by their names, where `pools` says another one. */
  readonly recordedSizes?: Readonly<Record<string, number>>;
};
export type AwsSettings = z.output<typeof aws>;
/** What runs on the machines of platform local. */
export type LocalSettings = z.output<typeof local>;
export type Backend = z.output<typeof backend>;
export type PoolSpec = z.output<typeof clientPool>;
export type RootVolume = z.output<typeof rootVolume>;
export type DataVolume = z.output<typeof dataVolume>;
export type LoadBalancer = z.output<typeof loadBalancer>;
