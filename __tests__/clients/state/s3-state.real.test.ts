import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { parseState } from "../../../clients/state/parse-state.js";
import { readS3State } from "../../../clients/state/s3-state.js";
import type { Environment } from "../../../clients/environment.js";
import { s3BackendBlock, type S3Backend } from "../../../cluster/backend.js";
import { describeReal } from "../../support/environment.js";
import { startMoto, type Moto } from "../../support/moto.js";

describeReal("A state in s3, pulled by the real Terraform", ["terraform", "moto"], (real) => {
  let moto: Moto;
  let scratch: string;

  const read = (backend: Partial<S3Backend> = {}, env: Environment = {}) => {
    const { bucket = "states", key = "demo.tfstate" } = backend;
    const full: S3Backend = { type: "s3", bucket, key, region: "eu-west-1", usePathStyle: true };
    const expected = { where: `s3://${bucket}/${key}`, cluster: "demo", platform: "aws" } as const;
    return readS3State(full, expected, { ...real.env, ...moto.env, ...env });
  };

  const put = async (path: string, body = ""): Promise<void> => {
    const { ok } = await fetch(`${moto.url}/${path}`, { method: "PUT", body });
    expect(ok).toBe(true);
  };

  /** Lets moto check who asks, which it does not by itself. */
  const checkingRights = async <T>(action: () => Promise<T>): Promise<T> => {
    const allow = (requests: string) =>
      fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: requests });
    await allow("0");
    try {
      return await action();
    } finally {
      await allow("Infinity");
    }
  };

  const objects = async (): Promise<string> => (await fetch(`${moto.url}/states`)).text();

  beforeAll(async () => {
    moto = await startMoto();
    scratch = await mkdtemp(join(tmpdir(), "rollout-s3-state-"));
    await put("states");
    await put("states/demo.tfstate", recorded);
    await put("states/newer.tfstate", recorded.replace('"version": 4', '"version": 5'));
    await put("states/cut-off.tfstate", recorded.slice(0, 1000));
    await put("states/other.tfstate", recorded.replaceAll('"demo"', '"prod"'));
  });

  afterAll(async () => {
    await moto.stop();
    await rm(scratch, { recursive: true });
  });

  test("is read without its providers, and nothing is written", async () => {
    const before = await objects();

    const deployed = await read();

    expect(deployed).toEqual(
      parseState(recorded, { where: "s3://states/demo.tfstate", cluster: "demo", platform: "aws" }),
    );
    expect(deployed.groups.size).toBe(2);
    expect(await objects()).toBe(before);
  });

  test("leaves no folder behind, also when it fails", async () => {
    const spy = join(scratch, "spy");
    await writeFile(spy, `#!/bin/sh\npwd >> "${scratch}/folders"\nexec "$REAL_TERRAFORM" "$@"\n`, {
      mode: 0o755,
    });
    const env = { REAL_TERRAFORM: real.terraform, TERRAFORM_BINARY_NAME: spy };

    await read({}, env);
    await refusal(read({ bucket: "no-such-bucket" }, env));

    const folders = new Set((await readFile(join(scratch, "folders"), "utf8")).trim().split("\n"));
    expect(folders.size).toBe(2);
    expect([...folders].filter((folder) => existsSync(folder))).toEqual([]);
  });

  test("a key that does not exist is an empty state", async () => {
    expect(await read({ key: "nothing-here.tfstate" })).toEqual({
      origin: { kind: "state", where: "s3://states/nothing-here.tfstate", serial: 0, lineage: "" },
      groups: new Map(),
      addresses: new Set(),
    });
  });

  test("rejects a bucket that does not exist", async () => {
    const message = await refusal(read({ bucket: "no-such-bucket" }));
    expect(message).toMatch(unreadable("s3://no-such-bucket/demo.tfstate", /.* does not exist/, ACCESS));
  });

  test("rejects an environment without credentials", async () => {
    const env = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const message = await refusal(read({}, env));
    expect(message).toMatch(
      unreadable("s3://states/demo.tfstate", /No valid credential sources found/, ACCESS),
    );
  });

  test("rejects an endpoint that cannot be reached", async () => {
    const message = await refusal(read({}, { AWS_ENDPOINT_URL: "http://rollout.invalid" }));
    expect(message).toMatch(unreadable("s3://states/demo.tfstate", /.*request send failed.*/, ACCESS));
  });

  test("rejects a newer format, in Terraform's words", async () => {
    const message = await refusal(read({ key: "newer.tfstate" }));
    const reason = /.*state file uses format version 5, which is not supported by.*/;
    expect(message).toMatch(unreadable("s3://states/newer.tfstate", reason, STATE));
  });

  test("rejects a state that is cut off", async () => {
    const message = await refusal(read({ key: "cut-off.tfstate" }));
    expect(message).toMatch(
      unreadable("s3://states/cut-off.tfstate", /.*could not be parsed as JSON.*/, STATE),
    );
  });

  test("rejects wrong credentials, and shows none", async () => {
    const env = { AWS_ACCESS_KEY_ID: "AKIAWRONGWRONGWRONG", AWS_SECRET_ACCESS_KEY: "wrong-and-secret" };
    const message = await checkingRights(() => refusal(read({}, env)));

    expect(message).toMatch(
      unreadable("s3://states/demo.tfstate", /.*GetCallerIdentity.*StatusCode: 403.*/, ACCESS),
    );
    expect(message).not.toContain("AKIAWRONG");
    expect(message).not.toContain("wrong-and-secret");
  });

  test("rejects the state of another cluster", async () => {
    expect(await refusal(read({ key: "other.tfstate" }))).toMatchInlineSnapshot(
      `"the state belongs to another cluster: s3://states/other.tfstate holds "prod", the spec is "demo"; give each cluster a backend of its own, or put the name back"`,
    );
  });
});

describeReal("A state in s3 that OpenTofu has encrypted", ["tofu", "moto"], (real) => {
  const keys = {
    TF_ENCRYPTION: `
      key_provider "pbkdf2" "from_words" { passphrase = "correct horse battery staple" }
      method "aes_gcm" "by_words" { keys = key_provider.pbkdf2.from_words }
      state { method = method.aes_gcm.by_words }`,
  };
  const backend: S3Backend = {
    type: "s3",
    bucket: "states",
    key: "k",
    region: "eu-west-1",
    usePathStyle: true,
  };
  const expected = { where: "s3://states/k", cluster: "demo", platform: "aws" } as const;
  let moto: Moto;
  let folder: string;

  const read = (env: Environment) =>
    readS3State(backend, expected, { ...real.env, ...moto.env, TERRAFORM_BINARY_NAME: real.tofu, ...env });

  beforeAll(async () => {
    moto = await startMoto();
    folder = await mkdtemp(join(tmpdir(), "rollout-s3-state-"));
    await fetch(`${moto.url}/states`, { method: "PUT" });
    const main = { terraform: { backend: { s3: s3BackendBlock(backend) } } };
    await writeFile(join(folder, "main.tf.json"), JSON.stringify(main));
    await writeFile(join(folder, "plain"), recorded);
    const env = { ...real.env, ...moto.env, ...keys };
    await execa(real.tofu, ["init"], { cwd: folder, env });
    await execa(real.tofu, ["state", "push", "plain"], { cwd: folder, env });
  });

  afterAll(async () => {
    await moto.stop();
    await rm(folder, { recursive: true });
  });

  test("is read by its keys", async () => {
    const { groups, addresses } = parseState(recorded, expected);
    expect(await read(keys)).toMatchObject({ groups, addresses });
  });

  test("is refused without them", async () => {
    expect(await refusal(read({}))).toMatch(unreadable("s3://states/k", /.* file is encrypted .*/, STATE));
  });
});

const ACCESS = "correct the spec's backend, or AWS's credentials in the environment";
const STATE =
  "give it to the Terraform or OpenTofu that wrote it, correct your rights, or restore an older version of the object";

/** Our own words in full; Terraform's differ with its version, so of them only what matters. */
const unreadable = (where: string, reason: RegExp, whatToDo: string): RegExp =>
  new RegExp(`^the state cannot be read: ${where}: ${reason.source}; ${whatToDo}$`);

const recorded = readFileSync(new URL("../fixtures/aws.state.json", import.meta.url), "utf8");

async function refusal(reading: Promise<unknown>): Promise<string> {
  try {
    await reading;
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error("it was not refused");
}
