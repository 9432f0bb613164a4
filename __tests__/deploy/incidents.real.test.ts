import { afterAll, beforeAll, expect } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { Operator } from "./operator.js";
import type { Sight, Victim } from "./running-deploy.js";
import { SimulatedDemo } from "./simulated-demo.js";

const DRAIN: Sight = { in: "driver", text: / drain: / };
const START: Sight = { in: "terraform", text: /hook start-agents/ };

/**
 * What `docs/how-to/failures.md` speaks of, on one cluster: something happens, and somebody does what the program says and nothing
 * else until it is healthy.
 */
describeReal("An incident that somebody mends by the program's words alone", ["terraform"], (real) => {
  let demo: SimulatedDemo;
  let operator: Operator;
  let image = 0;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });

  afterAll(() => demo.remove());

  /** Asks for an image that nobody has had. */
  const ask = async (group: string): Promise<void> => {
    const asked = `${group}=ami-0c${String(++image).padStart(2, "0")}`;
    expect(await demo.workspace.rollout(["set", "image", asked])).toMatchObject({ exitCode: 0 });
    await demo.remember();
    operator = new Operator(demo);
  };
  const kill = async (group: string, at: Sight, victim: Victim): Promise<void> => {
    await ask(group);
    const run = demo.start(group);
    await run.see(at);
    await run.send(victim, "SIGKILL");
    await run.end();
    await demo.quiet();
  };
  const deployed = (group: string) => demo.start(group).end();
  /** What has become of a group that the operator rolled, and of all others. */
  const isMended = async (group: string, commands: readonly string[]): Promise<void> => {
    expect(await operator.mend()).toEqual(commands);
    expect(await demo.outcome(group)).toMatchObject({
      killedTooSoon: [],
      startedAgain: [],
      touched: [],
      work: 3,
      phase: "healthy",
      left: [],
    });
  };

  longTest("the driver was killed while work leaves", async () => {
    await kill("broker-0", DRAIN, "driver");
    await isMended("broker-0", ["npx rollout deploy broker-0"]);
  });

  longTest("Terraform was killed while machines start", async () => {
    await kill("broker-0", START, "terraform");
    await isMended("broker-0", ["npx rollout deploy broker-0"]);
  });

  longTest("a new machine did not come back at first", async () => {
    await ask("broker-1");
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-1-0" });
    expect(await deployed("broker-1")).toMatchObject({ exitCode: 1 });
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-1-0", on: false });
    await isMended("broker-1", ["npx rollout deploy broker-1"]);
  });

  longTest("a token's rights ended while work leaves, and came back", async () => {
    await ask("broker-0");
    const run = demo.start("broker-0");
    await run.see(DRAIN);
    await demo.tell("/faults", { kind: "status", status: 403, body: "Permission denied" });
    expect(await run.end()).toMatchObject({ exitCode: 1 });
    await demo.tell("/faults", {}, "DELETE");
    await isMended("broker-0", ["npx rollout deploy broker-0"]);
  });

  longTest("somebody has paused the cluster", async () => {
    await ask("broker-0");
    await demo.workspace.rollout(["pause", "--reason", "incident 42"]);
    await isMended("broker-0", ["npx rollout resume", "npx rollout deploy broker-0"]);
  });

  longTest("the drain of a machine did not end", async () => {
    await ask("broker-2");
    await demo.workspace.edit(["deadline: 4h", "deadline: 20m"]);
    await demo.tell("/cluster-faults", { fault: "endless-drain", machine: "broker-2-0" });
    expect(await deployed("broker-2")).toMatchObject({ exitCode: 1 });
    await demo.tell("/cluster-faults", { fault: "endless-drain", machine: "broker-2-0", on: false });
    await demo.workspace.edit(["deadline: 20m", "deadline: 4h"]);
    await isMended("broker-2", ["npx rollout deploy broker-2"]);
  });

  longTest.each(["broker-1", "nomad-server-0"])(
    "a machine of %s has died, and another group is to roll",
    async (dead) => {
      await ask("broker-0");
      await demo.tell(`/machines/${dead}-0`, {}, "DELETE");
      const roll = "npx rollout deploy broker-0";
      expect(await operator.mend()).toEqual([roll, `rollout deploy ${dead}`, roll]);
    },
  );

  longTest("a machine has died while another group is between two batches", async () => {
    await demo.workspace.edit(["hosts: [2, 1, 1]", "maxUnavailable: 1, hosts: [2, 1, 1]"]);
    await ask("broker-0");
    const run = demo.start("broker-0");
    await run.see({ in: "driver", text: /before the next machines go/ });
    await run.send("driver", "SIGKILL");
    await run.end();
    await demo.quiet();
    await demo.tell("/machines/broker-1-0", {}, "DELETE");
    const roll = "npx rollout deploy broker-0";
    expect(await operator.mend()).toEqual([roll, "rollout deploy broker-1", roll]);
  });

  longTest("a Consul server and a client's machine have died, and another group is to roll", async () => {
    await ask("broker-0");
    for (const host of ["consul-server-1-0", "broker-1-0"])
      await demo.tell(`/machines/${host}`, {}, "DELETE");
    const roll = "npx rollout deploy broker-0";
    const repairs = (await operator.mend()).filter((command) => command !== roll);
    expect(repairs.slice(-2)).toEqual(["rollout deploy broker-1", "rollout deploy consul-server-1"]);
  });
});
