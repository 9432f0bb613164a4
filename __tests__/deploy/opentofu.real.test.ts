import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { describeReal } from "../support/environment.js";
import type { StateFile } from "./state-file.js";
import { smallSpec } from "./small-spec.js";
import { Workspace } from "./workspace.js";

const SPEC = smallSpec("hosts: [2, 1, 1]");
const ROLL = ["broker: { images: [v1,", "broker: { images: [v2,"] as const;

const KEYS = `
  key_provider "pbkdf2" "from_words" { passphrase = "correct horse battery staple" }
  method "aes_gcm" "by_words" { keys = key_provider.pbkdf2.from_words }`;
const encrypting = (what: "plan" | "state"): Readonly<Record<string, string>> => ({
  TF_ENCRYPTION: `${KEYS}\n${what} { method = method.aes_gcm.by_words }`,
});

/** What makes a plan of a part of a view. */
const PARTS = ["-target=terraform_data.broker-0-0", "-exclude=terraform_data.broker-0-1"];
const LEFT_OUT = expect.stringMatching(
  /^complete-plan: the plan cannot be judged: it does not say what happens to [^]*; plan the whole view again: without -target, -exclude and -refresh-only/m,
);

/** The plan of a view in which one group changes, as plain OpenTofu makes it. */
describeReal("A plan of plain tofu plan", ["tofu"], (real) => {
  let standing: StateFile;
  let demo: Workspace;

  beforeAll(async () => {
    demo = await create();
    try {
      await demo.roll("cluster");
      standing = await demo.state();
    } finally {
      await demo.remove();
    }
  });

  beforeEach(async () => {
    demo = await create();
    await demo.putState(standing);
    await demo.edit(ROLL);
  });

  afterEach(() => demo.remove());

  test("is accepted where it is whole, and called OpenTofu's", async () => {
    await demo.synth();
    const { exitCode, output } = await checked([]);
    expect({ exitCode, output }).toEqual({
      exitCode: 0,
      output: expect.stringMatching(/^accepted: the plan of broker-0 /),
    });
    const { stdout } = await execa(real.tofu, ["version", "-json"], { env: real.env });
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version: string };
    expect(/, OpenTofu (\S+), format 1\.\d$/.exec(output)?.[1]).toBe(version);
  });

  test.each(PARTS)("is rejected where it leaves something out: %s", async (option) => {
    await demo.synth();
    expect(await checked([option])).toEqual({ exitCode: 1, output: LEFT_OUT });
  });

  test("is judged alike where a roll was cut off", async () => {
    const stopped = await demo.rollout(["deploy", "broker-0", "--yes"], await failing("configure-consul"));
    expect(stopped.output).toMatch(/^tofu apply failed: [^]*broker-0 stays in flight/m);
    await demo.synth();
    expect(await checked([])).toMatchObject({ exitCode: 0, output: expect.stringMatching(/^accepted: /) });
    for (const option of PARTS) expect(await checked([option])).toEqual({ exitCode: 1, output: LEFT_OUT });
    expect(await demo.rollout(["deploy", "broker-0", "--yes"])).toMatchObject({ exitCode: 0 });
  });

  test("is read where it is encrypted, and refused without the keys", async () => {
    await demo.synth();
    expect(await checked([], encrypting("plan"))).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^accepted: the plan of broker-0 /),
    });
    const file = join(demo.stackFolder("broker-0"), "saved");
    expect(await demo.rollout(["check", file])).toEqual({
      exitCode: 2,
      output: expect.stringMatching(
        /^tofu show failed for \S+: .+; it is encrypted by OpenTofu: read it with that \(TERRAFORM_BINARY_NAME=tofu\) and with the keys that it was made with \(TF_ENCRYPTION\)$/,
      ),
    });
  });

  test("makes a whole roll whose plans are encrypted", async () => {
    const { exitCode, output } = await demo.rollout(["deploy", "broker-0", "--yes"], encrypting("plan"));
    expect({ exitCode, output }).toMatchObject({ exitCode: 0, output: expect.stringContaining("rolled") });
  });

  test("is not made where the state would be encrypted, and nothing is created", async () => {
    const refused =
      'TF_ENCRYPTION encrypts the state, and terraform.demo.tfstate is read directly: keep the state in s3, where OpenTofu reads it, or take "state" out of TF_ENCRYPTION ("plan" may stay); nothing was done';
    for (const verb of [["validate"], ["status"], ["plan", "broker-0"], ["deploy", "broker-0", "--yes"]])
      expect(await demo.rollout(verb, encrypting("state"))).toEqual({ exitCode: 1, output: refused });
    expect(await demo.synth(encrypting("state"))).toEqual({ exitCode: 1, output: refused });
    expect([existsSync(demo.output), await demo.state()]).toEqual([false, standing]);
  });

  test("is not made where the state is encrypted", async () => {
    await demo.synth();
    const migrating = `method "unencrypted" "before" {}
      state {
        method = method.aes_gcm.by_words
        fallback { method = method.unencrypted.before }
      }`;
    await demo.with({ TF_ENCRYPTION: `${KEYS}\n${migrating}` }).apply("broker-0");
    expect(await demo.rollout(["status"])).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/^the state is encrypted by OpenTofu: terraform\.demo\.tfstate; /),
    });
  });

  const create = (): Promise<Workspace> =>
    Workspace.create({ terraform: real.tofu, env: { ...real.env, TERRAFORM_BINARY_NAME: real.tofu } }, SPEC);

  /** What is said of a plan that OpenTofu has made with these options. */
  async function checked(options: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const made = await demo.with(env).terraform("broker-0", ["plan", "-out=saved", ...options]);
    expect(made.errors).toEqual([]);
    return demo.rollout(["check", join(demo.stackFolder("broker-0"), "saved")], env);
  }

  /** A program `node` that fails where OpenTofu calls one of the hooks. */
  async function failing(hook: string): Promise<Record<string, string>> {
    const folder = join(demo.folder, "bin");
    await mkdir(folder, { recursive: true });
    const text = `#!/bin/sh\ncase "$*" in *"hook ${hook}"*) exit 3;; esac\nexec "${process.execPath}" "$@"\n`;
    await writeFile(join(folder, "node"), text, { mode: 0o755 });
    return { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  }
});
