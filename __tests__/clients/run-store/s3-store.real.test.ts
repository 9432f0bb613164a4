import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { S3Backend } from "../../../cluster/backend.js";
import { S3Store } from "../../../clients/run-store/s3-store.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { stateLockOf } from "../../../program/run-store.js";
import { withEnvironment } from "../../support/aws-environment.js";
import { describeReal } from "../../support/environment.js";
import { localSpec } from "../../support/fixtures.js";
import { startMoto, type Moto } from "../../support/moto.js";
import { failure } from "../../support/refusal.js";
import { runStoreContract } from "./run-store-contract.js";
import { S3Front } from "./s3-front.js";

const BACKEND = { type: "s3", bucket: "states", region: "eu-west-1", usePathStyle: true } as const;

describeReal("A run store in S3, asked of moto", ["moto"], () => {
  let moto: Moto;
  let front: S3Front;
  let env: Readonly<Record<string, string>> = {};
  let key = "";
  let count = 0;

  beforeAll(async () => {
    moto = await startMoto();
    await fetch(`${moto.url}/states`, { method: "PUT" });
    front = new S3Front(moto.url);
    env = { ...moto.env, AWS_ENDPOINT_URL: await front.start() };
  });
  withEnvironment(() => env);

  afterAll(async () => {
    front.stop();
    await moto.stop();
  });

  beforeEach(() => {
    key = `demo-${String(count++)}/terraform.tfstate`;
    front.faults = [];
    front.asked.length = 0;
  });

  const create = (more: Partial<S3Backend> = {}): S3Store =>
    new S3Store({ ...BACKEND, key, ...more }, { pause: () => Promise.resolve() });

  describe("as every store", () => {
    runStoreContract(create);
  });

  test("lies beside the state, encrypted as it is", async () => {
    await create().write("lock", "one", undefined);
    expect(front.asked).toEqual([`PUT /states/${key}.rollout/lock if-none-match: *`]);
    expect(front.written["x-amz-server-side-encryption"]).toBe("AES256");

    const kmsKeyId = "arn:aws:kms:eu-west-1:123456789012:key/1";
    await create({ kmsKeyId }).write("hold", "one", undefined);
    expect(front.written).toMatchObject({
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": kmsKeyId,
    });
  });

  test("tells who holds the lock of the state itself, which Terraform notes beside it", async () => {
    const spec: Spec = { ...localSpec(), backend: { ...BACKEND, key } };
    const stateLock = (of = spec): Promise<unknown> =>
      stateLockOf({ spec: of, file: "/nowhere/cluster.yaml" });
    expect(await stateLock()).toBeUndefined();
    const note = { Who: "ops@build-1", Operation: "OperationTypeApply", Created: "2026-11-21T09:12:00Z" };
    await fetch(`${moto.url}/states/${key}.tflock`, { method: "PUT", body: JSON.stringify(note) });
    expect(await stateLock()).toEqual(note);
    const elsewhere = { ...spec, backend: { ...BACKEND, key, bucket: "none" } };
    expect(await stateLock(elsewhere)).toBeUndefined();
  });

  test("tries again what S3 calls a conflict, and reads before whether it was done", async () => {
    front.faults = ["conflict", "conflict"];
    const tag = await create().write("lock", "one", undefined);
    expect(await create().read("lock")).toMatchObject({ text: "one", tag });
    front.faults = Array<"conflict">(9).fill("conflict");
    expect(await failure(create().write("lock", "two", tag))).toBe(
      `AWS answered ConditionalRequestConflict: s3:PutObject on s3://states/${key}.rollout: try again; see what it says`,
    );
    expect(await create().read("lock")).toMatchObject({ text: "one", tag });
  });

  test("a write that was done and whose answer was lost counts as done, and once", async () => {
    front.faults = ["lost"];
    const tag = await create().write("lock", "one", undefined);
    expect(await create().read("lock")).toMatchObject({ text: "one", tag });
    front.faults = ["lost"];
    const next = await create().write("lock", "two", tag);
    expect(await create().read("lock")).toMatchObject({ text: "two", tag: next });
  });

  test("waits for a busy S3", async () => {
    front.faults = ["busy", "busy"];
    expect(await create().write("lock", "one", undefined)).toBeDefined();
  });

  test("refuses a bucket that is not there, and one of others", async () => {
    const store = create({ bucket: "nobody" });
    const refused = "s3://nobody/";
    expect(await failure(store.read("lock"))).toContain(refused);
    expect(await failure(store.write("lock", "one", undefined))).toContain(refused);
    expect(await failure(store.list(""))).toContain(refused);
  });
});
