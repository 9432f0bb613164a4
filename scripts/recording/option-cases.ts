import { type Case, rejected } from "./case.js";
import { blockOf, blocksOf, brokers, drop, rollBroker0, thaw } from "./local-cluster.js";
import type { Stack } from "./world.js";

/** Plans made with options, blocks and failures of Terraform's own: -target, -replace, moved, removed, import, count. */
export const OPTIONS: readonly Case[] = [
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
      );
    },
  },
  {
    name: "refresh-only",
    what: "-refresh-only changes records alone, and says of no machine what happens to it.",
    expected: rejected("complete-plan"),
    make: (world) => world.synthAndPlan("cluster", "-refresh-only"),
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
    name: "moved-host",
    what: "A moved block makes a host of another group another host.",
    expected: rejected(
      "complete-plan",
      "base-revision",
      "one-group",
      "target-group",
      "unattributed-change",
      "replace-not-delete",
    ),
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
    expected: rejected("base-revision", "one-group", "target-group", "replace-not-delete"),
    make: (world) =>
      rollBroker0(world, "broker-1-1 is imported", (stack) => {
        const host = { ...blockOf(stack, "broker-1-0"), lifecycle: { ignore_changes: "all" } };
        blocksOf(stack)["broker-1-1"] = host;
        stack["import"] = [{ to: "terraform_data.broker-1-1", id: "from-outside" }];
      }),
  },
  {
    name: "moved-and-replaced",
    what: "A moved block makes a host of another group the new host of the group that grows, which is replaced.",
    expected: rejected(
      "complete-plan",
      "base-revision",
      "one-group",
      "unattributed-change",
      "replace-not-delete",
    ),
    make: async (world) => {
      world.edit("hosts: [2, 1, 1]", "hosts: [3, 1, 1]");
      world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-1-0 becomes broker-0-2 by a moved block", (stack) => {
        drop(stack, "broker-1-0");
        renameIn(stack, "broker-1-0", "broker-0-2");
        stack["moved"] = [{ from: "terraform_data.broker-1-0", to: "terraform_data.broker-0-2" }];
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "imported-and-replaced",
    what: "An import block takes over a machine as the new host of the group that grows, which is replaced.",
    expected: rejected("base-revision", "replace-not-delete"),
    make: async (world) => {
      world.edit("hosts: [2, 1, 1]", "hosts: [3, 1, 1]");
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-2 is imported", (stack) => {
        stack["import"] = [{ to: "terraform_data.broker-0-2", id: "from-outside" }];
      });
      return world.plan("broker-0");
    },
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
    expected: rejected(
      "complete-plan",
      "base-revision",
      "one-group",
      "unattributed-change",
      "replace-not-delete",
      "shared-kept",
    ),
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

/** Renames a block wherever it is referred to. */
function renameIn(stack: Stack, from: string, to: string): void {
  const text = JSON.stringify(stack.resource).replaceAll(
    new RegExp(`terraform_data\\.${from}(?![\\w-])`, "g"),
    `terraform_data.${to}`,
  );
  Object.assign(stack.resource, JSON.parse(text));
}
