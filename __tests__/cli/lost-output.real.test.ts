import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { layFixture } from "../guard/plan/plan-fixture.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

const MAIN = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

const FULL =
  "the disk is full: ENOSPC: no space left on device, write; make room, and run the same command again\n";

const VERBS = ["--help", "deploy --help", "validate", "status", "status --watch", "history"];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-lost-"));
  layFixture(folder, "roll-clients");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("A verb whose output is lost", () => {
  test.each(VERBS)("ends quietly as if by SIGPIPE where its reader has gone: %s", async (verb) => {
    expect(await rollout(verb.split(" "), "pipe")).toEqual({ exitCode: 141, stderr: "" });
  });

  const linux = process.platform === "linux" ? test.each(VERBS) : test.skip.each(VERBS);
  linux("rejects a full disk without a stack trace: %s", async (verb) => {
    expect(await rollout(verb.split(" "), "/dev/full")).toEqual({
      exitCode: 1,
      stderr: FULL,
    });
  });
});

describe("A synth on a full disk", () => {
  const linux = process.platform === "linux" ? test : test.skip;
  linux.each(["demo/broker-0/cdk.tf.json", "demo/broker-0/hooks.json", "manifest.json"])(
    "is rejected without a stack trace where there is no room for %s",
    async (file) => {
      mkdirSync(join(folder, "out", "demo", "broker-0"), { recursive: true });
      symlinkSync("/dev/full", join(folder, "out", file));
      expect(await rollout([], "pipe", MAIN)).toEqual({ exitCode: 1, stderr: FULL });
    },
  );
});

/** The compiled program, whose standard output goes to a pipe that nobody reads, or to a file. */
async function rollout(args: readonly string[], output: "pipe" | "/dev/full", program = PROGRAM) {
  const file = output === "pipe" ? undefined : openSync(output, "w");
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: "", CLUSTER: "cluster.yaml", CDKTF_OUTDIR: "out" },
    stdio: ["ignore", file ?? "pipe", "pipe"],
  });
  child.stdout?.destroy();
  if (file !== undefined) closeSync(file);
  const said = child.stderr === null ? "" : text(child.stderr);
  const [exitCode] = (await once(child, "exit")) as [number | null];
  return { exitCode, stderr: await said };
}
