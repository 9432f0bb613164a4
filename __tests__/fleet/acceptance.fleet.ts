import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { AwsQuery } from "../support/aws-query.js";
import { describeReal } from "../support/environment.js";
import { elementsAt, textAt } from "../support/xml.js";
import { Fleet } from "./fleet.js";
import { until } from "./until.js";

/** `npm run acceptance:aws` as its users run it, but for AWS: that is moto, and the machines are the fleet's. */
describeReal(
  "The acceptance in an account, one test after another",
  ["terraform", "aws", "null", "moto", "consul", "nomad", "sshd", "fleet"],
  () => {
    let fleet: Fleet;
    let given: string[];

    beforeAll(async () => {
      fleet = await Fleet.start();
      const { subnetIds, vpcId, instanceProfile = "" } = await fleet.settings();
      const { plain, data } = fleet.images;
      given = [
        ...["--subnets", subnetIds.join(), "--security-groups", await openGroup(fleet, vpcId)],
        ...["--instance-profile", instanceProfile],
        ...["--images", plain.join(), "--data-images", data.join()],
      ];
    });

    afterAll(async () => {
      await fleet.stop();
      expect(fleet.failures).toEqual([]);
    });

    const start = (words: readonly string[], input = "") =>
      execa(process.execPath, ["__tests__/acceptance/start.mjs", ...words], {
        env: { ...fleet.env, NODE_OPTIONS: "" },
        input,
        all: true,
        reject: false,
      });

    test("names price and minutes, and makes nothing without a yes", async () => {
      const { exitCode, all } = await start(given, "no\n");
      expect(all).toContain("about 60 minutes");
      expect(all).toContain("about 0.50 USD");
      expect({ exitCode, last: all.trim().split("\n").at(-1) }).toEqual({
        exitCode: 1,
        last: "nothing was done",
      });
      expect(await leftIn(fleet)).toEqual([]);
    });

    test("takes down what it has made when it is stopped in the middle", async () => {
      const running = start([...given, "--yes"]);
      await meanwhile(
        running,
        until("three machines are up", () => fleet.machines().length >= 3),
      );
      running.kill("SIGINT");
      const { exitCode, all } = await running;
      expect({ exitCode, all: exitCode === 130 ? "" : all }).toEqual({ exitCode: 130, all: "" });
      expect(all).toMatch(/^taken down: \d+ instances?, /m);
      expect(await leftIn(fleet)).toEqual([]);
    }, 600_000);

    test("takes down by a call of its own what a run left that was killed", async () => {
      const running = start([...given, "--yes"]);
      await meanwhile(
        running,
        until("a machine is up", () => fleet.machines().length > 0),
      );
      running.kill("SIGKILL");
      await running;
      const again = await start([...given, "--yes"]);
      expect({ exitCode: again.exitCode, all: again.all }).toEqual({
        exitCode: 2,
        all: expect.stringMatching(
          /^an earlier run left \d+ .*; npm run acceptance:aws -- --down takes them down$/,
        ),
      });
      const { exitCode, all } = await start(["--down"], "yes\n");
      expect({ exitCode, all: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, all: "" });
      expect(await leftIn(fleet)).toEqual([]);
    }, 600_000);

    test("creates the cluster, rolls a group, prints the table and leaves nothing", async () => {
      const { exitCode, all } = await start([...given, "--yes", "--only", "data volume"]);
      expect({ exitCode, all: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, all: "" });
      expect(all).toMatch(/^\| create from nothing, with ACLs \| \d+ \|/m);
      expect(all).toMatch(/^\| group with data volume and load balancer \| \d+ \| \d+ \| 0 \|/m);
      expect(all).toMatch(/^taken down: 12 instances, /m);
      expect(await leftIn(fleet)).toEqual([]);
    }, 1_500_000);
  },
);

/** What is waited for comes while this runs, or it says why not. */
async function meanwhile(
  running: Promise<{ readonly all: string }>,
  coming: Promise<unknown>,
): Promise<void> {
  const ended = running.then(({ all }): never => {
    throw new Error(all);
  });
  ended.catch(() => undefined);
  await Promise.race([coming, ended]);
}

/** All that moto has, but for what was given. */
async function leftIn({ moto }: Fleet): Promise<readonly string[]> {
  const query = new AwsQuery(moto.url, "eu-west-1");
  const [groups, balancers, targets] = [
    await query.call("ec2", "DescribeSecurityGroups"),
    await query.call("elasticloadbalancing", "DescribeLoadBalancers"),
    await query.call("elasticloadbalancing", "DescribeTargetGroups"),
  ];
  return [
    ...(await moto.ec2.instances()).map(({ id }) => id),
    ...(await moto.ec2.volumes()).map(({ id }) => id),
    ...elementsAt(groups, "securityGroupInfo", "item")
      .map((group) => textAt(group, "groupName"))
      .filter((name) => name !== "default" && name !== "open"),
    ...elementsAt(balancers, "DescribeLoadBalancersResult", "LoadBalancers", "member").map((each) =>
      textAt(each, "LoadBalancerName"),
    ),
    ...elementsAt(targets, "DescribeTargetGroupsResult", "TargetGroups", "member").map((each) =>
      textAt(each, "TargetGroupName"),
    ),
    ...(await fleetParameters(moto.url)),
  ];
}

async function fleetParameters(url: string): Promise<readonly string[]> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization:
        "AWS4-HMAC-SHA256 Credential=testing/20200101/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=none",
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AmazonSSM.DescribeParameters",
    },
    body: "{}",
  });
  const { Parameters } = (await response.json()) as {
    readonly Parameters: readonly { readonly Name: string }[];
  };
  return Parameters.map(({ Name }) => Name);
}

/** A group that lets everybody to every port. */
async function openGroup({ moto }: Fleet, VpcId: string): Promise<string> {
  const query = new AwsQuery(moto.url, "eu-west-1");
  const made = await query.call("ec2", "CreateSecurityGroup", {
    GroupName: "open",
    GroupDescription: "open",
    VpcId,
  });
  const GroupId = textAt(made, "groupId");
  await query.call("ec2", "AuthorizeSecurityGroupIngress", {
    GroupId,
    "IpPermissions.1.IpProtocol": "-1",
    "IpPermissions.1.IpRanges.1.CidrIp": "0.0.0.0/0",
  });
  return GroupId;
}
