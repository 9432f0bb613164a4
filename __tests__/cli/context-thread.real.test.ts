import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { readCluster } from "../../program/read-deployed.js";
import { layFixture } from "../guard/plan/plan-fixture.js";

const BUNDLE = new URL("../../dist/bin/", import.meta.url);
const PROGRAM = fileURLToPath(new URL("rollout.js", BUNDLE));
const THREAD = fileURLToPath(new URL("context-worker.js", BUNDLE));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-thread-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("the thread hands over the very spec and state that are read without it", async () => {
  prepare("aws-roll-clients");
  const env = { CLUSTER: join(folder, "cluster.yaml") };
  const worker = new Worker(THREAD, { workerData: env });
  const [context] = (await once(worker, "message")) as unknown[];
  // Of another realm, so compared by what it is made of.
  expect(described(context)).toEqual(described(await readCluster(env)));
});

test.each([
  ["accepted", "aws-roll-clients", 0],
  ["rejected", "aws-two-groups", 1],
])(
  "a large plan is %s as a small one is, with a thread that reads spec and state",
  async (_, name, code) => {
    prepare(name);
    const small = await check();
    expect(await startsThread()).toBe(false);
    makeLarge();
    const large = await check();
    expect(await startsThread()).toBe(true);
    expect([small.exitCode, large.exitCode]).toEqual([code, code]);
    expect(tidy(large.stdout)).toBe(tidy(small.stdout));
  },
  60_000,
);

test("refuses a large plan without its spec, or with a broken state, in the words for a small one", async () => {
  prepare("aws-roll-clients");
  makeLarge();
  writeFileSync(join(folder, "terraform.demo.tfstate"), '{"version": 5}');
  const { exitCode, stderr } = await check();
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr:
      "the state has a newer format: terraform.demo.tfstate has state format 5, this program reads 4; use a version of this program that reads it",
  });
  rmSync(join(folder, "cluster.yaml"));
  expect((await check()).stderr).toBe(
    "cannot read cluster.yaml: there is no such file; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
}, 60_000);

test("refuses what is large and no plan, whatever the thread is doing", async () => {
  prepare("aws-roll-clients");
  writeFileSync(join(folder, "plan.json"), `{${" ".repeat(9_000_000)}`);
  const { exitCode, stderr } = await check();
  expect({ exitCode, stderr }).toEqual({
    exitCode: 2,
    stderr: "not a plan: it is not JSON, or is cut off; make it with: terraform show -json PLANFILE",
  });
});

const prepare = (name: string): void => {
  layFixture(folder, name);
};

/** White space behind a plan makes it no other. */
function makeLarge(): void {
  writeFileSync(join(folder, "plan.json"), " ".repeat(9_000_000), { flag: "a" });
}

const check = (env: Record<string, string> = {}) =>
  execa(process.execPath, [PROGRAM, "check", "plan.json"], {
    cwd: folder,
    env: { NODE_OPTIONS: "", CLUSTER: "cluster.yaml", ...env },
    reject: false,
  });

/** Node itself says when a thread is started. */
const startsThread = async (): Promise<boolean> =>
  /^WORKER \d+: \[0\] create new worker/m.test((await check({ NODE_DEBUG: "worker" })).stderr);

const tidy = (text: string): string => text.replace(/[0-9a-f]{64}/g, "<sha256>");

/** As JSON, maps and sets too. */
const described = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      Object.prototype.toString.call(each) === "[object Map]" ||
      Object.prototype.toString.call(each) === "[object Set]"
        ? [...(each as Iterable<unknown>)]
        : each,
    ),
  );
