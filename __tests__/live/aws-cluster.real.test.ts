import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { connect, type LiveCluster } from "../../live/live-cluster.js";
import type { Observation } from "../../rollout/observation/observation.js";
import { withEnvironment } from "../support/aws-environment.js";
import { AwsQuery } from "../support/aws-query.js";
import { describeReal } from "../support/environment.js";
import { smallAwsSpec } from "../support/fixtures.js";
import { startMoto, type Moto } from "../support/moto.js";

const spec = smallAwsSpec();
const region = spec.platform === "aws" ? spec.aws.region : "";

describeReal("A cluster on aws, asked of moto", ["moto"], () => {
  let moto: Moto;
  let query: AwsQuery;
  let subnet: string;
  let live: LiveCluster;
  const id = { old: "", one: "", other: "" };

  beforeAll(async () => {
    moto = await startMoto({ region });
    query = new AwsQuery(moto.url, region);
    const { vpcId, subnetIds } = await moto.ec2.createNetwork();
    subnet = subnetIds[0];
    id.old = await run("broker-0", "broker-0-0");
    await moto.ec2.terminate(id.old);
    id.one = await run("broker-0", "broker-0-0");
    id.other = await run("broker-1", "broker-1-0");
    const arn = await moto.ec2.createTargetGroup(`${spec.name}-broker`, vpcId);
    await query.call("elasticloadbalancing", "RegisterTargets", {
      TargetGroupArn: arn,
      "Targets.member.1.Id": id.one,
      "Targets.member.2.Id": id.other,
    });
  });
  afterAll(() => moto.stop());
  afterEach(() => live.close());
  withEnvironment(() => moto.env);

  test("its machines and targets are seen although neither Consul nor Nomad answer", async () => {
    const seen = await observe("broker-0");
    expect(seen.machines).toEqual(
      expect.arrayContaining([
        { host: "broker-0-0", id: id.old, image: "ami-0aaa", state: "terminated" },
        { host: "broker-0-0", id: id.one, image: "ami-0aaa", state: "running" },
        { host: "broker-1-0", id: id.other, image: "ami-0aaa", state: "running" },
      ]),
    );
    expect(seen.targets).toEqual([{ host: "broker-0-0", state: "healthy" }]);
    expect(seen.consul.members).toMatchObject({ unknown: expect.stringContaining("did not answer") });
  });

  test("a pool without a load balancer has no targets", async () => {
    expect((await observe("consul-server-0")).targets).toEqual([]);
  });

  test("a group is taken out of the load balancer, and the others stay in it", async () => {
    live = await connected();
    await live.balance("deregister", ["broker-0-0"]);
    await live.close();
    expect((await observe("broker-0")).targets).toEqual([]);
    await live.close();
    expect((await observe("broker-1")).targets).toEqual([{ host: "broker-1-0", state: "healthy" }]);
  });

  test("a group is put in again, with the machines that run", async () => {
    live = await connected();
    await live.balance("register", ["broker-0-0"]);
    await live.balance("register", ["consul-server-0-0"]);
    await live.close();
    expect((await observe("broker-0")).targets).toEqual([{ host: "broker-0-0", state: "healthy" }]);
  });

  test("a machine of the group whose name does not fit makes its machines unknown, and its targets", async () => {
    const odd = await run("broker-2", "broker-0-9");
    const { machines, targets } = await observe("broker-2");
    const why = `EC2 has machines of broker-2 whose tag Name does not fit: ${odd}; give them the tag that Terraform gave, or end them`;
    expect(machines).toEqual({ unknown: why });
    expect(targets).toEqual({ unknown: `which machines to ask about is not known: ${why}` });
    await live.close();
    expect((await observe("broker-1")).machines).not.toHaveProperty("unknown");
  });

  const connected = (): Promise<LiveCluster> =>
    connect(spec, { CONSUL_HTTP_ADDR: "http://127.0.0.1:1", NOMAD_ADDR: "http://127.0.0.1:1" });

  async function observe(group: string): Promise<Observation> {
    live = await connected();
    const role = group.startsWith("consul-server") ? "consul-server" : "client";
    return live.observe({ group, role, agentsOf: [], checks: [] });
  }

  const run = (group: string, host: string): Promise<string> =>
    moto.ec2.run(subnet, {
      Name: `${spec.name}-${host}`,
      "rollout:cluster": spec.name,
      "rollout:group": group,
    });
});
