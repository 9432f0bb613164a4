import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { runLbDrainedHook } from "../../hooks/lb-drained.js";
import type { HookContext } from "../../hooks/hook-context.js";
import { LoadBalancer } from "../../clients/aws/load-balancer.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { withEnvironment } from "../support/aws-environment.js";
import { AwsQuery } from "../support/aws-query.js";
import { describeReal } from "../support/environment.js";
import { localSpec, smallAwsSpec } from "../support/fixtures.js";
import { startMoto, type Moto } from "../support/moto.js";

const region = "eu-west-1";
const GROUP = "demo-broker";

/** Runs the hook on a clock that moves only while it waits. */
async function run(spec: Spec, host: string, whileWaiting: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  let now = 0;
  const context: HookContext = {
    env: process.env,
    folder: ".",
    file: { spec, specFolder: ".", deployed: [] },
    clock: {
      now: () => now,
      pause: async (ms) => {
        now += ms;
        await whileWaiting();
      },
    },
    say: (line) => void lines.push(line.replaceAll(/i-[0-9a-f]+/g, "<id>")),
    onCondition: () => undefined,
    signal: new AbortController().signal,
  };
  await runLbDrainedHook(context, { hook: "lb-drained", subject: host });
  return lines;
}

const nothing = (): Promise<void> => Promise.resolve();

test("a machine that is behind no load balancer has nothing to wait for", async () => {
  expect(await run(localSpec(), "broker-0-0", nothing)).toEqual([
    "broker-0-0: nothing to do: it is behind no load balancer",
  ]);
  expect(await run(smallAwsSpec(), "nomad-server-0-0", nothing)).toEqual([
    "nomad-server-0-0: nothing to do: it is behind no load balancer",
  ]);
});

describeReal("A machine behind a load balancer, asked of moto", ["moto"], () => {
  const spec = smallAwsSpec();
  const balancer = new LoadBalancer({ region });
  let moto: Moto;
  let query: AwsQuery;
  let [arn, id] = ["", ""];

  beforeAll(async () => {
    moto = await startMoto({ region });
    query = new AwsQuery(moto.url, region);
    const { vpcId, subnetIds } = await moto.ec2.createNetwork();
    id = await moto.ec2.run(subnetIds[0], {
      Name: "demo-broker-0-0",
      "rollout:cluster": "demo",
      "rollout:pool": "broker",
      "rollout:group": "broker-0",
    });
    arn = await moto.ec2.createTargetGroup(GROUP, vpcId);
  });
  afterAll(() => moto.stop());
  withEnvironment(() => moto.env);

  beforeEach(async () => {
    await query.call("elasticloadbalancing", "RegisterTargets", {
      TargetGroupArn: arn,
      "Targets.member.1.Id": id,
      "Targets.member.1.Port": "9876",
    });
  });

  test("is waited for until the load balancer has let go of it", async () => {
    expect(await run(spec, "broker-0-0", () => balancer.deregister(GROUP, [id]))).toEqual([
      "+0s   still: <id> is healthy",
      "+5s broker-0-0 is drained at the load balancer",
    ]);
  });

  test("is not waited for once it is gone from EC2", async () => {
    expect(await run(spec, "broker-0-7", nothing)).toEqual([
      "broker-0-7: nothing to do: EC2 has no machine of this name any more",
    ]);
  });

  test("refuses to go on when it is held for longer than connections may last", async () => {
    await expect(run(spec, "broker-0-0", nothing)).rejects.toThrow(
      `broker-0-0 is not drained at the load balancer after 180 s: ${id} is healthy; run it again once it is`,
    );
  });
});
