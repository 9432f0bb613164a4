import { accepted, type Case, rejected } from "./case.js";
import { blockOf, blocksOf, brokers, relicOf, rollBroker0 } from "./local-cluster.js";
import { World } from "./world.js";

/** Plans that meet a state which is not as it should be, or is not the one that they were made from. */
export const STATES: readonly Case[] = [
  {
    name: "stale",
    what: "A plan of broker-1 that was made before broker-0 was rolled.",
    expected: rejected("base-revision"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v2, v1"));
      world.edit("rollout: {", "rollout: { pendingGroups: queue,");
      await world.synth("broker-1");
      const plan = await world.plan("broker-1");
      await world.roll("broker-0");
      return plan;
    },
  },
  {
    name: "takes-back",
    what: "An old view of broker-0, planned again after the group was rolled further: it would go back to v2.",
    expected: rejected("base-revision", "hooks-as-rendered", "image-as-desired"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      const old = world.stack("broker-0");
      world.edit(...brokers("v2, v1, v1", "v3, v1, v1"));
      await world.roll("broker-0");
      world.tamper("broker-0", "the stack of v2 again", (stack) => {
        Object.assign(stack, old);
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "other-cluster",
    what: "The plan of another cluster, whose groups have the same names.",
    expected: rejected("base-revision"),
    make: async (world) => {
      world.edit("name: demo", "name: other");
      world.edit("terraform.demo.tfstate", "terraform.other.tfstate");
      await world.synth("cluster");
      const plan = await world.plan("cluster");
      world.edit("name: other", "name: demo");
      world.edit("terraform.other.tfstate", "terraform.demo.tfstate");
      return plan;
    },
  },
  {
    name: "stranger",
    what: "The plan of a stack that this program has not made.",
    expected: rejected("base-revision", "unattributed-change", "shared-kept"),
    make: async (world) => {
      await world.synth("cluster");
      world.tamper("cluster", "nothing but one resource of somebody's", (stack) => {
        for (const key of Object.keys(stack)) Reflect.deleteProperty(stack, key);
        Object.assign(stack, { resource: { terraform_data: { somebodys: { input: 1 } } } });
      });
      return world.plan("cluster");
    },
  },
  {
    name: "foreign-host-missing",
    what: "A host of another group is gone: every view would create it, with the desired image.",
    expected: rejected("one-group", "group-in-flight", "target-group"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      await world.terraform("broker-0", ["state", "rm", "terraform_data.broker-1-0"]);
      return world.plan("broker-0");
    },
  },
  {
    name: "own-host-missing",
    what: "A host of the group itself is gone: its own view creates it again.",
    expected: accepted,
    make: async (world) => {
      await world.synth("broker-0");
      await world.terraform("broker-0", ["state", "rm", "terraform_data.broker-0-1"]);
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "tainted-leave",
    what: "The group's leave is tainted: it would be replaced without its hook.",
    expected: rejected("tainted-replacement", "leave-hook-runs"),
    make: (world) => taintedRoll(world, "broker-0-leave"),
  },
  {
    name: "relics-go",
    what: "A roll in a state of earlier versions: what waited for the load balancer goes, of every group.",
    expected: accepted,
    make: async (world) => {
      await world.synth("cluster");
      world.tamper("cluster", "what waits for the load balancer, as earlier versions had it", (stack) => {
        for (const host of ["broker-0-0", "broker-0-1", "broker-1-0"])
          blocksOf(stack)[`${host}-lb-drained`] = relicOf(host);
      });
      await world.terraform("cluster", ["apply", "-auto-approve"]);
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "tainted-ready",
    what: "The group's own gate had failed: the roll goes on.",
    expected: accepted,
    make: (world) => taintedRoll(world, "broker-0-ready"),
  },
  {
    name: "tainted-host",
    what: "A host whose creation had failed is replaced by the roll.",
    expected: accepted,
    make: (world) => taintedRoll(world, "broker-0-1"),
  },
  {
    name: "tainted-foreign-ready",
    what: "The gate of another group had failed: every view would replace it, and no freeze holds it.",
    expected: rejected("one-group", "group-in-flight", "target-group", "tainted-replacement"),
    make: (world) => taintedRoll(world, "broker-1-ready"),
  },
  {
    name: "tainted-config-consul",
    what: "A config_consul of another group had failed.",
    expected: rejected("group-in-flight", "config-consul-refresh"),
    make: (world) => taintedRoll(world, "broker-1-0-config-consul"),
  },
  {
    name: "resumed-after-leave",
    what: "A roll was cut off once leave had run: the view again.",
    expected: accepted,
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "the hosts cannot be destroyed", (stack) => {
        for (const name of ["broker-0-0", "broker-0-1"]) {
          blockOf(stack, name)["provisioner"] = [{ "local-exec": { when: "destroy", command: "exit 1" } }];
        }
      });
      await world.cutOff("broker-0");
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "resumed-host-tainted",
    what: "A roll was cut off by a host whose creation failed; its successor has the same template: the view again.",
    expected: accepted,
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "the creation of broker-0-1 fails", (stack) => {
        blockOf(stack, "broker-0-1")["provisioner"] = [{ "local-exec": { command: "exit 1" } }];
      });
      await world.cutOff("broker-0");
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "leave-lost",
    what: "The group's leave is gone from the state though the group has not left: no hook would run.",
    expected: rejected("leave-hook-runs"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      await world.terraform("broker-0", ["state", "rm", "terraform_data.broker-0-leave"]);
      return world.plan("broker-0");
    },
  },
  {
    name: "resumed-at-gate",
    what: "A roll was cut off by its gate: the view again.",
    expected: accepted,
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "the gate fails", (stack) => {
        blockOf(stack, "broker-0-ready")["provisioner"] = [{ "local-exec": { command: "exit 1" } }];
      });
      await world.cutOff("broker-0");
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "deposed",
    what: "A successor came first and its gate failed, so that an old machine is left over: the view again.",
    expected: accepted,
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-1 with create_before_destroy, the gate fails", (stack) => {
        blockOf(stack, "broker-0-1")["lifecycle"] = { create_before_destroy: true };
        blockOf(stack, "broker-0-1-config-consul")["provisioner"] = [{ "local-exec": { command: "exit 1" } }];
      });
      await world.cutOff("broker-0");
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "opentofu",
    what: "The plan of broker-0 as OpenTofu prints it: it never says that it is complete. Derived: two keys taken away.",
    expected: accepted,
    make: async (world) => {
      const plan = JSON.parse(await rollBroker0(world)) as Record<string, unknown>;
      delete plan["complete"];
      delete plan["applyable"];
      return JSON.stringify(plan);
    },
  },
];

/** A new image for broker-0, synthesized before a resource was tainted. */
async function taintedRoll(world: World, name: string): Promise<string> {
  world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
  await world.synth("broker-0");
  await world.terraform("broker-0", ["taint", `terraform_data.${name}`]);
  return world.plan("broker-0");
}
