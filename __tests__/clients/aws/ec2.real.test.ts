import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Ec2Machines } from "../../../clients/aws/ec2.js";
import { withEnvironment } from "../../support/aws-environment.js";
import { AwsQuery } from "../../support/aws-query.js";
import { describeReal } from "../../support/environment.js";
import { startMoto, type Moto } from "../../support/moto.js";
import { failure } from "../../support/refusal.js";
import { textAt } from "../../support/xml.js";

const region = "eu-west-1";

describeReal("Machines, asked of moto", ["moto"], () => {
  let moto: Moto;
  let query: AwsQuery;
  let subnet: string;
  const machines = new Ec2Machines({ region });

  beforeAll(async () => {
    moto = await startMoto({ region });
    query = new AwsQuery(moto.url, region);
    subnet = (await moto.ec2.createNetwork()).subnetIds[0];
  });
  afterAll(() => moto.stop());
  withEnvironment(() => moto.env);

  test("are found by cluster and group, and no other with a name that begins alike", async () => {
    const id = await run("demo", "broker-0", "demo-broker-0-0");
    await run("demo", "broker-1", "demo-broker-1-0");
    await run("demo-2", "broker-0", "demo-2-broker-0-0");
    await run("demo*", "broker-0", "demo*-broker-0-0");
    const found = await machines.find("demo", { group: "broker-0" });
    expect(found).toEqual([
      {
        host: "broker-0-0",
        group: "broker-0",
        instanceId: id,
        image: "ami-0aaa",
        state: "running",
        privateIp: expect.stringMatching(/^10\.0\.0\.\d+$/),
        launchTime: expect.anything(),
        volumes: [expect.stringMatching(/^vol-/)],
      },
    ]);
    expect(found[0]?.launchTime?.getTime()).toBeGreaterThan(0);
    expect((await machines.find("demo")).map(({ host }) => host)).toEqual(["broker-0-0", "broker-1-0"]);
    expect(await machines.find("demo*")).toMatchObject([{ host: "broker-0-0", group: "broker-0" }]);
  });

  test("that are terminated are left out, if they are not asked for", async () => {
    const old = await run("gone", "broker-0", "gone-broker-0-0");
    await moto.ec2.terminate(old);
    const id = await run("gone", "broker-0", "gone-broker-0-0");
    expect((await machines.find("gone")).map(({ instanceId }) => instanceId)).toEqual([id]);
    const all = await machines.find("gone", { terminated: true });
    expect(new Map(all.map(({ instanceId, state }) => [instanceId, state]))).toEqual(
      new Map([
        [old, "terminated"],
        [id, "running"],
      ]),
    );
  });

  test("with a name that does not fit their group have no host", async () => {
    await run("odd", "broker-0", "odd-broker-1-0");
    expect(await machines.find("odd")).toMatchObject([{ host: undefined, group: "broker-0" }]);
  });

  test("refuses credentials that may not look, and names what they lack", async () => {
    await query.call("iam", "CreateUser", { UserName: "reader" });
    const key = await query.call("iam", "CreateAccessKey", { UserName: "reader" });
    const path = ["CreateAccessKeyResult", "AccessKey"] as const;
    const own = {
      AWS_ACCESS_KEY_ID: textAt(key, ...path, "AccessKeyId"),
      AWS_SECRET_ACCESS_KEY: textAt(key, ...path, "SecretAccessKey"),
    };
    await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: "0" });
    Object.assign(process.env, own);
    try {
      const message = await failure(new Ec2Machines({ region }).find("demo"));
      expect(message).toBe(
        "AWS does not allow it: ec2:DescribeInstances: User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ec2:DescribeInstances; allow ec2:DescribeInstances to who runs this",
      );
      process.env["AWS_ACCESS_KEY_ID"] = "AKIAUNKNOWN";
      const unknown = await failure(new Ec2Machines({ region }).find("demo"));
      expect(unknown).toMatch(/^AWS does not take the credentials: /);
      expect(unknown).not.toContain(own.AWS_SECRET_ACCESS_KEY);
    } finally {
      Object.assign(process.env, moto.env);
      await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: "Infinity" });
    }
  });

  const run = (cluster: string, group: string, name: string): Promise<string> =>
    moto.ec2.run(subnet, {
      Name: name,
      "rollout:cluster": cluster,
      "rollout:group": group,
      "rollout:template-hash": "0123abcd",
    });
});
