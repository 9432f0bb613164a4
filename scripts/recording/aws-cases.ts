import { accepted, type Case, rejected } from "./case.js";
import { localsOf } from "./local-cluster.js";
import type { World } from "./world.js";

/** A small cluster on AWS. Root volumes are named, since moto's images have none. */
export const awsCluster = (vpcId: string, subnetIds: readonly string[]): string => `name: demo
platform: aws
aws:
  region: eu-west-1
  vpcId: ${vpcId}
  subnetIds: [${subnetIds.join(", ")}]
  providerVersion: 5.100.0
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server:
    images: [ami-0aaa, ami-0aaa, ami-0aaa] # consul
    instanceTypes: [t3.small, t3.small, t3.small]
    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]
  nomad-server:
    images: [ami-0aaa, ami-0aaa, ami-0aaa]
    instanceTypes: [t3.small, t3.small, t3.small]
    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]
  broker:
    images: [ami-0aaa, ami-0aaa, ami-0aaa] # broker
    instanceTypes: [m6i.large, m6i.large, m6i.large] # broker
    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]
    dataVolumes: [{ sizeGib: 10 }, { sizeGib: 10 }, { sizeGib: 10 }]
`;

const ROLL = ["[ami-0aaa, ami-0aaa, ami-0aaa] # broker", "[ami-0bbb, ami-0aaa, ami-0aaa] # broker"] as const;

/** Plans by the AWS provider, all of one cluster: what is done outside of Terraform comes last. */
export const AWS: readonly Case[] = [
  {
    name: "aws-no-op",
    what: "The first plan after the creation, with the drift entries that the provider always has.",
    expected: accepted,
    make: (world) => world.synthAndPlan("cluster"),
  },
  {
    name: "aws-roll-clients",
    what: "A new image for the host of broker-0, which keeps its data volume.",
    expected: accepted,
    make: (world) => {
      world.edit(...ROLL);
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "aws-roll-consul-server",
    what: "A new image for a Consul server: every config_consul of the cluster is replaced with it.",
    expected: accepted,
    make: (world) => {
      world.edit("[ami-0aaa, ami-0aaa, ami-0aaa] # consul", "[ami-0aaa, ami-0bbb, ami-0aaa] # consul");
      return world.synthAndPlan("consul-server-1");
    },
  },
  {
    name: "aws-type-in-place",
    what: "Another instance type without another template: Terraform stops, changes and starts the machine.",
    expected: rejected("replace-not-delete", "image-as-desired"),
    make: async (world) => {
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-0 without its freeze, another instance type", ({ resource }) => {
        const host = resource["aws_instance"]?.["broker-0-0"] ?? {};
        delete host["lifecycle"];
        host["instance_type"] = "m6i.xlarge";
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "aws-two-groups",
    what: "Two groups get a new image in one plan.",
    expected: rejected("one-group", "target-group", "config-consul-refresh"),
    make: async (world) => {
      world.edit(ROLL[0], "[ami-0bbb, ami-0bbb, ami-0aaa] # broker");
      world.edit("pools:", "rollout: { pendingGroups: queue }\npools:");
      await world.synth("broker-1");
      const other = world.stack("broker-1");
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-1 as in its own view", (stack) => {
        Object.assign(localsOf(stack), localsOf(other));
        for (const [type, blocks] of Object.entries(other.resource)) {
          const own = Object.entries(blocks).filter(([name]) => name.startsWith("broker-1-"));
          Object.assign(stack.resource[type] ?? {}, Object.fromEntries(own));
        }
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "aws-foreign-host-terminated",
    what: "A machine of another group was terminated outside: every view would create it.",
    expected: rejected("one-group", "target-group"),
    make: async (world) => {
      world.edit(...ROLL);
      await world.synth("broker-0");
      await terminate(world, "broker-1-0");
      return world.plan("broker-0");
    },
  },
  {
    name: "aws-own-host-terminated",
    what: "The same machine in its own view, which repairs it.",
    expected: accepted,
    make: (world) => world.synthAndPlan("broker-1"),
  },
  {
    name: "aws-retired-host-terminated",
    what: "The same machine in its own view, once its pool retires: Terraform lists no change of what it finds gone.",
    expected: accepted,
    make: async (world) => {
      world.edit("dataVolumes: [", "retire: keep-volumes\n    dataVolumes: [");
      await world.synth("broker-1");
      await terminate(world, "broker-1-0");
      return world.plan("broker-1");
    },
  },
];

/** Asks the EC2 API to terminate a machine. Moto checks no signature, and wants to know region and service. */
async function terminate(world: World, name: string): Promise<void> {
  const { resources } = JSON.parse(world.state) as {
    resources: { type: string; name: string; instances: { attributes: { id: string } }[] }[];
  };
  const found = resources.find((resource) => resource.type === "aws_instance" && resource.name === name);
  const id = found?.instances[0]?.attributes.id ?? "";
  const credential =
    "Credential=testing/20200101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=none";
  const response = await fetch(process.env["AWS_ENDPOINT_URL"] ?? "", {
    method: "POST",
    headers: { authorization: `AWS4-HMAC-SHA256 ${credential}` },
    body: new URLSearchParams({ Action: "TerminateInstances", Version: "2016-11-15", "InstanceId.1": id }),
  });
  if (!response.ok) throw new Error(await response.text());
  world.steps.push(`the machine of ${name} is terminated by the EC2 API`);
}
