import { accepted, rejected, type Case } from "./case.js";
import { blocksOf, drop } from "./local-cluster.js";
import type { Stack, World } from "./world.js";

const retire = (world: World, how = "keep-volumes"): void => {
  world.edit("hosts: [2, 1, 1]", `retire: ${how}\n    hosts: [2, 1, 1]`);
};

/** Rolls every group of the pool to no host. */
async function empty(world: World, how?: string): Promise<void> {
  retire(world, how);
  for (const index of [0, 1, 2]) await world.roll(`broker-${String(index)}`);
}

const namesOf = (stack: Stack, prefix: string): string[] =>
  Object.keys(blocksOf(stack)).filter((name) => name.startsWith(prefix));

/** Plans of a pool that leaves for good. */
export const RETIRING: readonly Case[] = [
  {
    name: "retire-group",
    what: "The first group of a pool that retires: its hook runs, its machines go, its data volumes stay.",
    expected: accepted,
    make: (world) => {
      retire(world);
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "retire-end",
    what: "No machine is left of a pool that retires: its records and load balancer go, its data volumes are let go of.",
    expected: accepted,
    make: async (world) => {
      await empty(world);
      return world.synthAndPlan("cluster");
    },
  },
  {
    name: "retire-end-deleting",
    what: "The same where the spec says that the data volumes are deleted.",
    expected: accepted,
    make: async (world) => {
      await empty(world, "delete-volumes");
      return world.synthAndPlan("cluster");
    },
  },
  {
    name: "retire-two-groups",
    what: "Two groups of a pool that retires would go at once.",
    expected: rejected("one-group", "replace-not-delete"),
    make: async (world) => {
      retire(world);
      await world.synth("broker-0");
      world.tamper("broker-0", "the blocks of a second group are dropped", (stack) => {
        drop(stack, ...namesOf(stack, "broker-1-").filter((name) => !name.endsWith("-data")));
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "retire-without-hook",
    what: "The group that retires is dropped instead of rolled, by removed blocks without a hook.",
    expected: rejected("replace-not-delete"),
    make: async (world) => {
      retire(world);
      await world.synth("broker-0");
      world.tamper("broker-0", "its blocks are exchanged for removed ones", (stack) => {
        const names = namesOf(stack, "broker-0-").filter((name) => !name.endsWith("-data"));
        drop(stack, ...names, "broker-0-0", "broker-0-1");
        stack["removed"] = names.map((name) => ({
          from: `terraform_data.${name}`,
          lifecycle: [{ destroy: true }],
        }));
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "retire-too-early",
    what: "The cluster view drops the pool when only its first group has left.",
    expected: rejected("one-group", "replace-not-delete", "data-volume-kept", "shared-kept"),
    make: async (world) => {
      retire(world);
      await world.roll("broker-0");
      await world.synth("cluster");
      world.tamper("cluster", "everything of the pool is dropped", (stack) => {
        drop(stack, ...namesOf(stack, "broker-"));
      });
      return world.plan("cluster");
    },
  },
  {
    name: "retire-volume-deleted",
    what: "A data volume would be deleted, and the spec says that they are kept.",
    expected: rejected("data-volume-kept"),
    make: async (world) => {
      await empty(world);
      await world.synth("cluster");
      world.tamper("cluster", "one of the removed blocks is taken out", (stack) => {
        const blocks = stack["removed"] as unknown[];
        blocks.shift();
      });
      return world.plan("cluster");
    },
  },
  {
    name: "retire-server",
    what: "A pool of servers cannot retire, so one of its groups cannot be dropped.",
    expected: rejected("replace-not-delete", "image-as-desired"),
    make: async (world) => {
      await world.synth("nomad-server-0");
      world.tamper("nomad-server-0", "the group's own blocks are dropped", (stack) => {
        drop(stack, ...namesOf(stack, "nomad-server-0-"));
      });
      return world.plan("nomad-server-0");
    },
  },
];
