import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import * as z from "zod";
import { serviceJob } from "../contract/service-job.js";
import { describeReal } from "../support/environment.js";
import { rolled, SimulatedDemo } from "./simulated-demo.js";
import { until } from "./running-deploy.js";

jest.setTimeout(600_000);

const GROUP = "broker-0";

/** One cluster, with a job that only one group's machines may have, in a pool whose work moves. */
describeReal("Work that may run nowhere else", ["terraform"], (real) => {
  let demo: SimulatedDemo;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });
  afterAll(() => demo.remove());

  const get = async (path: string): Promise<unknown> => {
    const [url = ""] = demo.machines.endpoints().nomad.split(",");
    return (await fetch(`${url}${path}`)).json();
  };

  test("is refused before anything is ineligible, and rolled once it may run elsewhere", async () => {
    const bound = { LTarget: "${meta.rollout_group}", Operand: "=", RTarget: GROUP };
    await demo.tell("/jobs", { ...serviceJob("report", 1), Constraints: [bound] });
    await until("it runs", async () => {
      const [report] = allocations.parse(await get("/v1/job/report/allocations"));
      return report?.DeploymentStatus?.Healthy === true;
    });
    const image = await demo.prepare(GROUP);

    const refused = await demo.deploy(GROUP);

    expect(refused.exitCode).toBe(1);
    expect(refused.output).toContain(
      [
        "broker-0 cannot be rolled now:",
        "  broker-0: 1 of default/report.g leave, and 0 of 2 other nodes may have it, by constraint ${meta.rollout_group} = broker-0; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays",
      ].join("\n"),
    );
    expect(await demo.outcome(GROUP)).toMatchObject({ made: {}, replaced: [], touched: [], work: 3 });
    const states = nodes.parse(await get("/v1/nodes"));
    expect(states.map(({ SchedulingEligibility: state, Drain }) => [state, Drain])).toEqual(
      states.map(() => ["eligible", false]),
    );

    await demo.tell("/jobs", serviceJob("report", 1));
    expect((await demo.deploy(GROUP)).exitCode).toBe(0);
    expect(await demo.outcome(GROUP)).toEqual(rolled(GROUP, image));
  });
});

const allocations = z.array(z.object({ DeploymentStatus: z.object({ Healthy: z.boolean() }).nullish() }));
const nodes = z.array(z.object({ SchedulingEligibility: z.string(), Drain: z.boolean() }));
