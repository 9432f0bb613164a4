import { EC2Client } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { AwsQuery } from "../support/aws-query.js";
import { describeReal } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { textAt } from "../support/xml.js";
import type { Given } from "./arguments.js";
import { checkGiven } from "./check.js";

describeReal("What is given to the acceptance", ["moto"], () => {
  let moto: Moto;
  let ec2: EC2Client;
  let network: Network;
  let query: AwsQuery;

  beforeAll(async () => {
    moto = await startMoto();
    const credentials = { accessKeyId: "testing", secretAccessKey: "testing" };
    ec2 = new EC2Client({ endpoint: moto.url, region: "eu-west-1", credentials });
    query = new AwsQuery(moto.url, "eu-west-1");
    network = await moto.ec2.createNetwork();
    await moto.ec2.createInstanceProfile("agents");
  });

  afterAll(async () => {
    ec2.destroy();
    await moto.stop();
  });

  const given = (changes: Partial<Given> = {}): Given => ({
    subnetIds: network.subnetIds,
    securityGroupIds: [],
    instanceProfile: "agents",
    images: { plain: ["ami-0aaa", "ami-0bbb"], data: ["ami-0ccc", "ami-0ddd"] },
    ...changes,
  });

  const groupWith = async (vpcId: string, ...ports: readonly number[]): Promise<string> => {
    const parameters = {
      GroupName: `of-${vpcId}-${ports.join("-")}`,
      GroupDescription: "ours",
      VpcId: vpcId,
    };
    const GroupId = textAt(await query.call("ec2", "CreateSecurityGroup", parameters), "groupId");
    for (const port of ports)
      await query.call("ec2", "AuthorizeSecurityGroupIngress", {
        GroupId,
        "IpPermissions.1.IpProtocol": "tcp",
        "IpPermissions.1.FromPort": String(port),
        "IpPermissions.1.ToPort": String(port),
        "IpPermissions.1.IpRanges.1.CidrIp": "10.0.0.0/8",
      });
    return GroupId;
  };

  test("becomes what the spec says of AWS", async () => {
    const securityGroupIds = [await groupWith(network.vpcId, 22), await groupWith(network.vpcId, 8080)];
    expect(await checkGiven(ec2, given({ securityGroupIds }))).toEqual({
      region: "eu-west-1",
      vpcId: network.vpcId,
      subnetIds: network.subnetIds,
      securityGroupIds,
      instanceProfile: "agents",
    });
    expect(await moto.ec2.instances()).toEqual([]);
  });

  test("rejects all that is not there at once", async () => {
    const [first, second] = network.subnetIds;
    const wrong = given({
      subnetIds: [first, second, "subnet-0123"],
      securityGroupIds: ["sg-0123"],
      images: { plain: ["ami-0aaa", "ami-0123"], data: ["ami-0124", "ami-0ddd"] },
    });
    expect(await checkGiven(ec2, wrong)).toEqual([
      "the subnet subnet-0123 is not there",
      "the image ami-0123 is not there",
      "the image ami-0124 is not there",
      "the security group sg-0123 is not there",
    ]);
  });

  test("rejects subnets of two zones and of two networks", async () => {
    const other = await moto.ec2.createNetwork();
    const [first, second] = network.subnetIds;
    const securityGroupIds = [await groupWith(other.vpcId, 22, 8080)];
    const wrong = given({ subnetIds: [first, second, other.subnetIds[0]], securityGroupIds });
    expect(await checkGiven(ec2, wrong)).toEqual([
      "the subnets are in eu-west-1a and eu-west-1b; three zones are needed",
      `the subnets are in ${[network.vpcId, other.vpcId].sort().join(" and ")}; one VPC is needed`,
    ]);
  });

  test("rejects a security group of another network", async () => {
    const { vpcId } = await moto.ec2.createNetwork();
    const group = await groupWith(vpcId, 22, 8080);
    expect(await checkGiven(ec2, given({ securityGroupIds: [group] }))).toEqual([
      `the security group ${group} is in ${vpcId}, the subnets are in ${network.vpcId}`,
    ]);
  });

  test("rejects security groups that let nobody in", async () => {
    const group = await groupWith(network.vpcId, 23);
    expect(await checkGiven(ec2, given({ securityGroupIds: [group] }))).toEqual([
      `no security group of ${group} lets anybody to port 22`,
      `no security group of ${group} lets anybody to port 8080`,
    ]);
  });

  test("rejects what EC2 would not start, with its reason", async () => {
    const securityGroupIds = [await groupWith(network.vpcId, 22, 8080)];
    expect(await checkGiven(ec2, given({ securityGroupIds, instanceProfile: "nobody" }))).toEqual([
      "EC2 would not start a machine: AWS answered NoSuchEntity: ec2:RunInstances: Instance profile nobody not found; see what it says",
    ]);
    expect(await moto.ec2.instances()).toEqual([]);
  });
});
