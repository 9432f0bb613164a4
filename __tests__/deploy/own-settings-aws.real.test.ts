import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { exampleWith } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { startMoto, type Moto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { elementsAt, textAt } from "../support/xml.js";
import { changedMachines, lookAt, query } from "./cloud.js";
import { Workspace } from "./workspace.js";

const HOOKS_STAND_IN = new URL("../support/hooks-stand-in.mjs", import.meta.url).href;

const OWN = "#!/bin/sh\necho ${HOME} %{x}\n";

describeReal(
  "What a group of machines on AWS has of its own, one test after another",
  ["terraform", "aws", "null", "moto"],
  (real) => {
    let moto: Moto;
    let demo: Workspace;
    let securityGroup = "";

    beforeAll(async () => {
      moto = await startMoto();
      const network = await moto.ec2.createNetwork();
      await moto.ec2.createInstanceProfile("demo-agents");
      await moto.ec2.createInstanceProfile("demo-brokers");
      await moto.ec2.createKeyPair("ops");
      const parameters = { GroupName: "brokers", GroupDescription: "brokers", VpcId: network.vpcId };
      securityGroup = textAt(await query(moto).call("ec2", "CreateSecurityGroup", parameters), "groupId");
      demo = await Workspace.create(real, specIn(network), {
        ...moto.env,
        NODE_OPTIONS: `--import=${HOOKS_STAND_IN}`,
      });
      await writeFile(join(demo.folder, "own.sh"), OWN);
      await demo.roll("cluster");
    });

    afterAll(async () => {
      await moto.stop();
      await demo.remove();
    });

    /** What EC2 says of a machine. */
    const machine = async (name: string) => {
      const id = (await lookAt(moto)).machines[name]?.id ?? "";
      const answer = await query(moto).call("ec2", "DescribeInstances", { "InstanceId.1": id });
      const [found] = elementsAt(answer, "reservationSet", "item", "instancesSet", "item");
      if (!found) throw new Error(`no machine ${name}`);
      const attribute = { InstanceId: id, Attribute: "userData" };
      const told = await query(moto).call("ec2", "DescribeInstanceAttribute", attribute);
      return {
        profile: textAt(found, "iamInstanceProfile", "arn").replace(/.*\//, ""),
        securityGroups: elementsAt(found, "groupSet", "item").map((group) => textAt(group, "groupId")),
        userData: Buffer.from(textAt(told, "userData", "value"), "base64").toString(),
      };
    };

    test("a change of it rolls that group alone", async () => {
      const before = await lookAt(moto);
      await demo.edit([
        "    hosts: [1, 1, 1]",
        [
          "    hosts: [1, 1, 1]",
          "    instanceProfiles: [null, demo-brokers, null]",
          `    securityGroupIds: [[], [${securityGroup}], []]`,
          "    tags: [{}, { team: data }, {}]",
          "    userData: [null, own.sh, null]",
        ].join("\n"),
      ]);
      const review = await demo.rollout(["review"]);
      expect([review.exitCode, review.output]).toEqual([
        0,
        expect.stringContaining("instanceProfile none -> demo-brokers"),
      ]);
      const planned = await demo.rollout(["plan", "broker-1"]);
      expect([planned.exitCode, planned.output]).toEqual([
        0,
        expect.stringContaining("broker-1: 1 machine is replaced"),
      ]);

      const run = await demo.roll("broker-1");

      const after = await lookAt(moto);
      expect(changedMachines(before, after)).toEqual(["broker-1-0"]);
      expect(run.hooks.filter((hook) => hook.includes("stand-in for: hook leave ")).length).toBe(1);
      expect(after.volumes["broker-1-0-data"]?.id).toBe(before.volumes["broker-1-0-data"]?.id);
      expect(after.machines["broker-1-0"]?.tags).toMatchObject({ team: "data", "rollout:group": "broker-1" });
      const { profile, securityGroups, userData } = await machine("broker-1-0");
      expect([profile, securityGroups.includes(securityGroup), securityGroups.length]).toEqual([
        "demo-brokers",
        true,
        2,
      ]);
      expect(userData).toContain(OWN);
      expect(await machine("broker-0-0")).toMatchObject({ profile: "demo-agents" });
    });

    test("a second plan has nothing to do", async () => {
      await demo.synth({ ROLLOUT_GROUP: "broker-1" });
      expect((await demo.terraform("broker-1", ["plan"])).planned).toEqual([]);
    });

    test("refuses two groups that change, and a plan of machines that are not as the group's own", async () => {
      const spec = await demo.read();
      await demo.edit(["tags: [{}, { team: data }, {}]", "tags: [{ a: b }, { team: web }, {}]"]);
      const both = await demo.synth();
      expect([both.exitCode, both.output]).toEqual([
        1,
        expect.stringContaining("2 groups are pending, one may be"),
      ]);
      await demo.write(spec);
      await demo.edit(["tags: [{}, { team: data }, {}]", "tags: [{ a: b }, { team: data }, {}]"]);
      await demo.synth();
      await demo.tamper("broker-0", ({ resource }) => {
        const host = resource["aws_instance"]?.["broker-0-0"];
        if (host) Object.assign(host, { tags: { ...(host["tags"] as object), a: "c" } });
      });
      await demo.terraformText("broker-0", ["plan", "-out=plan"]);
      const shown = await demo.terraformText("broker-0", ["show", "-json", "plan"]);
      await writeFile(join(demo.folder, "plan.json"), shown.output);
      const judged = await demo.rollout(["check", join(demo.folder, "plan.json")]);
      expect([judged.exitCode, judged.output]).toEqual([
        1,
        expect.stringContaining("aws_instance.broker-0-0 (other tags)"),
      ]);
      await demo.write(spec);
    });

    test("larger and faster volumes are changed in place, and those of no other group", async () => {
      const before = await lookAt(moto);
      await demo.edit([
        "      - { sizeGib: 100, type: gp3 }",
        "      - { sizeGib: 200, type: gp3, iops: 6000, throughput: 500 }",
      ]);
      const planned = await demo.rollout(["plan", "broker-0"]);
      expect([planned.exitCode, planned.output]).toEqual([
        0,
        expect.stringContaining("broker-0: volume 100 -> 200 GiB\nbroker-0: iops 3000 -> 6000"),
      ]);

      const run = await demo.roll("broker-0");

      const after = await lookAt(moto);
      expect(run.planned).toEqual(["update aws_ebs_volume.broker-0-0-data"]);
      expect(run.hooks).toEqual([]);
      expect(changedMachines(before, after)).toEqual([]);
      expect(after.volumes["broker-0-0-data"]).toEqual({
        ...before.volumes["broker-0-0-data"],
        sizeGib: 200,
      });
      expect(after.volumes["broker-1-0-data"]).toEqual(before.volumes["broker-1-0-data"]);
      // The view cluster has what moto says of a security group's rules.
      for (const view of ["broker-0", "broker-1"]) {
        await demo.synth({ ROLLOUT_GROUP: view });
        expect([view, (await demo.terraform(view, ["plan"])).planned]).toEqual([view, []]);
      }
    });

    longTest("refuses a smaller volume, and a plan that changes those of two groups", async () => {
      const spec = await demo.read();
      await demo.edit(["sizeGib: 200", "sizeGib: 150"]);
      const smaller = await demo.rollout(["plan", "broker-0"]);
      expect([smaller.exitCode, smaller.output]).toEqual([
        1,
        expect.stringContaining(
          "data volumes cannot be made smaller: aws_ebs_volume.broker-0-0-data (200 -> 150 GiB)",
        ),
      ]);
      await demo.write(spec);
      await demo.edit(["iops: 6000", "iops: 7000"]);
      await demo.synth();
      await demo.tamper("broker-0", ({ resource }) => {
        const volume = resource["aws_ebs_volume"]?.["broker-2-0-data"];
        if (volume) Object.assign(volume, { iops: 7000, lifecycle: { prevent_destroy: true } });
      });
      await demo.terraformText("broker-0", ["plan", "-out=plan"]);
      const shown = await demo.terraformText("broker-0", ["show", "-json", "plan"]);
      await writeFile(join(demo.folder, "plan.json"), shown.output);
      const judged = await demo.rollout(["check", join(demo.folder, "plan.json")]);
      expect([judged.exitCode, judged.output]).toEqual([
        1,
        expect.stringContaining("2 groups would change in one plan"),
      ]);
      expect(judged.output).toContain("aws_ebs_volume.broker-2-0-data (100 GiB gp3 iops 3000");
      await demo.write(spec);
    });

    longTest("an undo brings the machine that it had", async () => {
      const { exitCode, output } = await demo.rollout(["undo", "broker-1"]);
      expect([exitCode, output]).toEqual([0, expect.stringContaining("tags team=data -> none")]);
      const before = await lookAt(moto);
      await demo.roll("broker-1");
      expect(changedMachines(before, await lookAt(moto))).toEqual(["broker-1-0"]);
      const { profile, securityGroups, userData } = await machine("broker-1-0");
      expect([profile, securityGroups.length, userData.includes(OWN)]).toEqual(["demo-agents", 1, false]);

      const back = await demo.rollout(["undo", "broker-1"]);
      expect(back.exitCode).toBe(0);
      for (const own of ["demo-brokers", securityGroup, '"team":"data"', "own.sh"])
        expect(await demo.read()).toContain(own);
    });
  },
);

/** Servers and brokers of the example, in a network that exists. Moto starts no machine whose root device has no size. */
function specIn({ vpcId, subnetIds }: Network): string {
  return exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    ["instanceProfile: demo-agents", "instanceProfile: demo-agents\n  providerVersion: 5.100.0"],
    ["hosts: [3, 3, 3]", "hosts: [1, 1, 1]"],
  )
    .replace(/^ {2}name-server:\n(?: {4}.*\n)*/m, "")
    .replace(/^ {4}images: .*$/gm, "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]");
}
