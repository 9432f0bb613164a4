import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { execa } from "execa";
import type * as z from "zod";
import { nothingDeployed } from "../../cluster/deployed.js";
import { specJsonSchema } from "../../cluster/yaml/json-schema.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import { plain } from "../../cluster/yaml/schema-values.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { synthesize } from "../support/fixtures.js";
import { describeReal } from "../support/environment.js";

const EXPRESSIONS = ['${file("x")}', "%{ if true }x%{ endif }", "$${x}"] as const;

/** Specs that together have every key that holds a text. */
const SPECS = [
  { platform: "aws", backend: "s3" },
  { platform: "aws", backend: "local" },
  { platform: "local", backend: "s3" },
  { platform: "local", backend: "local" },
] as const;

/** What never stands in a stack: only the driver and the hooks read it. */
const READ_BY_THE_PROGRAM_ALONE = ["broker", "consul-server", "nomad-server"]
  .flatMap((pool) =>
    [
      ...["0", "1"].map((index) => `ready.checks[${index}]`),
      ...["afterLeave", "afterReady", "beforeLeave"].flatMap((list) =>
        ["0", "1"].flatMap((index) => [`steps.${list}[${index}]`, `steps.${list}[${index}].undo`]),
      ),
    ].flatMap((action) =>
      (action.includes("[0]") ? ["contains"] : ["command[1]", "expect.contains"]).map(
        (key) => `pools.${pool}.${action}.${key}`,
      ),
    ),
  )
  .sort();

/** The words of a command may name nothing in braces that is not known. */
const acceptedWith = (value: string): string[] =>
  READ_BY_THE_PROGRAM_ALONE.filter((path) => !(path.includes("command") && value.includes("{x}")));

test("the specs of this test are accepted and have every text of the schema", () => {
  const covered = SPECS.flatMap((each) => {
    load(specOf(each));
    return textsIn(specOf(each)).map(anyOfList);
  });
  const all = SPECS.flatMap((each) => textsOf(specOf(each)).map(anyOfList));
  expect([...new Set(all)].sort()).toEqual([...new Set(covered)].sort());
  expect(all.length).toBeGreaterThan(100);
});

test.each(EXPRESSIONS)(
  "rejects %s for every text that stands in a stack, with file, line and path",
  (value) => {
    const accepted = SPECS.flatMap((each) =>
      textsIn(specOf(each)).filter((path) => {
        const said = refusalWith(specOf(each), path, value);
        if (said === undefined) return true;
        expect(said).toMatch(
          /^cluster\.yaml:1: \S+: (got ".*"; expected|names \{x\}, which stands for nothing)/,
        );
        expect(said).toContain(`cluster.yaml:1: ${path}: `);
        return false;
      }),
    );
    expect([...new Set(accepted)].sort()).toEqual(acceptedWith(value));
  },
);

test("rejects an expression with the value and what is allowed", () => {
  const s3 = { platform: "aws", backend: "s3" } as const;
  const local = { platform: "aws", backend: "local" } as const;
  const said = (spec: Json, path: string): string => refusalWith(spec, path, "${x}") ?? "accepted";
  expect(
    [
      said(specOf(s3), "aws.keyName"),
      said(specOf(s3), "aws.instanceProfile"),
      said(specOf(local), "backend.path"),
      ...["bucket", "key", "region", "dynamodbTable", "kmsKeyId"].map((key) =>
        said(specOf(s3), `backend.${key}`),
      ),
    ].join("\n"),
  ).toMatchInlineSnapshot(`
   "cluster.yaml:1: aws.keyName: got "\${x}"; expected the name of a key pair, one line without \${ and %{
   cluster.yaml:1: aws.instanceProfile: got "\${x}"; expected the name of an instance profile, without its path
   cluster.yaml:1: backend.path: got "\${x}"; expected the path of a state file, relative to this file, one line without \${ and %{
   cluster.yaml:1: backend.bucket: got "\${x}"; expected the name of a bucket, or the ARN of an access point
   cluster.yaml:1: backend.key: got "\${x}"; expected the key of the state in the bucket, such as demo/terraform.tfstate, one line without \${ and %{
   cluster.yaml:1: backend.region: got "\${x}"; expected the bucket's region, such as eu-west-1
   cluster.yaml:1: backend.dynamodbTable: got "\${x}"; expected the name or the ARN of a DynamoDB table
   cluster.yaml:1: backend.kmsKeyId: got "\${x}"; expected the id, the alias or the ARN of a KMS key"
  `);
});

test("accepts what AWS allows", () => {
  const spec = specOf({ platform: "aws", backend: "s3" });
  const accepts = (path: string, ...values: readonly string[]): string[] =>
    values.flatMap((value) => refusalWith(spec, path, value) ?? []);
  expect([
    ...accepts("aws.keyName", "ops", "Ops key (2026) <ops@example.com>", "$a%b{c}", "a".repeat(255)),
    ...accepts("aws.instanceProfile", "demo-agents", "a+b=c,d.e@f_g", "p".repeat(128)),
    ...accepts(
      "backend.bucket",
      "states",
      "Old_Bucket.1",
      "arn:aws:s3:eu-west-1:123456789012:accesspoint/states",
    ),
    ...accepts("backend.key", "demo/terraform.tfstate", "a b/ü!-_.*'()&$@=;:+,?", "env:/demo"),
    ...accepts("backend.region", "eu-west-1", "us-gov-east-1", "us-isob-east-1", "auto", "nyc3"),
    ...accepts(
      "backend.dynamodbTable",
      "locks",
      "Locks_1.a-b",
      "arn:aws-cn:dynamodb:cn-north-1:1:table/locks",
    ),
    ...accepts(
      "backend.kmsKeyId",
      "1234abcd-12ab-34cd-56ef-1234567890ab",
      "mrk-1234abcd12ab34cd56ef1234567890ab",
      "alias/states_1",
      "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/aws/s3",
    ),
  ]).toEqual([]);
});

describeReal("A plan of the real Terraform", ["terraform"], ({ terraform, env }) => {
  test("evaluates nothing of a spec that has an expression wherever one is accepted", async () => {
    for (const value of EXPRESSIONS) {
      const spec = specOf({ platform: "local", backend: "local" });
      delete (valueAt(spec, "pools.broker") as Json)["retire"];
      for (const path of acceptedWith(value)) setAt(spec, path, value);
      setAt(spec, "pools.broker.ready.checks[0].http", "http://{address}/${host}");
      const stack = stackOf(load(spec));
      expect(stack).not.toContain("${host}");
      expect(stack).not.toContain(JSON.stringify(value).slice(1, -1));
      await plan(terraform, env, stack);
    }
  });

  test("takes every text that is plain as it stands", async () => {
    const letters = ["$", "%", "{", "}", '"', "\\", "~", "a"];
    const longer = (texts: readonly string[]): string[] =>
      texts.flatMap((text) => letters.map((letter) => text + letter));
    const texts = [letters, longer(letters), longer(longer(letters)), longer(longer(longer(letters)))].flat();
    const taken = texts.filter((text) => plain("a text").safeParse(text).success);
    expect(taken.length).toBeGreaterThan(4_000);
    const planned = await plan(terraform, env, JSON.stringify({ output: { texts: { value: taken } } }));
    expect(planned).toMatchObject({ planned_values: { outputs: { texts: { value: taken } } } });
  });
});

type Json = Record<string, unknown>;

function specOf({ platform, backend }: (typeof SPECS)[number]): Json {
  const machines = {
    images: ["ami-0aaa", "ami-0aaa", "ami-0aaa"],
    instanceTypes: ["t3.small", "t3.small", "t3.small"],
    instanceProfiles: ["agents", null, null],
    securityGroupIds: [["sg-0a1"], [], []],
    // The walk takes this name for a key of a map that may have any.
    tags: [{ broker: "x" }, {}, {}],
    userData: ["own.sh", null, null],
  };
  // The walk takes this name for a key of a map that may have any.
  const http = { http: "http://{address}/", contains: "ok", headers: { broker: "AUTH" }, timeout: "5s" };
  const command = { command: ["true", "x"], expect: { contains: "ok" }, env: ["JAVA_HOME"], timeout: "5s" };
  const both = [
    { name: "answers", ...http, scope: "machine" },
    { name: "says", ...command, scope: "machine" },
  ];
  const checks = both.map((each) => ({ ...each, interval: "5s", when: "after" }));
  const list = both.map((each, index) => ({
    ...each,
    onFailure: "stop",
    undo: index === 0 ? http : command,
  }));
  const steps = { beforeLeave: list, afterLeave: list, afterReady: list };
  const ready = { timeout: "15m", checks };
  const bake = { time: "30s", first: "60s" };
  const volume = { sizeGib: 100, type: "gp3", iops: 6000, throughput: 500 };
  return {
    name: "demo",
    platform,
    ...(platform === "aws"
      ? {
          aws: {
            region: "eu-west-1",
            vpcId: "vpc-0a1",
            subnetIds: ["subnet-0a1", "subnet-0b1", "subnet-0c1"],
            keyName: "ops",
            instanceProfile: "agents",
            securityGroupIds: ["sg-0a1"],
            imageOwners: ["amazon"],
            providerVersion: "6.25.0",
          },
        }
      : { local: { agents: "none" } }),
    backend:
      backend === "local"
        ? { type: "local", path: "demo.tfstate" }
        : {
            type: "s3",
            bucket: "states",
            key: "demo",
            region: "eu-west-1",
            dynamodbTable: "locks",
            kmsKeyId: "k",
          },
    pools: {
      "consul-server": { ...machines, hosts: [2, 2, 1], ready, bake, steps },
      "nomad-server": { ...machines, ready, bake, steps },
      broker: {
        ...machines,
        dataVolumes: [volume, volume, volume],
        workload: "moves",
        loadBalancer: {
          port: 80,
          protocol: "tcp",
          deregistrationDelay: "60s",
          sourceCidrs: ["10.0.0.0/8"],
        },
        retire: "keep-volumes",
        drain: { deadline: "1h", onDeadline: "fail" },
        ready,
        bake,
        steps,
      },
    },
    rollout: {
      pendingGroups: "one",
      order: ["broker"],
      interval: "0s",
      pauseAfter: ["broker-0"],
      windows: [{ days: ["mon"], from: "22:00", to: "05:00", zone: "Europe/Berlin" }],
      onFailure: "stop",
      ownResources: ["dns/zone"],
    },
    protection: "on",
  };
}

/** The paths of all texts that the schema allows in a spec, of a list's its first. */
function textsOf(spec: Json): string[] {
  return below(specJsonSchema(), spec, "");
}

/** Those of them that the spec has. */
const textsIn = (spec: Json): string[] => textsOf(spec).filter((path) => valueAt(spec, path) !== undefined);

const anyOfList = (path: string): string => path.replace(/\d+/g, "N");

function below(schema: z.core.JSONSchema.BaseSchema, value: unknown, path: string): string[] {
  const options = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  if (options.length > 0)
    return options.flatMap((each) => (fits(each, value) ? below(each, value, path) : []));
  if (schema.not !== undefined) return [];
  if (schema.type === "string") return [path];
  if (schema.type === "array") {
    const items =
      Array.isArray(value) && /\.(checks|command|beforeLeave|afterLeave|afterReady)$/.test(path)
        ? (value as unknown[])
        : [valueAt(value, "[0]")];
    return items.flatMap((item, index) => below(schemaOf(schema.items), item, `${path}[${String(index)}]`));
  }
  const named = Object.entries(schema.properties ?? {});
  const further =
    typeof schema.additionalProperties === "object" ? [["broker", schema.additionalProperties]] : [];
  return [...named, ...(further as [string, unknown][])].flatMap(([name, each]) =>
    below(schemaOf(each), valueAt(value, name), path === "" ? name : `${path}.${name}`),
  );
}

const schemaOf = (schema: unknown): z.core.JSONSchema.BaseSchema => schema as z.core.JSONSchema.BaseSchema;

/** Whether an alternative is the one that the value's own `platform` or `type` names. */
function fits(option: unknown, value: unknown): boolean {
  return Object.entries(schemaOf(option).properties ?? {}).every(([key, property]) => {
    const only = schemaOf(property).const;
    return only === undefined || only === valueAt(value, key);
  });
}

const keysOf = (path: string): string[] => path.split(/[.[\]]+/).filter((key) => key !== "");

const valueAt = (root: unknown, path: string): unknown =>
  keysOf(path).reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? (value as Json)[key] : undefined),
    root,
  );

function setAt(spec: Json, path: string, value: unknown): void {
  const keys = keysOf(path);
  const last = keys.pop() ?? "";
  (valueAt(spec, keys.join(".")) as Json)[last] = value;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const load = (spec: Json): Spec =>
  withUserData(loadSpec(bytes(JSON.stringify(spec)), "cluster.yaml"), "cluster.yaml", () =>
    bytes("#!/bin/sh\n"),
  );

/** Why a spec with another value at a path is refused; undefined where it is not. */
function refusalWith(spec: Json, path: string, value: string): string | undefined {
  const copy = structuredClone(spec);
  setAt(copy, path, value);
  try {
    load(copy);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

const stackOf = (spec: Spec): string =>
  synthesize(spec, nothingDeployed({ kind: "state", where: "none", serial: 0, lineage: "" }), [
    "cluster",
  ]).get("cluster") ?? "";

/** The plan of a stack, as JSON. */
async function plan(
  terraform: string,
  env: Readonly<Record<string, string>>,
  stack: string,
): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "rollout-expressions-"));
  try {
    writeFileSync(join(folder, "cdk.tf.json"), stack);
    const run = async (...args: readonly string[]): Promise<string> =>
      (await execa(terraform, args, { cwd: folder, env, maxBuffer: 100_000_000 })).stdout;
    await run("init", "-no-color");
    await run("plan", "-no-color", "-out=plan");
    return JSON.parse(await run("show", "-json", "plan")) as unknown;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
