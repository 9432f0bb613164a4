import { accepted, type Case, rejected } from "./case.js";
import { blockOf, brokers, hostInput } from "./local-cluster.js";
import type { Block, World } from "./world.js";

const CLOSED = "-var=rollout_gate=closed";

/** Plans of `rollout deploy` for a group of two machines that are replaced one after the other. */
export const BATCHES: readonly Case[] = [
  {
    name: "batch-first",
    what: "The first batch: one machine is replaced, the other waits, and the gate is closed.",
    expected: accepted,
    make: async (world) => {
      await synthFirst(world);
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-last",
    what: "The last batch: the machine that has waited is replaced, that of the first batch stays.",
    expected: accepted,
    make: async (world) => {
      await rollFirst(world);
      return world.synthAndPlan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-whole-group",
    what: "The whole group at once, as cdktf deploy does it: rollout deploy would not.",
    expected: accepted,
    make: (world) => {
      edit(world);
      return world.synthAndPlan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-touches-waiting",
    what: "The machine that waits would be replaced with the first.",
    expected: rejected("one-batch"),
    make: async (world) => {
      await synthFirst(world);
      world.tamper(
        "broker-0",
        "the machine that waits has the new image, too, and is not frozen",
        (stack) => {
          const [first, second] = [blockOf(stack, "broker-0-0"), blockOf(stack, "broker-0-1")];
          hostInput(stack, "broker-0-1")["image"] = "v2";
          second["triggers_replace"] = first["triggers_replace"];
          for (const each of ["", "-data-attachment", "-target"]) thawOf(blockOf(stack, `broker-0-1${each}`));
        },
      );
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-keeps-old-image",
    what: "The machine of the batch would stay as it is, and so would the one that waits.",
    expected: rejected("image-as-desired"),
    make: async (world) => {
      await synthFirst(world);
      world.tamper("broker-0", "the machine of the batch is frozen, too", (stack) => {
        const [first, second] = [blockOf(stack, "broker-0-0"), blockOf(stack, "broker-0-1")];
        first["lifecycle"] = second["lifecycle"];
      });
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-recorded",
    what: "With an open gate a group would be recorded as whole of which one machine waits.",
    expected: rejected("one-batch"),
    make: async (world) => {
      await synthFirst(world);
      world.tamper("broker-0", "the gate may be open", (stack) => {
        const { rollout_gate: gate } = stack["variable"] as Record<string, Block>;
        delete gate?.["validation"];
      });
      return world.plan("broker-0");
    },
  },
  {
    name: "batch-leaves-all",
    what: "The leave of a batch would make the machine that waits leave, too.",
    expected: rejected("hooks-as-rendered"),
    make: async (world) => {
      await synthFirst(world);
      world.tamper("broker-0", "leave is not told who waits", (stack) => {
        const [provisioner] = blockOf(stack, "broker-0-leave")["provisioner"] as Record<
          string,
          Record<string, string>
        >[];
        const called = provisioner?.["local-exec"];
        if (called) called["command"] = called["command"]?.replace(/ --waiting .*$/, "") ?? "";
      });
      return world.plan("broker-0", CLOSED);
    },
  },
  {
    name: "batch-by-hand",
    what: "Which machines wait was given on the command line.",
    expected: {
      verdict: "not a plan",
      why: "the variable rollout_waiting was given by hand and differs from the stack's own",
    },
    make: async (world) => {
      await synthFirst(world);
      return world.plan("broker-0", CLOSED, '-var=rollout_waiting=["broker-0-0"]');
    },
  },
];

function edit(world: World): void {
  world.edit("hosts: [2, 1, 1]", "hosts: [2, 1, 1]\n    maxUnavailable: 1");
  world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
}

async function synthFirst(world: World): Promise<void> {
  edit(world);
  await world.synthBatch("broker-0", ["broker-0-1"]);
}

async function rollFirst(world: World): Promise<void> {
  await synthFirst(world);
  await world.terraform("broker-0", ["apply", "-auto-approve", CLOSED]);
}

function thawOf(block: Block): void {
  delete block["lifecycle"];
}
