/** The clusters of the benchmark: four pools of three groups, on aws, as in cluster.example.yaml, of as many hosts as wanted. */

const three = (value) => [value, value, value];

/** How many hosts a group of the client pools has, so that the whole cluster has `hosts`. */
function sizes(hosts) {
  const perIndex = (hosts - 6) / 3;
  const nameServer = Math.floor(perIndex / 2);
  if (!Number.isInteger(perIndex) || nameServer < 1) throw new Error(`no cluster of ${hosts} hosts`);
  return { nameServer, broker: perIndex - nameServer };
}

/** The text of a spec: JSON, which is YAML. */
export function specText(hosts, brokerImages = three("ami-0aaa")) {
  const { nameServer, broker } = sizes(hosts);
  const server = { images: three("ami-0aaa"), instanceTypes: three("t3.small") };
  const spec = {
    name: "demo",
    platform: "aws",
    aws: {
      region: "eu-west-1",
      vpcId: "vpc-0a1",
      subnetIds: ["subnet-0a1", "subnet-0b1", "subnet-0c1"],
      keyName: "ops",
      instanceProfile: "demo-agents",
    },
    backend: { type: "local", path: "terraform.demo.tfstate" },
    pools: {
      "consul-server": server,
      "nomad-server": server,
      "name-server": { ...server, hosts: three(nameServer) },
      broker: {
        images: brokerImages,
        instanceTypes: three("m6i.large"),
        hosts: three(broker),
        generations: three(0),
        dataVolumes: three({ sizeGib: 100, type: "gp3" }),
        workload: "stays",
        loadBalancer: { port: 9876, protocol: "tcp", internal: true, deregistrationDelay: "60s" },
      },
    },
    rollout: { pendingGroups: "one" },
  };
  return JSON.stringify(spec, null, 2);
}

/** A spec in which broker-0 waits to be rolled. */
export const rollText = (hosts) => specText(hosts, ["ami-0bbb", "ami-0aaa", "ami-0aaa"]);
