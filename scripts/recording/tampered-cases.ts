import { type Case, rejected } from "./case.js";
import {
  blockOf,
  blocksOf,
  brokers,
  drop,
  hostInput,
  localsOf,
  relicOf,
  rollBroker0,
  thaw,
} from "./local-cluster.js";
import type { Block, Stack } from "./world.js";

/** Plans of stacks whose resources were changed by hand after synth. */
export const TAMPERED: readonly Case[] = [
  {
    name: "two-groups",
    what: "Two groups of one pool get a new image in one plan.",
    expected: rejected("one-group", "target-group", "config-consul-refresh"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v2, v1"));
      world.edit("rollout: {", "rollout: { pendingGroups: queue,");
      await world.synth("broker-1");
      const other = world.stack("broker-1");
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-1 as in its own view", (stack) => {
        copyBlocks(other, stack, "broker-1");
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "two-server-groups",
    what: "A Consul server and a Nomad server get a new image in one plan.",
    expected: rejected("one-group", "target-group", "hooks-as-rendered"),
    make: async (world) => {
      world.edit("consul-server: { images: [v1", "consul-server: { images: [v2");
      world.edit("nomad-server: { images: [v1", "nomad-server: { images: [v2");
      world.edit("rollout: {", "rollout: { pendingGroups: queue,");
      await world.synth("nomad-server-0");
      const other = world.stack("nomad-server-0");
      await world.synth("consul-server-0");
      world.tamper("consul-server-0", "nomad-server-0 as in its own view", (stack) => {
        copyBlocks(other, stack, "nomad-server-0");
      });
      return world.plan("consul-server-0");
    },
  },
  {
    name: "config-consul-held",
    what: "A Consul server is rolled, and one machine would not learn of it.",
    expected: rejected("hooks-as-rendered", "config-consul-refresh"),
    make: async (world) => {
      world.edit("consul-server: { images: [v1, v1, v1]", "consul-server: { images: [v1, v2, v1]");
      await world.synth("consul-server-1");
      world.tamper("consul-server-1", "broker-2-0-config-consul frozen, without its trigger", (stack) => {
        blockOf(stack, "broker-2-0-config-consul")["lifecycle"] = { ignore_changes: "all" };
      });
      return world.plan("consul-server-1");
    },
  },
  {
    name: "config-consul-for-nothing",
    what: "A client group is rolled, and a machine of another group is told of Consul servers again.",
    expected: rejected("config-consul-refresh"),
    make: (world) =>
      rollBroker0(world, "broker-2-0-config-consul with another trigger", (stack) => {
        const block = blockOf(stack, "broker-2-0-config-consul");
        delete block["lifecycle"];
        block["triggers_replace"] = { ...(block["triggers_replace"] as Block), again: "1" };
      }),
  },
  {
    name: "block-dropped",
    what: "The blocks of another group's hook and gate are gone, which no freeze holds.",
    expected: rejected("one-group", "replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-2-leave and broker-2-ready dropped", (stack) => {
        drop(stack, "broker-2-leave", "broker-2-ready");
      }),
  },
  {
    name: "volume-of-shrunk-group",
    what: "A group shrinks, and the data volume of the host that goes would be destroyed.",
    expected: rejected("data-volume-kept"),
    make: async (world) => {
      world.edit("hosts: [2, 1, 1]", "hosts: [1, 1, 1]");
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-1-data dropped", (stack) => {
        drop(stack, "broker-0-1-data");
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "successor-first-host",
    what: "create_before_destroy on the hosts: the successor would come first.",
    expected: rejected("replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-0-0 and broker-0-1 with create_before_destroy", (stack) => {
        for (const name of ["broker-0-0", "broker-0-1"]) {
          blockOf(stack, name)["lifecycle"] = { create_before_destroy: true };
        }
      }),
  },
  {
    name: "successor-first-leave",
    what: "create_before_destroy on leave, which takes its destroy hook and passes on to the hosts.",
    expected: rejected("replace-not-delete", "leave-hook-runs"),
    make: (world) =>
      rollBroker0(world, "broker-0-leave with create_before_destroy", (stack) => {
        blockOf(stack, "broker-0-leave")["lifecycle"] = { create_before_destroy: true };
      }),
  },
  {
    name: "leave-held",
    what: "The hosts are replaced, and leave is frozen: no work would leave.",
    expected: rejected("leave-hook-runs"),
    make: (world) =>
      rollBroker0(world, "broker-0-leave with ignore_changes", (stack) => {
        blockOf(stack, "broker-0-leave")["lifecycle"] = { ignore_changes: "all" };
      }),
  },
  {
    name: "relic-made",
    what: "A wait for the load balancer, which only earlier versions had, is made.",
    expected: rejected("replace-not-delete", "hooks-as-rendered"),
    make: (world) =>
      rollBroker0(world, "broker-0-1-lb-drained, as earlier versions had it", (stack) => {
        blocksOf(stack)["broker-0-1-lb-drained"] = relicOf("broker-0-1");
      }),
  },
  {
    name: "image-unknown",
    what: "The image of a host comes from another resource and is known only once that is there.",
    expected: rejected("unattributed-change", "shared-kept", "image-as-desired"),
    make: (world) =>
      rollBroker0(world, "the image of broker-0-0 is the output of a resource", (stack) => {
        blocksOf(stack)["image"] = { input: "v2" };
        hostInput(stack, "broker-0-0")["image"] = "${terraform_data.image.output}";
      }),
  },
  {
    name: "image-other",
    what: "One host would get an image that the spec does not name.",
    expected: rejected("image-as-desired"),
    make: (world) =>
      rollBroker0(world, "the image of broker-0-1 is v3", (stack) => {
        hostInput(stack, "broker-0-1")["image"] = "v3";
      }),
  },
  {
    name: "host-in-place",
    what: "A host changes its type while it runs, since its template hash stays.",
    expected: rejected("replace-not-delete", "image-as-desired"),
    make: async (world) => {
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-0 without its freeze, instance type large", (stack) => {
        thaw(stack, "broker-0-0");
        hostInput(stack, "broker-0-0")["instanceType"] = "large";
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "shared-replaced",
    what: "The load balancer of all three groups would be replaced.",
    expected: rejected("shared-kept"),
    make: async (world) => {
      await world.synth("cluster");
      world.tamper("cluster", "broker-load-balancer without prevent_destroy, with a trigger", (stack) => {
        thaw(stack, "broker-load-balancer");
        blockOf(stack, "broker-load-balancer")["triggers_replace"] = "9877";
      });
      return world.plan("cluster");
    },
  },
  {
    name: "shared-by-group",
    what: "The view of a group changes the load balancer in place.",
    expected: rejected("shared-kept"),
    make: (world) =>
      rollBroker0(world, "broker-load-balancer thawed, port 9877", (stack) => {
        thaw(stack, "broker-load-balancer");
        hostInput(stack, "broker-load-balancer")["port"] = 9877;
      }),
  },
];

function copyBlocks(from: Stack, to: Stack, group: string): void {
  Object.assign(localsOf(to), localsOf(from));
  for (const [name, block] of Object.entries(blocksOf(from))) {
    if (name.startsWith(`${group}-`)) blocksOf(to)[name] = block;
  }
}
