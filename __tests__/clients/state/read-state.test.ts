import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readState } from "../../../clients/state/read-state.js";
import { specSchema, type Spec } from "../../../cluster/yaml/schema.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-read-state-"));
  for (const binary of ["terraform", "tofu"]) await writeFile(join(folder, binary), "", { mode: 0o755 });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("a local state's path is relative to the spec", async () => {
  await mkdir(join(folder, "states"));
  await copyFile(recorded, join(folder, "states", "demo.tfstate"));

  const deployed = await readState(spec("states/demo.tfstate"), join(folder, "cluster.yaml"));

  expect(deployed.origin).toMatchObject({ where: "states/demo.tfstate" });
  expect([...deployed.groups.keys()].sort()).toEqual(["broker-0", "consul-server-0"]);
});

test("an absolute path is taken as it is", async () => {
  await copyFile(recorded, join(folder, "demo.tfstate"));
  const deployed = await readState(spec(join(folder, "demo.tfstate")), "elsewhere/cluster.yaml");
  expect(deployed.groups.size).toBe(2);
});

test("a spec in the current folder gives the state its short name", async () => {
  const deployed = await readState(spec("nothing-here.tfstate"), "cluster.yaml");
  expect(deployed.origin).toMatchObject({ where: "nothing-here.tfstate", serial: 0, lineage: "" });
});

test("rejects the state of another platform", async () => {
  await copyFile(recorded, join(folder, "demo.tfstate"));
  const aws = specSchema.parse({
    ...spec("demo.tfstate"),
    platform: "aws",
    aws: { region: "eu-west-1", vpcId: "vpc-0a1", subnetIds: ["subnet-0a1", "subnet-0b1", "subnet-0c1"] },
  });
  await expect(readState(aws, join(folder, "cluster.yaml"))).rejects.toThrow(
    "the state was made on another platform",
  );
});

test.each([
  ["words", 'method "aes_gcm" "m" { keys = key_provider.pbkdf2.k }\nstate { method = method.aes_gcm.m }'],
  ["JSON", '{"state":{"method":"${method.aes_gcm.m}"}}'],
])("rejects a local state that OpenTofu would encrypt, by %s of TF_ENCRYPTION", async (_, encryption) => {
  const env = { TF_ENCRYPTION: encryption, TERRAFORM_BINARY_NAME: join(folder, "tofu") };
  const reading = readState(spec("demo.tfstate"), "cluster.yaml", env);
  await expect(reading).rejects.toThrowErrorMatchingInlineSnapshot(
    `"TF_ENCRYPTION encrypts the state, and demo.tfstate is read directly: keep the state in s3, where OpenTofu reads it, or take "state" out of TF_ENCRYPTION ("plan" may stay); nothing was done"`,
  );
});

test("plans may be encrypted", async () => {
  const env = {
    TF_ENCRYPTION: "plan { method = method.aes_gcm.state }",
    TERRAFORM_BINARY_NAME: join(folder, "tofu"),
  };
  expect((await readState(spec("nothing-here.tfstate"), "cluster.yaml", env)).groups.size).toBe(0);
});

test("what OpenTofu reads is nothing to Terraform", async () => {
  const env = {
    TF_ENCRYPTION: "state { method = method.aes_gcm.m }",
    TERRAFORM_BINARY_NAME: join(folder, "terraform"),
  };
  expect((await readState(spec("nothing-here.tfstate"), "cluster.yaml", env)).groups.size).toBe(0);
});

test("rejects a workspace, since Terraform would use another state", async () => {
  const reading = readState(spec("demo.tfstate"), "cluster.yaml", { TF_WORKSPACE: "blue" });
  await expect(reading).rejects.toThrowErrorMatchingInlineSnapshot(
    `"TF_WORKSPACE is set: "blue"; unset it: a cluster has one state, the one that the spec's backend names"`,
  );
});

test("the default workspace is the one that is read", async () => {
  const reading = readState(spec("nothing-here.tfstate"), "cluster.yaml", { TF_WORKSPACE: "default" });
  await expect(reading).resolves.toMatchObject({ origin: { serial: 0 } });
});

const recorded = fileURLToPath(new URL("../fixtures/local.state.json", import.meta.url));

function spec(path: string): Spec {
  const machines = { images: ["img-1", "img-1", "img-1"], instanceTypes: ["small", "small", "small"] };
  return specSchema.parse({
    name: "demo",
    platform: "local",
    backend: { type: "local", path },
    pools: { "consul-server": machines, "nomad-server": machines },
  });
}
