import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { ViewPlanner, type ViewPlan } from "../../driver/plan-view.js";
import { deployCluster } from "../../driver/deploy-cluster.js";
import { inRun } from "../../driver/run.js";
import { realClock } from "../../clients/clock.js";
import { withDead } from "../../cluster/deployed.js";
import { isAsRecorded } from "../../program/as-recorded.js";
import { loadProgram, type Program } from "../../program/program.js";
import { refuseStrays } from "../../program/strays.js";
import { change, poolOf, withGroup } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { exampleWith } from "../cluster/yaml/example.js";
import { withEnvironment } from "../support/aws-environment.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { startMoto, type Moto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { lookAt, query } from "./cloud.js";
import { idsOf } from "./state-file.js";
import { QUIET_HOOKS, Workspace } from "./workspace.js";

const HOOKS_STAND_IN = new URL("../support/hooks-stand-in.mjs", import.meta.url).href;

describeReal(
  "How the driver plans a group on AWS, one test after another",
  ["terraform", "aws", "null", "moto"],
  (real) => {
    let moto: Moto;
    let demo: Workspace;

    beforeAll(async () => {
      moto = await startMoto();
      const network = await moto.ec2.createNetwork();
      await moto.ec2.createInstanceProfile("demo-agents");
      await moto.ec2.createKeyPair("ops");
      demo = await Workspace.create(real, specIn(network), {
        ...moto.env,
        NODE_OPTIONS: `--import=${HOOKS_STAND_IN}`,
      });
      await demo.with(QUIET_HOOKS).roll("cluster");
      await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    });
    withEnvironment(() => moto.env);

    afterAll(async () => {
      await moto.stop();
      await demo.remove();
    });

    const env = (): Record<string, string> => ({
      ...real.env,
      ...moto.env,
      CLUSTER: demo.specFile,
      CDKTF_OUTDIR: demo.output,
    });

    /** @param dead the ids of machines that were seen dead */
    const plan = (name = "broker-0", ...dead: string[]): Promise<ViewPlan> => {
      const run = { env: env(), folder: demo.folder, stop: new AbortController().signal };
      const load = async (): Promise<Program> => {
        const program = await loadProgram(env());
        const { platform } = program.spec;
        return { ...program, deployed: withDead(program.deployed, { name, platform, ids: new Set(dead) }) };
      };
      return new ViewPlanner(run, name, load).plan("closed");
    };

    const terminate = async (name: string): Promise<string> => {
      const id = (await lookAt(moto)).machines[name]?.id ?? "";
      await moto.ec2.terminate(id);
      return id;
    };

    test("lets Terraform look at the machines only where EC2 has them otherwise than the state", async () => {
      const program = await loadProgram(env());
      const { machines, volumes } = await lookAt(moto);
      const id = machines["broker-1-0"]?.id ?? "";
      const volume = { VolumeId: volumes["broker-1-0-data"]?.id ?? "", InstanceId: id, Device: "/dev/sdf" };
      const isSo = () => isAsRecorded(program, "broker-1");
      const ec2 = (action: string, parameters: Record<string, string>) =>
        query(moto).call("ec2", action, parameters);
      // Whoever looks sees it.
      await ec2("CreateTags", { "ResourceId.1": id, "Tag.1.Key": "by", "Tag.1.Value": "hand" });
      const { serial } = await demo.state();
      expect(await isSo()).toBe(true);
      expect((await plan("broker-1")).result.verdict).toBe("accepted");
      expect((await demo.state()).serial).toBe(serial);

      await ec2("DetachVolume", volume);
      expect(await isSo()).toBe(false);
      await ec2("AttachVolume", volume);
      expect(await isSo()).toBe(true);
      // What somebody has made of a volume meanwhile is looked at before that is changed.
      const larger = change(program.spec, (edited) => {
        const { dataVolumes } = poolOf(edited, "broker");
        if (dataVolumes) dataVolumes[1] = { sizeGib: 500, type: "gp3" };
      });
      expect(await isAsRecorded({ ...program, spec: larger }, "broker-1")).toBe(false);
      const deployed = withGroup(program.deployed, "broker-1", { hosts: [] });
      expect(await isAsRecorded({ ...program, deployed }, "broker-1")).toBe(false);

      await ec2("StopInstances", { "InstanceId.1": id });
      expect(await isSo()).toBe(false);
      await plan("broker-1");
      expect((await demo.state()).serial).toBeGreaterThan(serial);
      await ec2("StartInstances", { "InstanceId.1": id });
    });

    test("plans a group without a look at any other machine, not even at the Consul servers", async () => {
      const gone = await terminate("consul-server-2-0");

      const { result, summary } = await plan();

      expect(result.verdict).toBe("accepted");
      expect(hostsIn(summary)).toEqual([
        "replace aws_instance.broker-0-0",
        "replace aws_instance.broker-0-1",
      ]);
      expect(idsOf(await demo.state()).get("aws_instance.consul-server-2-0")).toBe(gone);
    });

    longTest.each([
      ["broker-2", 1],
      ["consul-server-1", 10],
    ])("replaces a machine of %s that was seen dead, and tells %i machines of it", async (name, told) => {
      const id = idsOf(await demo.state()).get(`aws_instance.${name}-0`) ?? "";

      const { result, summary } = await plan(name, id);

      expect(result.violations).toEqual([]);
      expect(hostsIn(summary)).toEqual([`replace aws_instance.${name}-0`]);
      const hooks = summary.changes.filter(({ address }) => address.endsWith("-config-consul"));
      expect(hooks.length).toBe(told);
      expect(summary.changes.filter(({ address }) => /-(leave|data)$/.test(address))).toEqual([]);
    });

    test("refuses an image that does not exist before anything leaves; set image and plan warn of it", async () => {
      const why =
        "broker-1: EC2 has no image ami-0bad in eu-west-1 for this account; correct the spec or the account";
      const before = await lookAt(moto);

      const set = await demo.rollout(["set", "image", "broker-0=ami-0aaa", "broker-1=ami-0bad"]);
      const planned = await demo.rollout(["plan", "broker-1"]);
      const deployed = await demo.rollout(["deploy", "broker-1", "--yes", "--confirm", "broker-1"]);
      await demo.rollout(["set", "image", "broker-1=ami-0aaa", "broker-0=ami-0bbb"]);

      expect([set.exitCode, set.output]).toEqual([0, expect.stringContaining(`warning: ${why}`)]);
      expect(planned.output).toContain(`warning: ${why}`);
      expect([deployed.exitCode, deployed.output]).toEqual([
        1,
        expect.stringContaining(
          `broker-1 cannot be rolled now, since no machine of it could be made:\n  ${why}`,
        ),
      ]);
      expect(deployed.output).not.toContain("leave");
      expect(await lookAt(moto)).toEqual(before);
    });

    longTest("takes a data volume back by the command that it names, which the state has lost", async () => {
      const address = "aws_ebs_volume.broker-1-0-data";
      const id = (await lookAt(moto)).volumes["broker-1-0-data"]?.id ?? "";
      // It is done where a view lies that was made before.
      await demo.synth();
      expect(await demo.terraformText("cluster", ["state", "rm", address])).toMatchObject({ exitCode: 0 });
      const refused = await demo.rollout(["plan", "broker-1"]);
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.output).toContain(`machines have data volumes that the state does not hold: ${address}`);
      expect(refused.output).toMatch(/take each back with: terraform -chdir=\S+ import ADDRESS ID;/);

      expect(await demo.terraformText("cluster", ["import", address, id])).toMatchObject({ exitCode: 0 });

      expect((await demo.rollout(["plan", "broker-1"])).output).not.toContain(address);
    });

    test("finds that a machine of the group itself was terminated outside", async () => {
      const id = await terminate("broker-0-1");

      const { result, summary } = await plan("broker-0", id);

      expect(result.verdict).toBe("accepted");
      expect(hostsIn(summary)).toEqual(["replace aws_instance.broker-0-0", "create aws_instance.broker-0-1"]);
    });

    test("refuses a roll and a plan beside the group's machine that no state knows, and tells of no other group's", async () => {
      const { machines } = await lookAt(moto);
      const state = await demo.state();
      const lost = ["broker-0-0", "broker-1-0"];
      await demo.putState({
        ...state,
        resources: state.resources.filter(({ name }) => !lost.includes(name)),
      });

      const program = await loadProgram(env());
      const [id, other] = lost.map((name) => String(machines[name]?.id));
      expect(withoutDetails(await failure(refuseStrays(program, "broker-0")))).toBe(
        `broker-0 has ${STRAYS}:\n  ${howToEnd(id, "broker-0-0")}`,
      );
      const before = await lookAt(moto);
      for (const args of [
        ["deploy", "broker-0", "--yes", "--confirm", "broker-0"],
        ["plan", "broker-0"],
      ]) {
        const { exitCode, output } = await demo.rollout(args);
        expect([exitCode, output.includes(`--instance-ids ${String(id)}`)]).toEqual([1, true]);
        expect(output).not.toContain(other);
      }
      expect(await lookAt(moto)).toEqual(before);
    });

    test("refuses the view cluster beside such a machine of any group, and leaves alone what is of none", async () => {
      const { machines } = await lookAt(moto);
      const { subnetId = "" } = (await moto.ec2.instances())[0] ?? {};
      await moto.ec2.run(subnetId, { "rollout:cluster": "demo", Name: "demo-bastion" });
      const strays = ["broker-0-0", "broker-1-0"].map((name) => howToEnd(machines[name]?.id, name));
      const refusal = [`demo has ${STRAYS}:`, ...strays].join("\n  ");

      const { exitCode, output } = await demo.rollout(["plan", "cluster"]);
      expect([exitCode, withoutDetails(output)]).toEqual([1, refusal]);
      const options = { env: env(), clock: realClock, command: "rollout deploy cluster" };
      const refuse = (): never => {
        throw new Error("it was asked");
      };
      const deployed = inRun({ ...options, progress: () => undefined, confirm: refuse }, deployCluster);
      expect(withoutDetails(await failure(deployed))).toBe(refusal);
    });

    test("refuses a second cluster where the state is empty and EC2 knows machines of its name", async () => {
      const state = await demo.state();
      await demo.putState({ ...state, resources: [] });
      const before = await lookAt(moto);
      const { exitCode, output } = await demo.rollout(["deploy", "cluster", "--yes"]);
      await demo.putState(state);
      expect(output).toMatch(
        /^nothing is created: EC2 knows machines of demo, and deployed is terraform\.demo\.tfstate, serial \d+: broker-0-0 \(i-\w+\), .*; where this cluster is there, correct the spec's backend; where another has its name, take another name; end what is left of one that is gone$/,
      );
      expect(exitCode).toBe(1);
      expect(await lookAt(moto)).toEqual(before);
    });

    test("refuses to create where the state is empty and EC2 cannot be asked", async () => {
      const state = await demo.state();
      await demo.putState({ ...state, resources: [] });
      const cut = { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" };
      const { exitCode, output } = await demo.rollout(["deploy", "cluster", "--yes"], cut);
      await demo.putState(state);
      expect(output).toMatch(
        /^nothing is created: the state is empty, and EC2 cannot be asked whether demo stands: AWS does not answer: ec2:DescribeInstances: .*; check the network, the region and AWS_ENDPOINT_URL$/,
      );
      expect(exitCode).toBe(1);
    });

    test("warns of one whose group has an old object in the state, since it may be that one", async () => {
      const program = await loadProgram(env());
      const groups = new Map(
        [...program.deployed.groups].map(([name, group]) => [
          name,
          name === "broker-0" ? { ...group, deposed: ["aws_instance.broker-0-0"] } : group,
        ]),
      );
      const { machines } = await lookAt(moto);
      const id = machines["broker-0-0"]?.id;
      const deposed = { ...program, deployed: { ...program.deployed, groups } };
      expect((await refuseStrays(deposed, "broker-0")).map(withoutDetails)).toEqual([
        `warning: broker-0 may have machines that belong to no state, as an apply leaves behind that was killed: ${howToEnd(id, "broker-0-0")}`,
      ]);
      expect(withoutDetails(await failure(refuseStrays(deposed, "cluster")))).toBe(
        `demo has ${STRAYS}:\n  ${howToEnd(machines["broker-1-0"]?.id, "broker-1-0")}`,
      );
      await terminate("broker-0-0");
      expect(await refuseStrays(program, "broker-0")).toEqual([]);
    });
  },
);

const STRAYS =
  "machines that belong to no state, as an apply leaves behind that was killed; nothing is done while they are there";

const howToEnd = (id = "", host: string): string =>
  `${id} (${host}, ami-0aaa, running, ADDRESS, of TIME): unless an apply is making it, or another cluster of this name has it, and once its work and its agents have left, run: aws ec2 terminate-instances --region eu-west-1 --instance-ids ${id}`;

const withoutDetails = (text: string): string =>
  text.trim().replace(/running, [\d.]+, of [\d-]+T[\d:.]+Z\)/g, "running, ADDRESS, of TIME)");

const hostsIn = ({ changes }: ViewPlan["summary"]): string[] =>
  changes.flatMap(({ action, address }) =>
    address.startsWith("aws_instance.") ? [`${action} ${address}`] : [],
  );

/** Servers and brokers of the example, in a network that exists. Moto starts no machine whose root device has no size. */
function specIn({ vpcId, subnetIds }: Network): string {
  return exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    ["instanceProfile: demo-agents", "instanceProfile: demo-agents\n  providerVersion: 5.100.0"],
    ["hosts: [3, 3, 3]", "hosts: [2, 1, 1]"],
  )
    .replace(/^ {2}name-server:\n(?: {4}.*\n)*/m, "")
    .replace(/^ {4}images: .*$/gm, "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]");
}
