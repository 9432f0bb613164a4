import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { formatReviewMarkdown } from "../../cli/output/review-markdown.js";
import { bigReview } from "../cli/output/review-cases.js";

const WORKFLOW = readFileSync(new URL("../../docs/ci/github-actions.yml", import.meta.url), "utf8");
const ATLANTIS = readFileSync(new URL("../../docs/ci/atlantis.md", import.meta.url), "utf8");
const PROGRAM = new URL("../../dist/bin/rollout.js", import.meta.url).pathname;

interface Step {
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
}
interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = parse(WORKFLOW) as Workflow;
const jobs = Object.entries(workflow.jobs);

test("the pipeline's jobs have the least rights", () => {
  expect(workflow.permissions).toEqual({});
  expect(Object.fromEntries(jobs.map(([name, { permissions }]) => [name, permissions]))).toEqual({
    review: { contents: "read", "pull-requests": "write" },
    plan: { contents: "read", "id-token": "write" },
    deploy: { contents: "read", "id-token": "write" },
  });
});

test("the pipeline runs code of pull requests without their base's secrets", () => {
  expect(Object.keys(workflow.on)).toEqual(["pull_request", "push"]);
  expect(WORKFLOW).not.toContain("pull_request_target");
  expect(WORKFLOW).not.toContain("secrets.");
});

test("the deploy waits for a person, and every job for no longer than it may", () => {
  expect(workflow.jobs["deploy"]?.environment).toBe("production");
  expect(jobs.map(([, job]) => job["timeout-minutes"])).toEqual([15, 30, 180]);
});

test("no expression is pasted into a shell script, where a branch's name could be a command", () => {
  const scripts = jobs.flatMap(([, { steps }]) =>
    steps.flatMap(({ run }) => (run === undefined ? [] : [run])),
  );
  expect(scripts.length).toBeGreaterThan(5);
  expect(scripts.filter((script) => script.includes("${{"))).toEqual([]);
});

test("every action is pinned to a commit, and checkouts keep no credentials", () => {
  const actions = jobs.flatMap(([, { steps }]) =>
    steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses])),
  );
  expect(actions.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([]);
  expect(WORKFLOW.match(/actions\/checkout@/g)?.length).toBe(
    WORKFLOW.match(/persist-credentials: false/g)?.length,
  );
});

test("the plan has a role of its own, and credentials are for the steps that need them", () => {
  const roleOf = (job: string) =>
    workflow.jobs[job]?.steps.flatMap(({ with: given }) => given?.["role-to-assume"] ?? []);
  expect([roleOf("plan"), roleOf("deploy")]).toEqual([
    ["${{ vars.AWS_PLAN_ROLE }}"],
    ["${{ vars.AWS_ROLE }}"],
  ]);
  const holders = jobs.flatMap(([, { env = {}, steps }]) => [
    ...(/token|secret/i.test(JSON.stringify(env)) ? ["a job"] : []),
    ...steps
      .filter(({ env: own }) => /token|secret/i.test(JSON.stringify(own ?? {})))
      .map(({ name }) => name),
  ]);
  expect(holders).toEqual(["Comment", "Plan and check", "Deploy"]);
  const assuming = jobs.flatMap(([, { steps }]) =>
    steps.flatMap((step) => (step.with?.["role-to-assume"] ? [step.with] : [])),
  );
  expect(assuming.map((given) => given["output-env-credentials"])).toEqual([false, false]);
});

test("what is handed from the plan to the deploy is the plan alone", () => {
  const given = workflow.jobs["plan"]?.steps.at(-1)?.with;
  expect(given?.["path"]).toBe("rollout.plan");
});

test("the view is read from a field", () => {
  expect(WORKFLOW).toContain("jq -r '.nextView // empty'");
  expect(`${WORKFLOW}${ATLANTIS}`).not.toMatch(/##\*|split/);
});

test("a comment is posted for every review that says of itself that something is changed", () => {
  const [, condition = ""] = /elif (.*); then/.exec(WORKFLOW) ?? [];
  const isPosted = (changed: 0 | 1) => {
    const input = formatReviewMarkdown(bigReview({ pools: 1, changed }));
    return spawnSync("bash", ["-c", condition.replace("review.md", "-")], { input }).status === 0;
  };
  expect([isPosted(0), isPosted(1)]).toEqual([false, true]);
});

test("the scripts are valid for bash", () => {
  for (const [, { steps }] of jobs) {
    for (const { run } of steps) {
      if (run !== undefined) execFileSync("bash", ["-n"], { input: run });
    }
  }
});

test("every verb and option that the pipelines use is one of the program's", () => {
  const calls = [
    ...`${WORKFLOW}\n${ATLANTIS}`.matchAll(
      /npx rollout ([a-z]+)((?: --?[a-z0-9]+| "[^"]*"| [a-z][\w./]*)*)/g,
    ),
  ];
  expect(calls.length).toBeGreaterThan(8);
  for (const [, verb = "", rest = ""] of calls) {
    const help = execFileSync(process.execPath, [PROGRAM, verb, "--help"], { encoding: "utf8", env: {} });
    const options = [...rest.matchAll(/--[a-z0-9]+/g)].map(([option]) => option);
    expect(options.filter((option) => !help.includes(option))).toEqual([]);
  }
});
