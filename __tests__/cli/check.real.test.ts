import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { checkResultSchema, type CheckResult } from "../../program/check-result.js";
import { runCheck } from "../../cli/check.js";
import { formatCheckMarkdown } from "../../cli/output/check.js";
import { buildApp, loadProgram } from "../../program/program.js";
import { RULE_IDS } from "../../guard/verdict.js";
import { layFixture, readFixtureFiles } from "../guard/plan/plan-fixture.js";
import { describeReal } from "../support/environment.js";
import { allNodes, readMarkdown, textOutsideCode } from "./output/read-markdown.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

const RULES = `${String(RULE_IDS.length)} rules`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-check-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("rollout check", () => {
  test("accepts a clean roll with exit code 0", async () => {
    const { exitCode, stdout, stderr } = await check("roll-clients");
    expect({ exitCode, stderr, stdout: tidy(stdout) }).toMatchInlineSnapshot(`
     {
       "exitCode": 0,
       "stderr": "",
       "stdout": "accepted: the plan of broker-0 (broker-0); <all> rules passed
     changes: 2 machines (broker-0: v1 -> v2); Terraform: 1 update, 10 replace
     judged by what is printed of the plan, which does not say when hooks run, nor what locals and overriding files do: the saved plan itself does
     deployed: terraform.demo.tfstate, serial N
     plan: sha256 <sha256>, Terraform 1.11.4, format 1.2",
     }
    `);
  });

  test("rejects a plan that touches two groups with exit code 1, one line a violation", async () => {
    const { exitCode, stdout, stderr } = await check("two-groups");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
    const [first, ...rest] = stdout.split("\n");
    expect(first).toBe(`rejected: the plan of broker-0 (broker-0, broker-1) breaks 3 of ${RULES}`);
    expect(rest.map((line) => line.split(":")[0])).toEqual([
      "one-group",
      "target-group",
      "config-consul-refresh",
      "changes",
      expect.stringMatching(/^judged by what is printed/),
      "deployed",
      "plan",
    ]);
  });

  test("reads a plan from standard input", async () => {
    prepare("roll-clients");
    const input = readFixtureFiles("roll-clients").plan;
    const { exitCode, stdout } = await rollout(["check", "-"], { input });
    expect({ exitCode, first: stdout.split("\n")[0] }).toEqual({
      exitCode: 0,
      first: `accepted: the plan of broker-0 (broker-0); ${RULES} passed`,
    });
  });

  test.each([
    ["half a plan", (file: string) => readFixtureFiles("roll-clients").plan.slice(0, file.length + 5000)],
    ["an empty file", () => ""],
    ["a state", () => readFixtureFiles("roll-clients").state],
    ["a spec", () => readFixtureFiles("roll-clients").spec],
    ["what begins like a saved plan and is none", () => "PK\u0003\u0004"],
  ])("rejects %s with exit code 2 and one line", async (_, content) => {
    const file = prepare("roll-clients");
    writeFileSync(file, content(file));
    const { exitCode, stdout, stderr } = await rollout(["check", file]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    const said = stderr.replaceAll(folder, "<folder>").replaceAll("tofu show", "terraform show");
    expect(said).toMatchSnapshot();
  });

  test("rejects a file that is not there, and no file at all, with exit code 2", async () => {
    prepare("roll-clients");
    const missing = await rollout(["check", "missing.json"]);
    expect({ exitCode: missing.exitCode, stderr: missing.stderr }).toEqual({
      exitCode: 2,
      stderr: "cannot read missing.json: there is no such file; name a plan, or - for standard input",
    });
    const none = await rollout(["check"]);
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain("error: missing required argument 'plan'");
  });

  test("prints JSON that the published schema accepts, for every verdict", async () => {
    for (const name of ["roll-clients", "two-groups", "stranger"]) {
      const { stdout } = await check(name, "--format", "json");
      const result = checkResultSchema.parse(JSON.parse(stdout));
      expect(result).toEqual(await run(name));
    }
  });

  test("names the plan by the hash of its bytes, and demands the one that was approved", async () => {
    const { plan } = await run("roll-clients");
    expect(plan.sha256).toMatch(/^[0-9a-f]{64}$/);
    const file = prepare("roll-clients");
    expect((await rollout(["check", file, "--sha256", plan.sha256])).exitCode).toBe(0);
    writeFileSync(file, `${readFixtureFiles("roll-clients").plan} `);
    const changed = await rollout(["check", file, "--sha256", plan.sha256]);
    expect(changed.exitCode).toBe(1);
    expect(changed.stderr).toContain("not the plan that was approved");
  });

  test("tells a plan that does not record from one that does", async () => {
    expect((await run("gate-closed")).gate).toBe("closed");
    expect((await run("roll-clients")).gate).toBe("open");
  });

  test("counts what changes, and tells drift apart", async () => {
    const { changes, drift, view, touched } = await run("roll-consul-server");
    expect({ view, touched, drift }).toEqual({
      view: "consul-server-1",
      touched: expect.any(Array),
      drift: [],
    });
    expect(changes).toMatchInlineSnapshot(`
     {
       "byAction": {
         "create": 0,
         "delete": 0,
         "forget": 0,
         "move": 0,
         "replace": 13,
         "unknown": 0,
         "update": 1,
       },
       "images": [
         "consul-server-1: v1 -> v2",
       ],
       "machines": 1,
     }
    `);
  });

  test("refuses to judge by anything but the state: a stale plan would pass", async () => {
    const file = prepare("roll-clients");
    for (const [value, where] of [
      ["file:copy.json", "copy.json"],
      ["file:cluster.yaml", "cluster.yaml"],
    ] as const) {
      writeFileSync(join(folder, "copy.json"), readFixtureFiles("roll-clients").state);
      const { exitCode, stdout, stderr } = await rollout(["check", file], {
        env: { ROLLOUT_DEPLOYED: value },
      });
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toContain(
        `a plan is judged against the state, and deployed is taken from file:${where}`,
      );
      expect(stderr).toContain("unset ROLLOUT_DEPLOYED");
    }
  });
});

describe("The verdict in Markdown", () => {
  test("says the verdict first and the violations by rule", async () => {
    expect(tidy(formatCheckMarkdown(await run("leave-held")))).toMatchInlineSnapshot(`
     "### ✖ rejected: the plan of broker-0 (broker-0)

     - **leave-hook-runs**: 2 machines of broker-0 would go before their work has left, since the hook of \`terraform_data.broker-0-leave\` would not run; plan the view as it is synthesized, without -target and -replace: rollout plan broker-0

     2 machines (broker-0: v1 -&gt; v2); Terraform: 1 update, 9 replace

     judged by what is printed of the plan, which does not say when hooks run, nor what locals and overriding files do: the saved plan itself does

     <sub>plan sha256 <sha256> · Terraform \`1.11.4\` · deployed: terraform.demo.tfstate, serial N</sub>"
    `);
  });

  test("nothing that a plan names is markup, a link or a mention", async () => {
    const result = await run("roll-clients");
    const evil = "</details><script>@all\n\n# x `y` | [z](w)";
    const violation = { rule: "one-group", subjects: [evil], message: evil, remedy: evil } as const;
    const spoiled: CheckResult = {
      ...result,
      view: evil,
      touched: [evil],
      violations: [{ ...violation, subjects: [evil] }],
      drift: [{ address: evil, action: evil }],
      deployed: evil,
      changes: { ...result.changes, images: [evil] },
      plan: { ...result.plan, terraformVersion: evil },
    };
    const markdown = formatCheckMarkdown(spoiled);
    const read = await readMarkdown(markdown);
    const nodes = allNodes(read);
    const tags = nodes.flatMap(({ type, value }) => (type === "html" ? [value ?? ""] : []));
    expect(tags.filter((tag) => !/^<\/?code>$/.test(tag))).toEqual([
      "<details><summary>drift, not counted (1)</summary>",
      "</details>",
      "<sub>",
      "</sub>",
    ]);
    expect(nodes.filter(({ type }) => type === "heading")).toHaveLength(1);
    expect(nodes.filter(({ type }) => ["link", "image", "table"].includes(type))).toEqual([]);
    expect(textOutsideCode(read)).not.toMatch(/@all|script|# x/);
  });
});

describeReal("rollout check of a saved plan", ["terraform"], ({ env, terraform }) => {
  /** The plan of broker-0, as it lies in the folder of its stack. */
  async function savedPlan(tamper: (cwd: string) => void = () => undefined): Promise<string> {
    prepare("roll-clients");
    const out = join(folder, "out");
    const program = await loadProgram({ CLUSTER: join(folder, "cluster.yaml"), ROLLOUT_CAUSE: "a test" });
    buildApp({ ...program, views: ["broker-0"] }, out).synth();
    const cwd = join(out, "demo", "broker-0");
    tamper(cwd);
    await execa(terraform, ["init"], { cwd, env });
    await execa(terraform, ["plan", "-out=saved"], { cwd, env });
    return join(cwd, "saved");
  }

  type Stack = Record<string, Record<string, Record<string, Record<string, unknown>>>>;

  const leaveIn = ({ resource }: Stack) =>
    resource?.["terraform_data"]?.["broker-0-leave"]?.["provisioner"] as [
      { "local-exec": { when?: string } },
    ];

  test("asks Terraform for it in the folder that was initialized, and gives the verdict of its JSON", async () => {
    const saved = await savedPlan();
    const text = await rollout(["check", saved], { env });
    expect(text.stdout.split("\n")[0]).toBe(`accepted: the plan of broker-0 (broker-0); ${RULES} passed`);
    expect(text.exitCode).toBe(0);

    const moved = join(folder, "moved");
    copyFileSync(saved, moved);
    const elsewhere = await rollout(["check", moved], { env });
    expect([0, 2]).toContain(elsewhere.exitCode);
    expect(elsewhere.stderr).not.toMatch(/^\s+at /m);
  });

  test("rejects one that was made with a file beside the stack, which leaves no trace in its JSON", async () => {
    const saved = await savedPlan((cwd) => {
      const stack = JSON.parse(readFileSync(join(cwd, "cdk.tf.json"), "utf8")) as Stack;
      const leave = leaveIn(stack);
      delete leave[0]["local-exec"].when;
      const override = { resource: { terraform_data: { "broker-0-leave": { provisioner: leave } } } };
      writeFileSync(join(cwd, "x_override.tf.json"), JSON.stringify(override));
    });
    const { exitCode, stdout } = await rollout(["check", saved], { env });
    expect([exitCode, stdout.split("\n")[1]]).toEqual([
      1,
      "unattributed-change: the plan was made with files that this program did not write: x_override.tf.json; remove them, and plan the stack as it is synthesized",
    ]);
  });

  test("rejects one of a stack in which a hook runs at another time, which its JSON does not say", async () => {
    const saved = await savedPlan((cwd) => {
      const file = join(cwd, "cdk.tf.json");
      const stack = JSON.parse(readFileSync(file, "utf8")) as Stack;
      delete leaveIn(stack)[0]["local-exec"].when;
      writeFileSync(file, JSON.stringify(stack));
    });
    const { exitCode, stdout } = await rollout(["check", saved], { env });
    expect([exitCode, stdout.split("\n")[1]]).toEqual([
      1,
      "hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it runs on create); leave the hooks as they are rendered; remove the override",
    ]);
    const shown = await execa(terraform, ["show", "-json", "saved"], { cwd: dirname(saved), env });
    expect((await rollout(["check", "-"], { env, input: shown.stdout })).exitCode).toBe(0);
  });

  test("refuses one of a stack in which a key stands twice: Terraform takes in both", async () => {
    const saved = await savedPlan((cwd) => {
      const file = join(cwd, "cdk.tf.json");
      writeFileSync(file, readFileSync(file, "utf8").replace("{", '{"locals":{"first":1},'));
    });
    const { exitCode, stderr } = await rollout(["check", saved], { env });
    expect([exitCode, stderr]).toEqual([
      2,
      "not a plan: the archive does not hold a stack as this program writes it, from which it was made; make it with: terraform show -json PLANFILE",
    ]);
  });
});

/** Lays spec, state and plan of a fixture into the folder; answers where the plan is. */
function prepare(name: string): string {
  layFixture(folder, name);
  return join(folder, "plan.json");
}

const run = (name: string): Promise<CheckResult> =>
  runCheck(
    { CLUSTER: join(folder, "cluster.yaml"), ROLLOUT_DEPLOYED: "state" },
    { plan: prepare(name) },
  ) as Promise<CheckResult>;

const check = (name: string, ...options: string[]) => rollout(["check", prepare(name), ...options]);

/** The compiled program in the folder, as a user starts it. */
function rollout(args: readonly string[], options: { env?: Record<string, string>; input?: string } = {}) {
  const { env = {}, input = "" } = options;
  return execa(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { NODE_OPTIONS: "", CLUSTER: "cluster.yaml", ...env },
    input,
    reject: false,
  });
}

const tidy = (text: string): string =>
  text
    .replace(/[0-9a-f]{64}/g, "<sha256>")
    .replaceAll(RULES, "<all> rules")
    .replace(/serial \d+/g, "serial N")
    .replaceAll(folder, "<folder>");
