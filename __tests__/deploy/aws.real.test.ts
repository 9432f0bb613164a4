import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { exampleWith } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { startMoto, type Moto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { changedMachines, groupOf, ingressRules, lookAt, metadataOptions, type Cloud } from "./cloud.js";
import { differenceOf, revisionsOf, triggersOf } from "./state-file.js";
import { refusalOf, Workspace } from "./workspace.js";

/** The machines of moto run no agents. */
const HOOKS_STAND_IN = new URL("../support/hooks-stand-in.mjs", import.meta.url).href;

describeReal("The example on AWS, one test after another", ["terraform", "aws", "null", "moto"], (real) => {
  let moto: Moto;
  let network: Network;
  let demo: Workspace;

  /** Looks at the cloud and the state before and after something is done. */
  const observe = async <T>(act: () => Promise<T>) => {
    const before = { cloud: await lookAt(moto), state: await demo.state() };
    const result = await act();
    const after = { cloud: await lookAt(moto), state: await demo.state() };
    return {
      result,
      before: before.cloud,
      after: after.cloud,
      machines: changedMachines(before.cloud, after.cloud),
      difference: differenceOf(before.state, after.state),
      state: after.state,
    };
  };

  beforeAll(async () => {
    moto = await startMoto();
    network = await moto.ec2.createNetwork();
    await moto.ec2.createInstanceProfile("demo-agents");
    await moto.ec2.createKeyPair("ops");
    const env = { ...moto.env, NODE_OPTIONS: `--import=${HOOKS_STAND_IN}` };
    demo = await Workspace.create(real, specIn(network), env);
  });

  afterAll(async () => {
    await moto.stop();
    await demo.remove();
  });

  test("cdktf deploy cluster creates the machines of all groups, each in the subnet of its index", async () => {
    const { exitCode, output } = await demo.deploy("cluster", { ROLLOUT_CAUSE: "the first image" });

    expect(output).toContain("Apply complete! Resources: 114 added, 0 changed, 0 destroyed.");
    expect(exitCode).toBe(0);
    const { machines } = await lookAt(moto);
    expect(Object.keys(machines).sort()).toEqual(allHosts);
    for (const [name, { image, state, subnetId, tags }] of Object.entries(machines)) {
      const [, pool = "", index = ""] = /^(.*)-(\d)-\d$/.exec(name) ?? [];
      expect({ name, image, state, subnetId }).toEqual({
        name,
        image: "ami-0aaa",
        state: "running",
        subnetId: network.subnetIds[Number(index)],
      });
      expect(tags).toEqual({
        Name: `demo-${name}`,
        "rollout:cluster": "demo",
        "rollout:pool": pool,
        "rollout:group": `${pool}-${index}`,
        "rollout:template-hash": expect.stringMatching(/^[0-9a-f]{10}$/),
      });
    }
  });

  test("each broker has its own data volume, and the load balancer knows the brokers and nobody else", async () => {
    const cloud = await lookAt(moto);
    const brokers = allHosts.filter((name) => name.startsWith("broker-"));

    expect(Object.keys(cloud.volumes).sort()).toEqual(brokers.map((name) => `${name}-data`));
    for (const name of brokers) {
      const expected = {
        attachedTo: cloud.machines[name]?.id,
        device: "/dev/sdf",
        sizeGib: 100,
        type: "gp3",
      };
      expect(cloud.volumes[`${name}-data`]).toMatchObject(expected);
    }
    expect(cloud.targets).toEqual(idsOfMachines(cloud, brokers));
  });

  test("machines want session tokens for their metadata, disks are encrypted, nothing is open to the world", async () => {
    expect(await metadataOptions(moto)).toEqual(allHosts.map(() => ({ tokens: "required", hopLimit: "1" })));
    const volumes = await moto.ec2.volumes();
    expect(volumes).toHaveLength(18 + 9);
    expect(volumes.filter(({ encrypted }) => !encrypted)).toEqual([]);
    expect(await ingressRules(moto)).toMatchInlineSnapshot(`
     [
       "tcp 4646-4647 from a group",
       "tcp 4648-4648 from a group",
       "tcp 8300-8300 from a group",
       "tcp 8301-8301 from a group",
       "tcp 9876-9876 from 10.0.0.0/16",
       "tcp 9876-9876 from a group",
       "udp 4648-4648 from a group",
       "udp 8301-8301 from a group",
     ]
    `);
  });

  test("status says that all groups are current", async () => {
    const { groups, views, next } = await demo.status();

    expect(groups.map(({ state, revision }) => `${state} ${String(revision)}`)).toEqual(
      Array.from({ length: 12 }, () => "current 1"),
    );
    expect({ views, next }).toEqual({ views: ["cluster"], next: null });
  });

  test("cdktf deploy broker-0 replaces the three machines of broker-0 and keeps their volumes", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    expect(await demo.list()).toEqual(["broker-0", "cluster"]);

    const { result, before, after, machines, difference, state } = await observe(() =>
      demo.deploy("broker-0", { ROLLOUT_CAUSE: "the June image" }),
    );

    expect(result.output).toContain("Apply complete! Resources: 14 added, 1 changed, 14 destroyed.");
    expect(machines).toEqual(["broker-0-0", "broker-0-1", "broker-0-2"]);
    expect(groupOf(after, "broker-0").map(({ image }) => image)).toEqual([
      "ami-0bbb",
      "ami-0bbb",
      "ami-0bbb",
    ]);
    for (const name of Object.keys(before.volumes)) {
      expect(after.volumes[name]?.id).toBe(before.volumes[name]?.id);
      expect(after.volumes[name]?.attachedTo).toBe(after.machines[name.replace("-data", "")]?.id);
    }
    expect(after.targets).toEqual(idsOfMachines(after, brokersOf(after)));
    expect(difference.created).toEqual([]);
    expect(difference.gone).toEqual([]);
    expect(difference.replaced.filter((address) => !/^\w+\.broker-0-/.test(address))).toEqual([]);
    expect(revisionsOf(state, "broker-0")).toMatchObject([
      { number: 1, image: "ami-0aaa", generation: 0, cause: "the first image", hash: expect.any(String) },
      { number: 2, image: "ami-0bbb", generation: 0, cause: "the June image", hash: expect.any(String) },
    ]);
  });

  test("once rolled, Terraform finds nothing to do in broker-0", async () => {
    const { exitCode, output } = await demo.rollout(["plan", "broker-0"]);

    expect(exitCode).toBe(0);
    expect(output.split("\n")[0]).toMatchInlineSnapshot(
      `"broker-0: no changes, what is deployed is as desired"`,
    );
    expect((await demo.status()).views).toEqual(["cluster"]);
  });

  longTest("cdktf deploy consul-server-1 replaces that machine, and tells every machine of it", async () => {
    await demo.rollout(["set", "image", "consul-server-1=ami-0bbb"]);
    const { result, after, machines, difference, state } = await observe(() =>
      demo.deploy("consul-server-1"),
    );

    expect(result.output).toContain("Apply complete! Resources: 21 added, 1 changed, 21 destroyed.");
    expect(machines).toEqual(["consul-server-1-0"]);
    expect(groupOf(after, "consul-server-1").map(({ image }) => image)).toEqual(["ami-0bbb"]);
    const told = allHosts.map((name) => `null_resource.${name}-config-consul`);
    const own = [
      "aws_instance.consul-server-1-0",
      "null_resource.consul-server-1-leave",
      "null_resource.consul-server-1-ready",
    ];
    expect(difference).toEqual({ created: [], replaced: [...own, ...told].sort(), gone: [] });
    const servers = [0, 1, 2]
      .map((index) => after.machines[`consul-server-${String(index)}-0`]?.id)
      .join(",");
    expect(new Set(told.map((address) => triggersOf(state, address)["servers"]))).toEqual(new Set([servers]));
  });

  test("refuses two changed groups before anything is asked of AWS", async () => {
    const spec = await demo.read();
    await demo.rollout(["set", "image", "broker-1=ami-0bbb", "name-server-0=ami-0bbb"]);

    const { result, before, after, difference } = await observe(() => demo.deploy("broker-1"));

    expect(refusalOf(result)).toMatchInlineSnapshot(
      `"one-group: 2 groups are pending, one may be: broker-1 (ami-0aaa -> ami-0bbb), name-server-0 (ami-0aaa -> ami-0bbb); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
    );
    expect(after).toEqual(before);
    expect(difference).toEqual(nothing);
    await demo.write(spec);
  });

  longTest("refuses cdktf destroy by the freeze", async () => {
    const { result, before, after, difference } = await observe(() => demo.destroy("cluster"));

    expect(result.exitCode).toBe(1);
    expect(result.output).toMatch(/Error: (I|Resource i)nstance cannot be destroyed$/m);
    expect(after).toEqual(before);
    expect(difference).toEqual(nothing);
  });

  test("refuses terraform destroy in the view of a group by the freeze", async () => {
    await demo.synth({ ROLLOUT_GROUP: "broker-0" });

    const { result, before, after } = await observe(() =>
      demo.terraform("broker-0", ["destroy", "-auto-approve", "-refresh=false"]),
    );

    expect(result.exitCode).toBe(1);
    expect(result.errors.find((error) => error.includes("aws_lb_listener.broker"))).toMatch(
      /^(I|Resource i)nstance cannot be destroyed: .* aws_lb_listener\.broker has (lifecycle\.)?prevent_destroy set, /,
    );
    expect(after).toEqual(before);
  });

  test("that view, tampered with, changes nothing of a frozen group", async () => {
    await demo.tamper("broker-0", ({ resource }) => {
      const host = resource["aws_instance"]?.["broker-1-0"] ?? {};
      Object.assign(host, { ami: "ami-0ccc", instance_type: "m6i.xlarge", user_data: "#cloud-config\n" });
    });

    const { result, before, after } = await observe(() => demo.apply("broker-0", "-refresh=false"));

    expect(result).toEqual({ exitCode: 0, events: [], planned: [], errors: [], hooks: [] });
    expect(after).toEqual(before);
  });

  longTest("refuses the forced replacement of a frozen machine", async () => {
    const { result, before, after } = await observe(() =>
      demo.apply("broker-0", "-refresh=false", "-replace=aws_instance.broker-1-0"),
    );

    expect(result.exitCode).toBe(1);
    expect(result.errors).toEqual([
      expect.stringMatching(
        /^(I|Resource i)nstance cannot be destroyed: .* aws_instance\.broker-1-0 has (lifecycle\.)?prevent_destroy set, /,
      ),
    ]);
    expect(after).toEqual(before);
  });

  longTest("a group that shrinks loses its last machine and keeps the volume of it", async () => {
    await demo.edit(["hosts: [3, 3, 3]", "hosts: [3, 3, 2]"]);

    const { result, before, after, machines, difference } = await observe(() => demo.roll("broker-2"));

    expect(machines).toEqual(["broker-2-2"]);
    expect(after.machines["broker-2-2"]).toBeUndefined();
    expect(after.targets).toEqual(idsOfMachines(after, brokersOf(after)));
    expect(after.volumes["broker-2-2-data"]?.id).toBe(before.volumes["broker-2-2-data"]?.id);
    expect(after.volumes["broker-2-2-data"]?.attachedTo).toBeUndefined();
    expect(difference.gone).toEqual([
      "aws_instance.broker-2-2",
      "aws_lb_target_group_attachment.broker-2-2-target",
      "aws_volume_attachment.broker-2-2-data-attachment",
      "null_resource.broker-2-2-config-consul",
    ]);
    expect(result.exitCode).toBe(0);
  });

  longTest(
    "a machine that was terminated outside puts its group in flight once Terraform has looked",
    async () => {
      const { machines } = await lookAt(moto);
      const [first = "", second = ""] = ["broker-2-0", "broker-2-1"].map((name) => machines[name]?.id);
      await moto.ec2.terminate(second);

      await demo.synth();
      await demo.apply("cluster", "-refresh-only");

      const { groups, views } = await demo.status();
      expect(views).toEqual(["cluster", "broker-2"]);
      expect(groups.filter(({ state }) => state !== "current")).toMatchObject([
        {
          name: "broker-2",
          state: "in flight",
          reason: `null_resource.broker-2-ready was passed for the hosts ${first},${second}, there are ${first}`,
        },
      ]);
    },
  );

  longTest("its own view repairs it, and grows the group again on the volumes that were kept", async () => {
    await demo.edit(["hosts: [3, 3, 2]", "hosts: [3, 3, 3]"]);

    const { before, after, machines } = await observe(() => demo.roll("broker-2"));

    expect(machines).toEqual(["broker-2-1", "broker-2-2"]);
    expect(groupOf(after, "broker-2").map(({ image }) => image)).toEqual([
      "ami-0aaa",
      "ami-0aaa",
      "ami-0aaa",
    ]);
    for (const name of Object.keys(before.volumes)) {
      expect(after.volumes[name]?.id).toBe(before.volumes[name]?.id);
      expect(after.volumes[name]?.attachedTo).toBe(after.machines[name.replace("-data", "")]?.id);
    }
    expect(after.targets).toEqual(idsOfMachines(after, brokersOf(after)));
    expect((await demo.status()).groups.filter(({ state }) => state !== "current")).toEqual([]);
  });
});

const nothing = { created: [], replaced: [], gone: [] };

const allHosts = ["broker", "consul-server", "name-server", "nomad-server"].flatMap((pool) =>
  [0, 1, 2].flatMap((index) =>
    (pool === "broker" ? [0, 1, 2] : [0]).map((host) => `${pool}-${String(index)}-${String(host)}`),
  ),
);

/** The example in a network that exists. Moto starts no machine whose root device has no size. */
function specIn({ vpcId, subnetIds }: Network): string {
  return exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    ["instanceProfile: demo-agents", "instanceProfile: demo-agents\n  providerVersion: 5.100.0"],
  ).replace(/^ {4}images: .*$/gm, "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]");
}

const brokersOf = ({ machines }: Cloud): string[] =>
  Object.keys(machines).filter((name) => name.startsWith("broker-"));

const idsOfMachines = ({ machines }: Cloud, names: readonly string[]): string[] =>
  names.map((name) => machines[name]?.id ?? "").sort();
