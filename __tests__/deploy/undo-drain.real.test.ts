import { afterAll, beforeAll, beforeEach, expect, jest, test } from "@jest/globals";
import * as z from "zod";
import { describeReal } from "../support/environment.js";
import { serviceJob } from "../contract/service-job.js";
import { until, type RunningDeploy } from "./running-deploy.js";
import { hostsOf, SimulatedDemo, type Outcome } from "./simulated-demo.js";

jest.setTimeout(600_000);

const GROUP = "broker-0";

/** Work that does not leave before the drain's deadline: a batch job that does not end. */
const STAYS = { ...serviceJob("night", 4), Type: "batch" };

/** One cluster, whose first group is rolled and does not get rid of its work. */
describeReal("A group whose work does not leave", ["terraform"], (real) => {
  let demo: SimulatedDemo;
  let run: RunningDeploy;
  let before: string;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
    await demo.tell("/jobs", STAYS);
  });
  afterAll(() => demo.remove());

  beforeEach(async () => {
    await demo.workspace.rollout(["resume"]);
    before = await demo.workspace.read();
    await demo.prepare(GROUP);
    run = demo.start(GROUP);
    await run.see({ in: "driver", text: /\+\d+s wait-drained:/ });
  });

  const nodes = async (): Promise<string[]> => {
    const [url = ""] = demo.machines.endpoints().nomad.split(",");
    const list = nodeList.parse(await (await fetch(`${url}/v1/nodes`)).json());
    return list
      .filter(({ Name, Status }) => hostsOf(GROUP).includes(Name) && Status === "ready")
      .map(
        ({ Name, Drain, SchedulingEligibility: may }) => `${Name} ${may}${Drain === true ? " drains" : ""}`,
      )
      .sort();
  };

  test("goes back by undo once its run was killed: its drain ends, and nothing is replaced", async () => {
    await run.send("driver", "SIGKILL");
    await run.end();
    await demo.quiet();
    expect(await nodes()).toEqual(["broker-0-0 ineligible drains", "broker-0-1 ineligible drains"]);

    const { exitCode, output } = await demo.workspace.rollout(["undo", GROUP]);

    expect([exitCode, exitCode === 0 ? "" : output]).toEqual([0, ""]);
    expect(output.split("\n").slice(0, 1)).toEqual([
      "broker-0 gate: its drain is ended and nothing is replaced; until it is whole",
    ]);
    expect(output).toContain("the edit was never rolled");
    expect(output.split("\n").at(-1)).toMatch(/is changed; next: nothing has to be rolled for it$/);
    await isAsBefore();
  });

  test("goes back by cancel --undo while its run waits, and nothing is replaced", async () => {
    const cancelled = await demo.workspace.rollout(["cancel", "--undo"]);
    expect([cancelled.exitCode, cancelled.output]).toEqual([0, expect.any(String)]);

    await run.end();

    await isAsBefore();
  });

  test("is replaced whole once one of its machines has left Consul", async () => {
    await run.send("driver", "SIGKILL");
    await run.end();
    await demo.quiet();
    const leave = await fetch(`${demo.machines.get("broker-0-1").consul}/v1/agent/leave`, { method: "PUT" });
    expect(leave.status).toBe(200);

    const { output } = await demo.workspace.rollout(["undo", GROUP]);

    expect(output.split("\n").slice(0, 2)).toEqual([
      "  its drain is not ended, since its machines have to be replaced: broker-0-1 has left or died",
      expect.stringContaining("generation 0 -> 1"),
    ]);
    expect(await nodes()).toEqual(["broker-0-0 ineligible drains", "broker-0-1 ineligible drains"]);
  });

  /** Nothing was made anew, the spec is as it was, and the nodes may get work. */
  async function isAsBefore(): Promise<void> {
    expect(await demo.workspace.read()).toBe(before);
    expect(await nodes()).toEqual(["broker-0-0 eligible", "broker-0-1 eligible"]);
    await until("its work is back", async () => (await demo.outcome(GROUP)).work >= 3);
    const kept: Partial<Outcome> = { made: {}, replaced: [], revisions: {}, touched: [], startedAgain: [] };
    expect(await demo.outcome(GROUP)).toMatchObject(kept);
    await demo.workspace.rollout(["resume"]);
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy" });
  }
});

const nodeList = z.array(
  z.object({
    Name: z.string(),
    Status: z.string(),
    Drain: z.boolean().optional(),
    SchedulingEligibility: z.string(),
  }),
);
