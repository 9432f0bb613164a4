import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { AwsQuery } from "../support/aws-query.js";
import { describeReal } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import { elementsAt, textAt } from "../support/xml.js";
import { Parameters } from "./parameters.js";
import { type Clients, findTagged, takeDown } from "./take-down.js";

describeReal("What has a tag", ["moto"], () => {
  let moto: Moto;
  let clients: Clients;
  let query: AwsQuery;

  beforeAll(async () => {
    moto = await startMoto();
    const credentials = { accessKeyId: "testing", secretAccessKey: "testing" };
    const settings = { endpoint: moto.url, region: "eu-west-1", credentials };
    clients = {
      ec2: new EC2Client(settings),
      loadBalancing: new ElasticLoadBalancingV2Client(settings),
    };
    query = new AwsQuery(moto.url, "eu-west-1");
    process.env["AWS_ENDPOINT_URL"] = moto.url;
  });

  afterAll(async () => {
    delete process.env["AWS_ENDPOINT_URL"];
    clients.ec2.destroy();
    clients.loadBalancing.destroy();
    await moto.stop();
  });

  test("is taken down, whatever it is, and what is another's stays", async () => {
    await makeOneOfEach("ours");
    await makeOneOfEach("others");
    const others = await namesOf("others");
    expect(await namesOf("ours")).toEqual([
      "instance",
      "load balancer",
      "target group",
      "volume",
      "security group",
      "security group",
      "parameter /rollout/ours/all",
    ]);
    const pause = () => Promise.resolve();
    const find = () => findTagged(clients, "ours");
    const said: string[] = [];
    expect(await takeDown(find, { minutes: 0.5, pause, say: (line) => said.push(line) })).toEqual([]);
    expect(said.at(-1)).toBe(
      "taken down: 1 instance, 1 load balancer, 1 target group, 1 volume, 2 security groups, 1 parameter",
    );
    expect(await namesOf("ours")).toEqual([]);
    expect(await namesOf("others")).toEqual(others);
  });

  const namesOf = async (cluster: string): Promise<readonly string[]> =>
    (await findTagged(clients, cluster)).map(({ kind, id }) =>
      kind === "parameter" ? `${kind} ${id}` : kind,
    );

  /** Two security groups, whose rules name each other. */
  async function makeOneOfEach(cluster: string): Promise<void> {
    const { vpcId, subnetIds } = await moto.ec2.createNetwork();
    await moto.ec2.run(subnetIds[0], { "rollout:cluster": cluster });
    const tagged = (type: string) => ({
      "TagSpecification.1.ResourceType": type,
      "TagSpecification.1.Tag.1.Key": "rollout:cluster",
      "TagSpecification.1.Tag.1.Value": cluster,
    });
    const Tags = { "Tags.member.1.Key": "rollout:cluster", "Tags.member.1.Value": cluster };
    await query.call("ec2", "CreateVolume", {
      Size: "1",
      AvailabilityZone: "eu-west-1a",
      ...tagged("volume"),
    });
    const groups = [];
    for (const name of [`${cluster}-one`, `${cluster}-two`]) {
      const made = await query.call("ec2", "CreateSecurityGroup", {
        GroupName: name,
        GroupDescription: name,
        VpcId: vpcId,
        ...tagged("security-group"),
      });
      groups.push(textAt(made, "groupId"));
    }
    const [one = "", two = ""] = groups;
    for (const [GroupId, other, action] of [
      [one, two, "AuthorizeSecurityGroupIngress"],
      [two, one, "AuthorizeSecurityGroupEgress"],
    ] as const)
      await query.call("ec2", action, {
        GroupId,
        "IpPermissions.1.IpProtocol": "tcp",
        "IpPermissions.1.FromPort": "9876",
        "IpPermissions.1.ToPort": "9876",
        "IpPermissions.1.Groups.1.GroupId": other,
      });
    await query.call("elasticloadbalancing", "CreateLoadBalancer", {
      Name: cluster,
      Type: "network",
      "Subnets.member.1": subnetIds[0],
      ...Tags,
    });
    await query.call("elasticloadbalancing", "CreateTargetGroup", {
      Name: cluster,
      Protocol: "TCP",
      Port: "9876",
      VpcId: vpcId,
      ...Tags,
    });
    await new Parameters(clients.ec2).put(`/rollout/${cluster}/all`, "{}", cluster);
    const found = await query.call("ec2", "DescribeSecurityGroups");
    expect(elementsAt(found, "securityGroupInfo", "item").length).toBeGreaterThan(1);
  }
});
