import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { buildProgram, runRollout } from "../../cli/rollout.js";
import { verbsOf } from "../../scripts/reference/verbs.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";

const PACKAGE = new URL("../../package.json", import.meta.url);
const PLAN = '{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{"root_module":{}}}';

/** How each verb is called, and how it ends where nothing is deployed beside no git. */
const CALLS: Readonly<Record<string, { readonly words: string; readonly ends: 0 | 1 | 2 }>> = {
  status: { words: "", ends: 0 },
  history: { words: "", ends: 0 },
  checks: { words: "broker", ends: 1 },
  // It reads no spec, and writes one.
  init: { words: "--platform moon", ends: 2 },
  validate: { words: "", ends: 0 },
  "set image": { words: "broker-0=ami-0bbb", ends: 0 },
  retire: { words: "broker", ends: 2 },
  plan: { words: "broker-0", ends: 2 },
  check: { words: "plan.json", ends: 1 },
  review: { words: "", ends: 0 },
  rehearse: { words: "broker-9", ends: 2 },
  deploy: { words: "", ends: 1 },
  pause: { words: "", ends: 0 },
  resume: { words: "", ends: 0 },
  cancel: { words: "", ends: 0 },
  undo: { words: "broker-0", ends: 1 },
  restart: { words: "broker-0", ends: 1 },
  gc: { words: "", ends: 1 },
  destroy: { words: "", ends: 1 },
};

const verbs = verbsOf(buildProgram()).map(({ fullName, options }) => ({
  verb: fullName.replace("rollout ", ""),
  hasJson: options.some(
    ({ long, argChoices }) => long === "--format" && argChoices?.includes("json") === true,
  ),
}));
const withJson = verbs.filter(({ hasJson }) => hasJson);

let folder: string;
let stdout: string[];
const before = { argv: process.argv, cwd: process.cwd(), exitCode: process.exitCode };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-exit-"));
  process.chdir(folder);
  writeFileSync("cluster.yaml", LOCAL_EXAMPLE);
  writeFileSync("plan.json", PLAN);
  stdout = [];
  jest.spyOn(process.stdout, "write").mockImplementation((text) => stdout.push(String(text)) > 0);
  jest.spyOn(process.stderr, "write").mockReturnValue(true);
  jest.spyOn(console, "error").mockReturnValue();
});

afterEach(() => {
  jest.restoreAllMocks();
  process.chdir(before.cwd);
  [process.argv, process.exitCode] = [before.argv, before.exitCode];
  process.stdout.removeAllListeners("error");
  process.stderr.removeAllListeners("error");
  rmSync(folder, { recursive: true });
});

/** @returns the exit code */
async function run(...words: readonly string[]): Promise<unknown> {
  process.exitCode = 0;
  process.argv = [
    "node",
    "rollout",
    ...words
      .join(" ")
      .split(" ")
      .filter((word) => word !== ""),
  ];
  await runRollout();
  return process.exitCode;
}

const breakSpec = (): void => {
  writeFileSync("cluster.yaml", "name: 3\n");
};

test("every verb is among them", () => {
  expect(Object.keys(CALLS)).toEqual(verbs.map(({ verb }) => verb));
});

describe.each(verbs)("$verb", ({ verb }) => {
  const { words = "", ends } = CALLS[verb] ?? {};

  test("rejects an option that it does not know, a spec with a mistake and one that is not there with 2", async () => {
    expect(await run(verb, words, "--nope")).toBe(2);
    breakSpec();
    expect(await run(verb, words)).toBe(2);
    rmSync("cluster.yaml");
    const env = process.env["CLUSTER"];
    process.env["CLUSTER"] = "none.yaml";
    expect(await run(verb, words)).toBe(2);
    if (env === undefined) delete process.env["CLUSTER"];
    else process.env["CLUSTER"] = env;
  });

  test(`ends with ${String(ends)} where nothing is deployed, as its table has it`, async () => {
    expect(await run(verb, words)).toBe(ends);
  });
});

test.each(withJson)(
  "a refusal of $verb is JSON on standard output where that was asked for",
  async ({ verb }) => {
    breakSpec();
    expect(await run(verb, CALLS[verb]?.words ?? "", "--format json")).toBe(2);
    expect(JSON.parse(stdout.join(""))).toEqual({
      error: expect.stringMatching(/^cluster\.yaml: backend: missing;/),
      exitCode: 2,
    });
    stdout = [];
    expect(await run(verb, "--format=json --nope")).toBe(2);
    expect(JSON.parse(stdout.join(""))).toEqual({ error: "error: unknown option '--nope'", exitCode: 2 });
    stdout = [];
    expect(await run(verb, CALLS[verb]?.words ?? "")).toBe(2);
    expect(stdout).toEqual([]);
  },
);

test("status ends with 3 where it is not healthy, if that is asked for", async () => {
  expect(await run("status --fail-on-pending")).toBe(3);
  expect(stdout.join("")).toContain("all 12 groups are new");
  expect(await run("status --fail-on-pending --watch")).toBe(2);
});

test("deploy without a target says why nothing comes next", async () => {
  expect(await run("deploy --format json")).toBe(1);
  expect(JSON.parse(stdout.join(""))).toEqual({
    error: "nothing is rolled: pending: all 12 groups are new; next: npx rollout deploy cluster",
    exitCode: 1,
  });
});

test("alone it says where the cluster stands, a verb that it does not know is none, and its version is that of the package", async () => {
  expect(await run("")).toBe(0);
  expect(stdout.join("")).toContain("next: npx rollout deploy cluster");
  expect(await run("statsu")).toBe(2);
  stdout = [];
  expect(await run("--version")).toBe(0);
  const { version } = JSON.parse(readFileSync(PACKAGE, "utf8")) as { version: string };
  expect(stdout.join("")).toBe(`${version}\n`);
});

test("each verb stands in a group of the help", () => {
  const program = buildProgram();
  expect(program.commands.filter((verb) => verb.helpGroup() === "").map((verb) => verb.name())).toEqual([]);
});
