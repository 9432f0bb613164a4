import { accepted, type Case, rejected } from "./case.js";
import { blockOf, brokers } from "./local-cluster.js";
import type { World } from "./world.js";

const CLOSED = "-var=rollout_gate=closed";

/** Plans of `rollout deploy`, which makes machines with a closed gate and records with an open one. */
export const GATES: readonly Case[] = [
  {
    name: "gate-closed",
    what: "A roll with a closed gate: the machines are replaced, nothing is recorded.",
    expected: accepted,
    make: async (world) => {
      await synthRoll(world);
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "gate-opened",
    what: "The small second plan: ready again with an open gate, and the revision.",
    expected: accepted,
    make: async (world) => {
      await rollClosed(world);
      return world.synthAndPlan("broker-0");
    },
  },
  {
    name: "gate-closed-again",
    what: "A roll with a closed gate was applied, and is planned with a closed one again: nothing to do, still in flight.",
    expected: accepted,
    make: async (world) => {
      await rollClosed(world);
      return world.synthAndPlan("broker-0", CLOSED);
    },
  },
  {
    name: "gate-closed-and-recorded",
    what: "With a closed gate the new revision would be written all the same.",
    expected: rejected("image-as-desired"),
    make: async (world) => {
      await synthRoll(world);
      world.tamper("broker-0", "the revision no longer depends on the gate", (stack) => {
        const input = blockOf(stack, "broker-0-revision")["input"] as Record<string, unknown>;
        input["revisions"] = "${local.broker-0-revision-by-gate.open}";
      });
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "gate-called-open",
    what: "With a closed gate ready would say that it was open.",
    expected: rejected("hooks-as-rendered"),
    make: async (world) => {
      await synthRoll(world);
      world.tamper("broker-0", "ready always says open", (stack) => {
        const triggers = blockOf(stack, "broker-0-ready")["triggers_replace"] as Record<string, unknown>;
        triggers["gate"] = "open";
      });
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "gate-recorded-unproven",
    what: "After a roll with a closed gate the revision would be written, and ready would not run again.",
    expected: rejected("hooks-as-rendered"),
    make: async (world) => {
      await rollClosed(world);
      await world.synth("broker-0");
      world.tamper("broker-0", "ready ignores its triggers", (stack) => {
        blockOf(stack, "broker-0-ready")["lifecycle"] = { ignore_changes: "all" };
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "gate-skipped",
    what: "With an open gate the hook of ready would be told that it is closed, and prove nothing.",
    expected: rejected("hooks-as-rendered"),
    make: async (world) => {
      await synthRoll(world);
      world.tamper("broker-0", "ready is told that its gate is closed", (stack) => {
        const [provisioner] = blockOf(stack, "broker-0-ready")["provisioner"] as Record<
          string,
          Record<string, unknown>
        >[];
        Object.assign(provisioner?.["local-exec"] ?? {}, { environment: { ROLLOUT_GATE: "closed" } });
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "gate-of-no-kind",
    what: "A gate that is neither open nor closed, in a stack that allows it.",
    expected: { verdict: "not a plan", why: "the variable rollout_gate is neither open nor closed" },
    make: async (world) => {
      await synthRoll(world);
      world.tamper("broker-0", "the gate may have any value, ready and revision have it open", (stack) => {
        const { rollout_gate: gate } = stack["variable"] as Record<string, Record<string, unknown>>;
        delete gate?.["validation"];
        const input = blockOf(stack, "broker-0-revision")["input"] as Record<string, unknown>;
        input["revisions"] = "${local.broker-0-revision-by-gate.open}";
      });
      return world.plan("broker-0", "-var=rollout_gate=ajar");
    },
  },
];

async function synthRoll(world: World): Promise<void> {
  world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
  await world.synth("broker-0");
}

async function rollClosed(world: World): Promise<void> {
  await synthRoll(world);
  await world.terraform("broker-0", ["apply", "-auto-approve", CLOSED]);
}
