import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "@jest/globals";
import { execa } from "execa";
import { describeReal } from "./environment.js";
import type { RealEnvironment } from "./environment.js";
import { longTest } from "./long.js";
import { startMoto } from "./moto.js";
import type { Moto } from "./moto.js";
import type { Instance, Network } from "./moto-ec2.js";

describeReal(
  "The real Terraform and AWS provider against moto",
  ["terraform", "aws", "null", "moto"],
  (real) => {
    let moto: Moto;
    let network: Network;
    let folder: string;
    let first: Instance;

    beforeAll(async () => {
      moto = await startMoto();
      network = await moto.ec2.createNetwork();
      await moto.ec2.createInstanceProfile("demo-agents");
      folder = await mkdtemp(join(tmpdir(), "rollout-environment-"));
      await writeFile(join(folder, "main.tf.json"), JSON.stringify(configuration(network)));
      await terraform(real, moto, folder, ["init"]);
    });

    afterAll(async () => {
      await moto.stop();
      await rm(folder, { recursive: true, force: true });
    });

    longTest("a network has one subnet in each of three zones", () => {
      expect(new Set(network.subnetIds).size).toBe(3);
    });

    longTest("a machine and what is triggered by it are created", async () => {
      await apply(real, moto, folder, "ami-0aaa");

      const instances = await moto.ec2.instances();
      expect(instances).toEqual([
        {
          id: expect.stringMatching(/^i-/),
          image: "ami-0aaa",
          type: "t3.small",
          state: "running",
          subnetId: network.subnetIds[0],
          tags: { Name: "demo-broker-0-0" },
          volumeIds: [expect.stringMatching(/^vol-/)],
        },
      ]);
      first = only(instances);
      expect(await triggersInState(folder)).toEqual({ host: first.id });
    });

    longTest("its root volume is encrypted and attached to it", async () => {
      expect(await moto.ec2.volumes()).toMatchObject([
        { id: first.volumeIds[0], attachedTo: first.id, encrypted: true },
      ]);
    });

    longTest("it is registered at the target group", async () => {
      expect(await moto.ec2.targetHealth()).toEqual([
        { group: "demo-broker", instanceId: first.id, port: 9876, health: "healthy" },
      ]);
    });

    longTest("an unchanged configuration plans nothing", async () => {
      const { exitCode } = await terraform(real, moto, folder, ["plan", "-detailed-exitcode"]);
      expect(exitCode).toBe(0);
    });

    longTest("a changed image replaces the machine and what is triggered by it", async () => {
      await apply(real, moto, folder, "ami-0bbb");

      const second = only(await moto.ec2.instances());
      expect(second).toMatchObject({ image: "ami-0bbb", state: "running" });
      expect(second.id).not.toBe(first.id);
      expect(await triggersInState(folder)).toEqual({ host: second.id });
      expect((await moto.ec2.everyInstance()).map(({ id, state }) => [id, state])).toContainEqual([
        first.id,
        "terminated",
      ]);
    });
  },
);

function configuration({ vpcId, subnetIds }: Network): object {
  return {
    terraform: {
      required_providers: {
        aws: { source: "hashicorp/aws", version: "5.100.0" },
        null: { source: "hashicorp/null", version: "3.2.4" },
      },
    },
    provider: { aws: [{ region: "eu-west-1" }] },
    variable: { image: { default: "ami-0aaa" } },
    resource: {
      aws_instance: {
        host: {
          ami: "${var.image}",
          instance_type: "t3.small",
          subnet_id: subnetIds[0],
          key_name: "ops",
          iam_instance_profile: "demo-agents",
          root_block_device: { encrypted: true, volume_size: 20 },
          metadata_options: { http_tokens: "required" },
          tags: { Name: "demo-broker-0-0" },
        },
      },
      aws_lb_target_group: { pool: { name: "demo-broker", port: 9876, protocol: "TCP", vpc_id: vpcId } },
      aws_lb_target_group_attachment: {
        host: { target_group_arn: "${aws_lb_target_group.pool.arn}", target_id: "${aws_instance.host.id}" },
      },
      null_resource: { ready: { triggers: { host: "${aws_instance.host.id}" } } },
    },
  };
}

function apply(real: RealEnvironment, moto: Moto, folder: string, image: string) {
  return terraform(real, moto, folder, ["apply", "-auto-approve", `-var=image=${image}`]);
}

function terraform(real: RealEnvironment, moto: Moto, folder: string, args: readonly string[]) {
  return execa(real.terraform, [...args, "-no-color"], { cwd: folder, env: { ...real.env, ...moto.env } });
}

async function triggersInState(folder: string): Promise<unknown> {
  const state = JSON.parse(await readFile(join(folder, "terraform.tfstate"), "utf8")) as {
    resources: { type: string; instances: { attributes: { triggers?: unknown } }[] }[];
  };
  return state.resources.find(({ type }) => type === "null_resource")?.instances[0]?.attributes.triggers;
}

function only<T>(list: readonly T[]): T {
  const [first, ...others] = list;
  if (first === undefined || others.length > 0) throw new Error(`expected one, found ${String(list.length)}`);
  return first;
}
