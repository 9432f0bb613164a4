import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { readFixtureFiles } from "../guard/plan/plan-fixture.js";

const GENERATOR = fileURLToPath(new URL("../../bench/plans.mjs", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-plans-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test.each([
  ["accepted", "aws-roll-clients"],
  ["rejected", "aws-two-groups"],
] as const)("the smallest %s plan is the recorded one, to the byte", async (verdict, name) => {
  await generate(verdict, "1", "1,1,1");
  const { plan, state } = readFixtureFiles(name);
  expect(read(`${verdict}.json`)).toBe(plan);
  expect(read("terraform.demo.tfstate")).toBe(state);
});

test("a plan of many machines in several pools is accepted, with all of them", async () => {
  await generate("accepted", "3", "4,3,2");
  const { exitCode, stdout, stderr } = await check("accepted");
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.split("\n").slice(0, 2)).toEqual([
    "accepted: the plan of broker-0 (broker-0); 16 rules passed",
    "changes: 4 machines (broker-0: ami-0aaa -> ami-0bbb); Terraform: 1 update, 14 replace",
  ]);
});

test("rejects its twin, which touches a second group", async () => {
  await generate("rejected", "3", "4,3,2");
  const { exitCode, stdout } = await check("rejected");
  expect(exitCode).toBe(1);
  expect(stdout.split("\n").map((line) => line.split(":")[0])).toEqual([
    "rejected",
    "one-group",
    "target-group",
    "config-consul-refresh",
    "changes",
    expect.stringMatching(/^judged by what is printed/),
    "drift, not counted",
    "deployed",
    "plan",
  ]);
});

test("no address stands twice, no machine's id belongs to two, and the bytes are always the same", async () => {
  await generate("accepted", "3", "4,3,2");
  const text = read("accepted.json");
  const { resource_changes: resources } = JSON.parse(text) as {
    resource_changes: { address: string; type: string; change: { before: { id: string } } }[];
  };
  const machines = resources.filter(({ type }) => type === "aws_instance");
  expect(new Set(resources.map(({ address }) => address)).size).toBe(resources.length);
  expect(new Set(machines.map(({ change }) => change.before.id)).size).toBe(6 + 3 * (4 + 3 + 2));
  await generate("accepted", "3", "4,3,2");
  expect(hashOf(read("accepted.json"))).toBe(hashOf(text));
});

const generate = (...args: readonly string[]) => execa(process.execPath, [GENERATOR, folder, ...args]);

const check = (verdict: string) =>
  execa(process.execPath, [PROGRAM, "check", `${verdict}.json`], {
    cwd: folder,
    env: { NODE_OPTIONS: "", CLUSTER: "cluster.yaml" },
    reject: false,
  });

const read = (file: string): string => readFileSync(join(folder, file), "utf8");

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
