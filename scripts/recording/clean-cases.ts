import { accepted, type Case } from "./case.js";
import { hostInput, rollBroker0 } from "./local-cluster.js";
import type { World } from "./world.js";

/** Plans of an empty state. */
export const BOOTSTRAP: readonly Case[] = [
  {
    name: "bootstrap",
    what: "The first creation of a whole cluster.",
    expected: accepted,
    make: (world) => world.synthAndPlan("cluster"),
  },
  {
    name: "bootstrap-resumed",
    what: "The first creation was cut off by a gate that failed; the same view again.",
    expected: accepted,
    make: async (world) => {
      await world.synth("cluster");
      world.tamper("cluster", "the gate of broker-1 fails", ({ resource }) => {
        const ready = resource["terraform_data"]?.["broker-1-ready"] ?? {};
        ready["provisioner"] = [{ "local-exec": { command: "exit 1" } }];
      });
      await world.cutOff("cluster");
      return world.synthAndPlan("cluster");
    },
  },
];

/** Plans as they are to be, of a cluster that stands. */
export const CLEAN: readonly Case[] = [
  {
    name: "no-op",
    what: "Nothing is pending: the cluster view finds nothing to do.",
    expected: accepted,
    make: (world) => world.synthAndPlan("cluster"),
  },
  {
    name: "roll-clients",
    what: "A new image for the two hosts of broker-0.",
    expected: accepted,
    make: (world) => rollBroker0(world),
  },
  {
    name: "roll-consul-server",
    what: "A new image for a Consul server: every config_consul of the cluster is replaced with it.",
    expected: accepted,
    make: (world) => {
      world.edit("consul-server: { images: [v1, v1, v1]", "consul-server: { images: [v1, v2, v1]");
      return world.synthAndPlan("consul-server-1");
    },
  },
  {
    name: "roll-nomad-server",
    what: "A new image for a Nomad server.",
    expected: accepted,
    make: (world) => {
      world.edit("nomad-server: { images: [v1, v1, v1]", "nomad-server: { images: [v1, v1, v2]");
      return world.synthAndPlan("nomad-server-2");
    },
  },
  {
    name: "group-grows",
    what: "broker-1 gets a second host; its leave is replaced, since the list of hosts that stay is longer.",
    expected: accepted,
    make: (world) => {
      world.edit("hosts: [2, 1, 1]", "hosts: [2, 2, 1]");
      return world.synthAndPlan("broker-1");
    },
  },
  {
    name: "group-shrinks",
    what: "broker-0 loses its second host and keeps that host's data volume.",
    expected: accepted,
    make: (world) => {
      world.edit("hosts: [2, 1, 1]", "hosts: [1, 1, 1]");
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "pool-added",
    what: "A new pool, named like another and more: broker-eu-1 is no member of broker.",
    expected: accepted,
    make: (world) => {
      addPool(world);
      return world.synthAndPlan("cluster");
    },
  },
  {
    name: "prefix-of-another-pool",
    what: "broker-eu-1 is rolled while broker-1 stays.",
    expected: accepted,
    make: async (world) => {
      addPool(world);
      await world.roll("cluster");
      world.edit("images: [v1, v1, v1] # eu", "images: [v1, v2, v1] # eu");
      return world.synthAndPlan("broker-eu-1");
    },
  },
  {
    name: "load-balancer-port",
    what: "The port of a load balancer changes, which this platform does in place.",
    expected: accepted,
    make: (world) => {
      world.edit("port: 9876", "port: 9877");
      return world.synthAndPlan("cluster");
    },
  },
  {
    name: "outputs",
    what: "A roll with an output of the user's own, whose value changes.",
    expected: accepted,
    make: (world) =>
      rollBroker0(world, "an output", (stack) => {
        stack["output"] = { brokers: { value: "${terraform_data.broker-0-0.id}" } };
      }),
  },
  {
    name: "checks",
    what: "A roll with a check block of the user's own.",
    expected: accepted,
    make: (world) =>
      rollBroker0(world, "a check block", (stack) => {
        stack["check"] = {
          brokers: {
            assert: [{ condition: '${terraform_data.broker-0-0.id != ""}', error_message: "no broker" }],
          },
        };
      }),
  },
  {
    name: "sensitive-image",
    what: "The image comes from a sensitive variable; its value is the desired one.",
    expected: accepted,
    make: (world) =>
      rollBroker0(world, "the image of broker-0-0 is a sensitive variable", (stack) => {
        stack["variable"] = {
          ...(stack["variable"] as object),
          image: { type: "string", default: "v2", sensitive: true },
        };
        hostInput(stack, "broker-0-0")["image"] = "${var.image}";
      }),
  },
  {
    name: "data-source",
    what: "A roll with a data source that is read once the host is there.",
    expected: accepted,
    make: (world) =>
      rollBroker0(world, "a data source that depends on a host", (stack) => {
        stack["data"] = {
          terraform_remote_state: {
            self: {
              backend: "local",
              config: { path: "../../../terraform.demo.tfstate" },
              depends_on: ["terraform_data.broker-0-0"],
            },
          },
        };
      }),
  },
];

const EU_POOL = `  broker-eu:
    images: [v1, v1, v1] # eu
    instanceTypes: [small, small, small]
`;

function addPool(world: World): void {
  world.edit("rollout:", `${EU_POOL}rollout:`);
}
