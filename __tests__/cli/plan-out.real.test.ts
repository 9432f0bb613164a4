import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { execa } from "execa";
import { strFromU8, unzipSync } from "fflate";
import { runCheck } from "../../cli/check.js";
import { runPlan } from "../../cli/plan.js";
import { UserError } from "../../cluster/user-error.js";
import { ViewPlanner } from "../../driver/plan-view.js";
import { RULE_IDS } from "../../guard/verdict.js";
import { checkResultSchema, type CheckResult } from "../../program/check-result.js";
import { layFixture } from "../guard/plan/plan-fixture.js";

const FFLATE = createRequire(import.meta.url).resolve("fflate");

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

/**
 * Makes an archive as a saved plan is one, of the stack in the current folder, or of one in which the hook of a leave runs at
 * another time: what is shown of the plan is the same.
 */
const ARCHIVE = `
const { readFileSync, writeFileSync } = require("node:fs");
const { strToU8, zipSync } = require("fflate");
const [out, saved] = process.argv.slice(2);
const stack = JSON.parse(readFileSync("cdk.tf.json", "utf8"));
if (saved === "tampered") delete stack.resource.terraform_data["broker-0-leave"].provisioner[0]["local-exec"].when;
const files = { tfplan: strToU8(saved), "tfconfig/m-/cdk.tf.json": strToU8(JSON.stringify(stack)) };
writeFileSync(out, zipSync(files, { mtime: "2026-01-01" }));
`;

/** Stands in for Terraform: a saved plan has the stack that it was made from, and shown is what the fixture has. */
const TERRAFORM = `#!/bin/sh
echo "$*" >> "$FOLDER/calls"
case "$1" in
  version) echo '{"terraform_version":"1.11.4"}' ;;
  plan) for each; do case "$each" in -out=*) "$NODE" "$FOLDER/archive.cjs" "\${each#-out=}" "$SAVED" ;; esac; done
    case "$STOP" in
      TERM | HUP) trap 'kill $!; echo ended >> "$FOLDER/calls"; exit 1' TERM
        kill -s "$STOP" "$PPID"
        sleep 30 > /dev/null 2>&1 & wait ;;
      INT) trap 'echo ended >> "$FOLDER/calls"; exit 1' INT TERM
        kill -s INT "$PPID"; sleep 1; echo "went on" >> "$FOLDER/calls" ;;
      KILL) kill -s KILL "$PPID" ;;
    esac ;;
  show) cat "$FOLDER/plan.json" ;;
esac
`;

jest.setTimeout(120_000);

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "rollout-plan-test-")));
  mkdirSync(join(folder, "tmp"));
  writeFileSync(join(folder, "terraform"), TERRAFORM);
  writeFileSync(join(folder, "archive.cjs"), ARCHIVE.replace('"fflate"', JSON.stringify(FFLATE)));
  chmodSync(join(folder, "terraform"), 0o755);
  prepare("roll-clients");
});

afterEach(() => {
  chmodSync(join(folder, "tmp"), 0o755);
  rmSync(folder, { recursive: true });
});

describe("rollout plan --out", () => {
  test("keeps the plan and the verdict on exactly that plan, for their owner alone", async () => {
    const { exitCode, stderr, stdout } = await rollout("plan", "broker-0", "--out", "kept");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(savedIn("kept")).toBe("one");
    expect(verdict()).toMatchObject({
      verdict: "accepted",
      view: "broker-0",
      configuration: true,
      plan: { sha256: hashOf("kept") },
    });
    expect(stdout).not.toContain("judged by what is printed");
    expect(["kept", "kept.verdict.json"].map((file) => statSync(join(folder, file)).mode & 0o777)).toEqual([
      0o600, 0o600,
    ]);
    expect(stdout.split("\n").at(-1)).toBe(
      `apply exactly this plan: terraform -chdir=cdktf.out/demo/broker-0 apply ${join(folder, "kept")}`,
    );
    expect(left()).toEqual(["kept", "kept.verdict.json"]);
  });

  test("replaces both by those of the next plan", async () => {
    await rollout("plan", "broker-0", "--out", "kept");
    const first = verdict().plan.sha256;
    await rollout("plan", "broker-0", "--out", "kept", "SAVED=two");
    expect(savedIn("kept")).toBe("two");
    expect(verdict().plan.sha256).toBe(hashOf("kept"));
    expect(verdict().plan.sha256).not.toBe(first);
  });

  test("keeps one that is rejected, says so, and does not say how to apply it", async () => {
    prepare("leave-held");
    const { exitCode, stdout } = await rollout("plan", "broker-0", "--out", "kept");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("\nrejected: ");
    expect(stdout).not.toContain("apply exactly");
    expect(verdict().verdict).toBe("rejected");
  });

  test("refuses a folder, a file in none, and one that may not be written, before Terraform is asked", async () => {
    mkdirSync(join(folder, "taken"));
    mkdirSync(join(folder, "free.verdict.json"));
    const outs = ["taken", "free", "nowhere/plan", "cluster.yaml/plan"];
    expect(await Promise.all(outs.map((out) => refusal(kept(out))))).toEqual([
      [2, "cannot write <folder>/taken: it is a folder; name a file for the plan"],
      [2, "cannot write <folder>/free.verdict.json: it is a folder; name a file for the plan"],
      [2, "cannot write <folder>/nowhere/plan: there is no folder <folder>/nowhere; make it first"],
      [2, "cannot write <folder>/cluster.yaml/plan: there is no folder <folder>/cluster.yaml; make it first"],
    ]);
    expect(existsSync(join(folder, "calls"))).toBe(false);
    expect(readdirSync(join(folder, "taken"))).toEqual([]);
  });

  const linux = process.platform === "linux" ? test : test.skip;
  linux.each(["kept", "kept.verdict.json"])(
    "keeps both or neither: refuses a disk without room for %s",
    async (file) => {
      const full = `test -e "$FOLDER/${file}.$PPID.tmp" || ln -s /dev/full "$FOLDER/${file}.$PPID.tmp"`;
      writeFileSync(join(folder, "terraform"), TERRAFORM.replace("  show) ", `  show) ${full}; `));
      const { exitCode, stdout, stderr } = await rollout("plan", "broker-0", "--out", "kept");
      expect({ exitCode, stdout, stderr }).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /^the disk is full: ENOSPC: .*; make room, and run the same command again$/,
        ),
      });
      expect(left()).toEqual([]);
    },
  );

  test("leaves what was kept before as it was when it is interrupted or Terraform fails", async () => {
    await rollout("plan", "broker-0", "--out", "kept");
    const before = ["kept", "kept.verdict.json"].map((file) => readFileSync(join(folder, file), "utf8"));
    for (const stop of ["INT", "TERM", "HUP", "KILL"]) {
      const ended = await rollout("plan", "broker-0", "--out", "kept", `STOP=${stop}`, "SAVED=two");
      expect([ended.signal, ended.stdout, ended.stderr]).toEqual([`SIG${stop}`, "", ""]);
    }
    writeFileSync(join(folder, "plan.json"), "{");
    expect((await rollout("plan", "broker-0", "--out", "kept", "SAVED=two")).exitCode).not.toBe(0);
    expect(["kept", "kept.verdict.json"].map((file) => readFileSync(join(folder, file), "utf8"))).toEqual(
      before,
    );
    expect(left()).toEqual(["kept", "kept.verdict.json"]);
  });
});

describe("A plan that was made with a hook that runs at another time, of which its JSON says nothing", () => {
  const refused =
    "hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it runs on create); leave the hooks as they are rendered; remove the override";
  const driverPlan = (saved: string) => {
    const run = { env: settings({ SAVED: saved }), folder, stop: new AbortController().signal };
    return new ViewPlanner(run, "broker-0").plan("closed");
  };

  test("rollout plan rejects it", async () => {
    const { exitCode, stdout } = await rollout("plan", "broker-0", "SAVED=tampered");
    expect([exitCode, stdout.split("\n").filter((line) => /^(hooks-as|judged)/.test(line))]).toEqual([
      1,
      [refused],
    ]);
  });

  test("the driver rejects it", async () => {
    expect((await driverPlan("one")).result).toMatchObject({ verdict: "accepted", configuration: true });
    expect(await refusal(driverPlan("tampered"))).toEqual([
      1,
      `rejected: the plan of broker-0 (broker-0) breaks 1 of ${String(RULE_IDS.length)} rules\n${refused}`,
    ]);
  });

  test("rollout check rejects it, and accepts its JSON", async () => {
    await kept("kept", "tampered");
    expect(await checked("kept")).toEqual(verdict());
    expect([verdict().verdict, (await checked("plan.json")).verdict]).toEqual(["rejected", "accepted"]);
  });
});

describe("rollout plan that is asked to end", () => {
  test.each(["INT", "TERM", "HUP"])("leaves no scratch folder behind by SIG%s", async (stop) => {
    for (const out of [[], ["--out", "kept"]]) {
      const { signal } = await rollout("plan", "broker-0", ...out, `STOP=${stop}`);
      expect([signal, scratch(), left()]).toEqual([`SIG${stop}`, [], []]);
    }
    expect(calls()).not.toContain("show");
  });

  test("asks Terraform to end and waits for that, but by Ctrl-C, which reaches Terraform by itself", async () => {
    const told: string[] = [];
    for (const stop of ["TERM", "HUP", "INT"]) {
      await rollout("plan", "broker-0", `STOP=${stop}`);
      told.push(calls().split("\n").at(-2) ?? "");
      rmSync(join(folder, "calls"));
    }
    expect(told).toEqual(["ended", "ended", "went on"]);
  });
});

describe("rollout check of a kept plan", () => {
  test("accepts exactly the plan whose hash was approved, in any case of letters", async () => {
    await kept("kept");
    const hash = hashOf("kept");
    for (const approved of [hash, hash.toUpperCase()]) {
      expect(await checked("kept", approved)).toEqual(verdict());
    }
    const { exitCode, stdout } = await rollout("check", "kept", "--format", "json", "--sha256", hash);
    expect({ exitCode, said: checkResultSchema.parse(JSON.parse(stdout)) }).toEqual({
      exitCode: 0,
      said: verdict(),
    });
  });

  test("reads one that is encrypted, and refuses it where Terraform cannot", async () => {
    await kept("kept");
    const encrypted = JSON.stringify({ meta: {}, encrypted_data: "AA==", encryption_version: "v0" });
    writeFileSync(join(folder, "kept"), encrypted);
    expect(await checked("kept")).toMatchObject({ verdict: "accepted", plan: { sha256: hashOf("kept") } });
    writeFileSync(join(folder, "terraform"), "#!/bin/sh\necho 'Error: no keys' >&2; exit 1\n");
    expect(await refusal(checked("kept"))).toEqual([
      2,
      "terraform show failed for <folder>/kept: no keys; it is encrypted by OpenTofu: read it with that (TERRAFORM_BINARY_NAME=tofu) and with the keys that it was made with (TF_ENCRYPTION)",
    ]);
  });

  test("differs from the check of its JSON in the hash, and in that its configuration is judged, too", async () => {
    await kept("kept");
    const [saved, shown] = [await checked("kept"), await checked("plan.json")];
    expect(saved.plan.sha256).not.toBe(shown.plan.sha256);
    expect(shown.plan.sha256).toBe(hashOf("plan.json"));
    expect([saved.configuration, shown.configuration]).toEqual([true, false]);
    expect({ ...saved, plan: { ...saved.plan, sha256: "" } }).toEqual({
      ...shown,
      configuration: true,
      plan: { ...shown.plan, sha256: "" },
    });
  });

  test("refuses another plan with exit code 1, and asks Terraform nothing", async () => {
    await kept("kept");
    const approved = hashOf("kept");
    await kept("kept", "two");
    rmSync(join(folder, "calls"));
    const { exitCode, stdout, stderr } = await rollout("check", "kept", "--sha256", approved);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `not the plan that was approved: kept is ${hashOf("kept")}, approved was ${approved}; have this one reviewed`,
    });
    expect(existsSync(join(folder, "calls"))).toBe(false);
  });

  test.each(["", "abc", "g".repeat(64), "a".repeat(63), "a".repeat(65), `${"a".repeat(64)}\n`])(
    "refuses %j, which is no hash, with exit code 2",
    async (approved) => {
      expect(await refusal(checked("plan.json", approved))).toEqual([
        2,
        `no SHA-256: ${JSON.stringify(approved)}; expected 64 hexadecimal digits, as rollout check prints them`,
      ]);
    },
  );

  test("takes a verdict beside it that is none for no verdict", async () => {
    await kept("kept");
    for (const written of [
      "null",
      "[]",
      "{",
      '{"view":5}',
      JSON.stringify({ ...verdict(), view: "../../x" }),
    ]) {
      writeFileSync(join(folder, "kept.verdict.json"), written);
      expect({ written, verdict: (await checked("kept")).verdict }).toEqual({ written, verdict: "accepted" });
    }
  });
});

const prepare = (name: string): void => {
  layFixture(folder, name);
};

const savedIn = (file: string): string =>
  strFromU8(unzipSync(readFileSync(join(folder, file)))["tfplan"] ?? new Uint8Array());

const hashOf = (file: string): string =>
  createHash("sha256")
    .update(readFileSync(join(folder, file)))
    .digest("hex");

const verdict = (): CheckResult =>
  checkResultSchema.parse(JSON.parse(readFileSync(join(folder, "kept.verdict.json"), "utf8")));

const checked = (file: string, approved?: string): Promise<CheckResult> =>
  runCheck(settings(), {
    plan: join(folder, file),
    ...(approved === undefined ? {} : { sha256: approved }),
  }) as Promise<CheckResult>;

/** `rollout plan broker-0 --out FILE`, by its function. */
const kept = (file: string, saved = "one") =>
  runPlan(settings({ SAVED: saved }), { view: "broker-0", out: join(folder, file) });

/** The exit code and the text with which something is refused. */
const refusal = (asked: Promise<unknown>): Promise<[exitCode: number, message: string]> =>
  asked.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      return [error.exitCode, error.message.replaceAll(folder, "<folder>")];
    },
  );

const calls = (): string => readFileSync(join(folder, "calls"), "utf8");

const scratch = (): string[] =>
  readdirSync(join(folder, "tmp")).filter((name) => name.startsWith("rollout-"));

/** What a run put beside the files that were there. */
const left = (): string[] => readdirSync(folder).filter((file) => file.startsWith("kept"));

/** The compiled program with the stand-in; `NAME=value` at the end goes to the environment. */
function rollout(...args: readonly string[]) {
  const isSetting = (arg: string): boolean => /^(SAVED|STOP)=/.test(arg);
  const own = Object.fromEntries(args.filter(isSetting).map((arg) => arg.split("=") as [string, string]));
  return execa(process.execPath, [PROGRAM, ...args.filter((arg) => !isSetting(arg))], {
    cwd: folder,
    env: settings({ CLUSTER: "cluster.yaml", CDKTF_OUTDIR: "cdktf.out", ...own }),
    stdin: "ignore",
    reject: false,
  });
}

function settings(more: Readonly<Record<string, string>> = {}) {
  return {
    NODE_OPTIONS: "",
    CLUSTER: join(folder, "cluster.yaml"),
    CDKTF_OUTDIR: join(folder, "cdktf.out"),
    TERRAFORM_BINARY_NAME: join(folder, "terraform"),
    FOLDER: folder,
    TMPDIR: join(folder, "tmp"),
    TF_PLUGIN_CACHE_DIR: join(folder, "tmp"),
    NODE: process.execPath,
    SAVED: "one",
    STOP: "",
    ...more,
  };
}
