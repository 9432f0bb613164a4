import { type Case, rejected } from "./case.js";
import { blockOf, brokers, localsOf, rollBroker0, thaw } from "./local-cluster.js";
import type { Block } from "./world.js";

/** Plans of broker-0 whose resources are planned as they are to be, and would do something else. */
export const HOOKS: readonly Case[] = [
  {
    name: "leave-runs-otherwise",
    what: "The leave hook runs another command: no work would leave.",
    expected: rejected("hooks-as-rendered"),
    make: (world) =>
      rollBroker0(world, "broker-0-leave runs true", (stack) => {
        const provisioner = [{ "local-exec": { command: "true", when: "destroy" } }];
        blockOf(stack, "broker-0-leave")["provisioner"] = provisioner;
      }),
  },
  {
    name: "leave-out-of-order",
    what: "leave does not wait for a host, so the host could go before it.",
    expected: rejected("hooks-as-rendered"),
    make: (world) =>
      rollBroker0(world, "broker-0-leave without broker-0-1 in depends_on", (stack) => {
        const leave = blockOf(stack, "broker-0-leave");
        const needs = leave["depends_on"] as string[];
        leave["depends_on"] = needs.filter((need) => need !== "terraform_data.broker-0-1");
      }),
  },
  {
    name: "tainted-unasked",
    what: "A host was tainted though nothing is pending: it would be replaced, and leave would not run.",
    expected: rejected("leave-hook-runs", "hooks-as-rendered"),
    make: async (world) => {
      await world.synth("broker-0");
      world.tamper("broker-0", "broker-0-1 without its freeze", (stack) => {
        thaw(stack, "broker-0-1");
      });
      await world.terraform("broker-0", ["taint", "terraform_data.broker-0-1"]);
      return world.plan("broker-0");
    },
  },
  {
    name: "ready-held",
    what: "The gate ignores that its machines change: a roll that failed would pass for one that is done.",
    expected: rejected("hooks-as-rendered"),
    make: (world) =>
      rollBroker0(world, "broker-0-ready with ignore_changes", (stack) => {
        blockOf(stack, "broker-0-ready")["lifecycle"] = { ignore_changes: "all" };
      }),
  },
  {
    name: "stale-view-hosts",
    what: "A view from before another group grew: it would drop the new host and its data.",
    expected: rejected("complete-plan", "one-group", "replace-not-delete", "data-volume-kept"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v1, v2, v1"));
      world.edit("hosts: [2, 1, 1]", "hosts: [3, 1, 1]");
      world.edit("rollout: {", "rollout: { pendingGroups: queue,");
      await world.synth("broker-1");
      const made = world.stack("broker-1");
      await world.roll("broker-0");
      await world.synth("broker-1");
      world.tamper("broker-1", "the stack from before broker-0 grew", (stack) => {
        Object.assign(stack, made);
      });
      return world.planFailing("broker-1");
    },
  },
  {
    name: "history-forged",
    what: "The revision that would be written names another image than the hosts get.",
    expected: rejected("image-as-desired"),
    make: (world) =>
      rollBroker0(world, "v9 in the last entry of broker-0-revision", (stack) => {
        const { open = [] } = localsOf(stack)["broker-0-revision-by-gate"] as { open?: Block[] };
        Object.assign(open.at(-1) ?? {}, { image: "v9" });
      }),
  },
  {
    name: "volume-smaller",
    what: "A data volume would be made smaller than it is, by hand.",
    expected: rejected("data-volume-kept"),
    make: (world) =>
      rollBroker0(world, "broker-0-0-data with 5 GiB", (stack) => {
        blockOf(stack, "broker-0-0-data")["input"] = { sizeGib: 5, type: "gp3" };
      }),
  },
  {
    name: "stale-view",
    what: "Two views were synthesized at once and one was applied: Terraform itself refuses the other.",
    expected: rejected("complete-plan", "base-revision"),
    make: async (world) => {
      world.edit(...brokers("v1, v1, v1", "v2, v2, v1"));
      world.edit("rollout: {", "rollout: { pendingGroups: queue,");
      await world.synth("broker-1");
      const made = world.stack("broker-1");
      await world.roll("broker-0");
      await world.synth("broker-1");
      world.tamper("broker-1", "the stack from before broker-0 was rolled", (stack) => {
        Object.assign(stack, made);
      });
      return world.planFailing("broker-1");
    },
  },
];
