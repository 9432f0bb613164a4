import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LoadBalancer } from "../../../clients/aws/load-balancer.js";
import { withEnvironment } from "../../support/aws-environment.js";
import { AwsQuery } from "../../support/aws-query.js";
import { describeReal } from "../../support/environment.js";
import { startMoto, type Moto } from "../../support/moto.js";
import { failure } from "../../support/refusal.js";

const region = "eu-west-1";

describeReal("Targets of a load balancer, asked of moto", ["moto"], () => {
  let moto: Moto;
  let query: AwsQuery;
  let arn: string;
  let [first, second, third] = ["", "", ""];
  const loadBalancer = new LoadBalancer({ region });

  beforeAll(async () => {
    moto = await startMoto({ region });
    query = new AwsQuery(moto.url, region);
    const { vpcId, subnetIds } = await moto.ec2.createNetwork();
    const run = (): Promise<string> => moto.ec2.run(subnetIds[0]);
    [first, second, third] = [await run(), await run(), await run()];
    arn = await moto.ec2.createTargetGroup("demo-broker", vpcId);
    await register(first);
    await register(second);
  });
  afterAll(() => moto.stop());
  withEnvironment(() => moto.env);

  const register = (id: string, port = "9876") =>
    query.call("elasticloadbalancing", "RegisterTargets", {
      TargetGroupArn: arn,
      "Targets.member.1.Id": id,
      "Targets.member.1.Port": port,
    });

  test("are healthy, also with two ports; who is not registered is gone", async () => {
    await register(second, "9877");
    const healthy = new Map([
      [first, { state: "healthy", reason: "" }],
      [second, { state: "healthy", reason: "" }],
      [third, { state: "gone", reason: "not registered" }],
    ]);
    expect(await loadBalancer.targetStates("demo-broker", [first, second, third])).toEqual(healthy);
  });

  test("one that is deregistered is gone, and the other stays", async () => {
    await query.call("elasticloadbalancing", "DeregisterTargets", {
      TargetGroupArn: arn,
      "Targets.member.1.Id": first,
    });
    const states = await loadBalancer.targetStates("demo-broker", [first, second]);
    expect(states.get(first)).toEqual({ state: "gone", reason: "not registered" });
    expect(states.get(second)).toMatchObject({ state: "healthy" });
  });

  test("one that is not registered is no mistake, and those beside it are deregistered", async () => {
    await register(first);
    await register(second);
    const absent = { TargetGroupArn: arn, "Targets.member.1.Id": third };
    // AWS succeeds here.
    await expect(query.call("elasticloadbalancing", "DeregisterTargets", absent)).rejects.toThrow(
      "InvalidTarget",
    );
    await loadBalancer.deregister("demo-broker", [third, first]);
    await loadBalancer.deregister("demo-broker", [third, first]);
    const states = await loadBalancer.targetStates("demo-broker", [first, second, third]);
    expect([...states.values()].map(({ state }) => state)).toEqual(["gone", "healthy", "gone"]);
  });

  test("refuses a target group that is not there", async () => {
    expect(await failure(loadBalancer.targetStates("demo-other", [first]))).toBe(
      "AWS does not have it: elasticloadbalancing:DescribeTargetGroups: One or more target groups not found; correct the name, the region or the account",
    );
  });
});
