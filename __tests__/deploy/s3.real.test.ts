import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { startMoto, type Moto } from "../support/moto.js";
import { idsOf, revisionsOf, type StateFile } from "./state-file.js";
import { refusalOf, Workspace } from "./workspace.js";

describeReal("A cluster whose state is in s3, one test after another", ["terraform", "moto"], (real) => {
  let moto: Moto;
  let demo: Workspace;

  /** What lies in the bucket, asked without Terraform. */
  const objects = async (): Promise<string[]> => {
    const listing = await (await fetch(`${moto.url}/states`)).text();
    return [...listing.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => key);
  };

  const state = async (): Promise<StateFile> => {
    const object = await fetch(`${moto.url}/states/demo/terraform.tfstate`, { headers: { authorization } });
    return (await object.json()) as StateFile;
  };

  beforeAll(async () => {
    moto = await startMoto();
    await fetch(`${moto.url}/states`, { method: "PUT" });
    demo = await Workspace.create(real, inS3(), moto.env);
  });

  afterAll(async () => {
    await moto.stop();
    await demo.remove();
  });

  test("cdktf deploy cluster writes it there, and nowhere else", async () => {
    const { exitCode, output } = await demo.deploy("cluster");

    expect(exitCode).toBe(0);
    expect(output).toContain("the state s3://states/demo/terraform.tfstate is empty: everything is new");
    expect(await objects()).toEqual(["demo/terraform.tfstate"]);
    expect(idsOf(await state()).size).toBe(100);
  });

  test("cdktf deploy broker-0 rolls that group, and leaves no lock", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    const before = await state();
    const { exitCode } = await demo.deploy("broker-0");
    const after = await state();

    expect(exitCode).toBe(0);
    expect(after.lineage).toBe(before.lineage);
    expect(revisionsOf(after, "broker-0").map(({ number, image }) => [number, image])).toEqual([
      [1, "ami-0aaa"],
      [2, "ami-0bbb"],
    ]);
    expect(await objects()).toEqual(["demo/terraform.tfstate"]);
    expect((await demo.status()).deployed.origin).toBe(
      `s3://states/demo/terraform.tfstate, serial ${String(after.serial)}`,
    );
  });

  test("says that a mistyped key holds nothing", async () => {
    const spec = await demo.read();
    await demo.edit(["key: demo/", "key: dmeo/"]);

    expect((await demo.cdktf(["list"])).output).toContain(
      "WARN [cluster]: the state s3://states/dmeo/terraform.tfstate is empty: everything is new. " +
        "If this cluster stands already, its backend is not the one that the spec names",
    );
    expect((await demo.status()).deployed).toMatchInlineSnapshot(`
     {
       "empty": true,
       "forReview": false,
       "origin": "s3://states/dmeo/terraform.tfstate, which is empty (a backend that is named wrong looks the same)",
     }
    `);
    await demo.write(spec);
  });

  test("refuses a bucket that does not exist, at synth and in status", async () => {
    const spec = await demo.read();
    await demo.edit(["bucket: states", "bucket: no-such-bucket"]);

    expect(refusalOf(await demo.deploy("cluster"))).toMatch(MISSING);
    expect(await demo.rollout(["status"])).toEqual({ exitCode: 1, output: expect.stringMatching(MISSING) });
    await demo.write(spec);
  });
});

/** OpenTofu does not name the bucket once more. */
const MISSING =
  /^the state cannot be read: s3:\/\/no-such-bucket\/demo\/terraform\.tfstate: Failed to get existing workspaces: S3 bucket (?:"no-such-bucket" )?does not exist; correct the spec's backend, or AWS's credentials in the environment$/;

/** Moto checks no signature. */
const authorization =
  "AWS4-HMAC-SHA256 Credential=testing/20200101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=none";

function inS3(): string {
  const backend =
    "{ type: s3, bucket: states, key: demo/terraform.tfstate, region: eu-west-1, usePathStyle: true }";
  return LOCAL_EXAMPLE.replace(/^backend: .*$/m, `backend: ${backend}`);
}
