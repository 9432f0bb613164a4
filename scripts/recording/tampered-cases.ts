import { type Case, rejected } from "./case.js";
import { blockOf, blocksOf, brokers, drop, hostInput, rollBroker0, thaw } from "./local-cluster.js";
import type { Block, Stack } from "./world.js";

/** Plans of stacks that were changed by hand after synth, or planned with options of Terraform's. */
export const TAMPERED: readonly Case[] = [
  {
    name: "target-option",
    what: "-target of one host alone: its leave would not run, and the plan is partial.",
    expected: rejected("complete-plan", "leave-hook-runs", "image-as-desired"),
    make: (world) => rollBroker0(world, undefined, undefined, "-target=terraform_data.broker-0-0"),
  },
  {
    name: "replace-foreign-host",
    what: "-replace of a host of another group, the freeze taken away (with it, Terraform refuses to plan).",
    expected: rejected("one-group", "target-group", "config-consul-refresh"),
    make: (world) =>
      rollBroker0(
        world,
        "broker-1 without its freeze",
        (stack) => {
          thaw(stack, "broker-1");
        },
        "-replace=terraform_data.broker-1-0",
      ),
  },
  {
    name: "replace-own-host",
    what: "-replace of one host of a group that is up to date, the freeze taken away: its leave does not run.",
    expected: rejected("leave-hook-runs"),
    make: async (world) => {
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0 without its freeze", (stack) => {
        thaw(stack, "broker-0");
      });
      return world.plan("broker-0", "-replace=terraform_data.broker-0-0");
    },
  },
  {
    name: "replace-own-host-and-hooks",
    what: "The same with its hooks: leave runs, but is told that a host of the desired template stays.",
    expected: rejected("leave-hook-runs"),
    make: async (world) => {
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0 without its freeze", (stack) => {
        thaw(stack, "broker-0");
      });
      return world.plan(
        "broker-0",
        "-replace=terraform_data.broker-0-0",
        "-replace=terraform_data.broker-0-leave",
        "-replace=terraform_data.broker-0-0-lb-drained",
      );
    },
  },
  {
    name: "refresh-only",
    what: "-refresh-only changes records alone, and says of no machine what happens to it.",
    expected: rejected("complete-plan"),
    make: async (world) => {
      await world.synth("cluster");
      return world.plan("cluster", "-refresh-only");
    },
  },
  {
    name: "destroy",
    what: "-destroy of the whole cluster, all freezes taken away (with them, Terraform refuses to plan).",
    expected: rejected("one-group", "replace-not-delete", "data-volume-kept", "shared-kept"),
    make: async (world) => {
      await world.synth("cluster");
      world.tamper("cluster", "no lifecycle at all", (stack) => {
        thaw(stack);
      });
      return world.plan("cluster", "-destroy");
    },
  },
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
    expected: rejected("one-group", "target-group"),
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
    expected: rejected("config-consul-refresh"),
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
    name: "moved-host",
    what: "A moved block makes a host of another group another host.",
    expected: rejected("one-group", "target-group", "replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-1-0 becomes broker-1-7 by a moved block", (stack) => {
        const blocks = blocksOf(stack);
        blocks["broker-1-7"] = blockOf(stack, "broker-1-0");
        delete blocks["broker-1-0"];
        renameIn(stack, "broker-1-0", "broker-1-7");
        stack["moved"] = [{ from: "terraform_data.broker-1-0", to: "terraform_data.broker-1-7" }];
      }),
  },
  {
    name: "removed-block",
    what: "A removed block lets go of another group's leave without destroying it.",
    expected: rejected("one-group", "target-group", "replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-2-leave is forgotten by a removed block", (stack) => {
        drop(stack, "broker-2-leave");
        stack["removed"] = [{ from: "terraform_data.broker-2-leave", lifecycle: [{ destroy: false }] }];
      }),
  },
  {
    name: "volume-forgotten",
    what: "A removed block lets go of a data volume of the group that is rolled.",
    expected: rejected("replace-not-delete", "data-volume-kept"),
    make: (world) =>
      rollBroker0(world, "broker-0-1-data is forgotten by a removed block", (stack) => {
        drop(stack, "broker-0-1-data", "broker-0-1-data-attachment");
        stack["removed"] = [{ from: "terraform_data.broker-0-1-data", lifecycle: [{ destroy: false }] }];
      }),
  },
  {
    name: "import-block",
    what: "An import block takes over a machine as a host of another group.",
    expected: rejected("one-group", "target-group", "replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-1-1 is imported", (stack) => {
        const host = { ...blockOf(stack, "broker-1-0"), lifecycle: { ignore_changes: "all" } };
        blocksOf(stack)["broker-1-1"] = host;
        stack["import"] = [{ to: "terraform_data.broker-1-1", id: "from-outside" }];
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
    name: "lb-drained-held",
    what: "The hosts are replaced, and the wait for the load balancer is frozen.",
    expected: rejected("leave-hook-runs"),
    make: (world) =>
      rollBroker0(world, "broker-0-1-lb-drained with ignore_changes", (stack) => {
        blockOf(stack, "broker-0-1-lb-drained")["lifecycle"] = { ignore_changes: "all" };
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
  {
    name: "module",
    what: "A roll with a module of the user's own, whose resource nobody has named.",
    expected: rejected("unattributed-change", "shared-kept"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.write("broker-0", "dns/main.tf.json", {
        resource: { terraform_data: { "broker-1-0": { input: 1 } } },
      });
      world.tamper("broker-0", "a module with a terraform_data.broker-1-0", (stack) => {
        stack["module"] = { dns: { source: "./dns" } };
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "index-key",
    what: "count gives the hook of another group an address with a key.",
    expected: rejected("unattributed-change", "shared-kept"),
    make: (world) =>
      rollBroker0(world, "broker-1-revision with count", (stack) => {
        blockOf(stack, "broker-1-revision")["count"] = 2;
      }),
  },
  {
    name: "errored",
    what: "Terraform could not finish the plan: a precondition does not hold.",
    expected: rejected("complete-plan"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-ready with a precondition that is false", (stack) => {
        const precondition = [{ condition: '${terraform_data.broker-1-0.id == ""}', error_message: "no" }];
        blockOf(stack, "broker-0-ready")["lifecycle"] = { precondition };
      });
      return world.planFailing("broker-0");
    },
  },
  {
    name: "view-by-hand",
    what: "The plan of broker-0 with -var rollout_view=cluster.",
    expected: {
      verdict: "not a plan",
      why: "the variable rollout_view was given by hand and differs from the stack's own",
    },
    make: (world) => rollBroker0(world, undefined, undefined, "-var=rollout_view=cluster"),
  },
];

function copyBlocks(from: Stack, to: Stack, group: string): void {
  for (const [name, block] of Object.entries(blocksOf(from))) {
    if (name.startsWith(`${group}-`)) blocksOf(to)[name] = block;
  }
}

/** Renames a block wherever it is referred to. */
function renameIn(stack: Stack, from: string, to: string): void {
  const text = JSON.stringify(stack.resource).replaceAll(
    new RegExp(`terraform_data\\.${from}(?![\\w-])`, "g"),
    `terraform_data.${to}`,
  );
  Object.assign(stack.resource, JSON.parse(text));
}
