import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { EXAMPLE, LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { git } from "./git.js";
import { Workspace, type Outcome } from "./workspace.js";

jest.setTimeout(120_000);

let demo: Workspace;

afterEach(async () => {
  await demo.remove();
});

describe("A review without credentials", () => {
  beforeEach(async () => {
    demo = await committed(EXAMPLE);
  });

  test("synthesizes the pending group's view from the last commit, without a state", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    const { exitCode, output } = await demo.cdktf(["synth"], { ROLLOUT_DEPLOYED: "git:HEAD" });

    expect(exitCode).toBe(0);
    for (const view of ["broker-0", "cluster"]) {
      expect(output).toContain(
        `WARN [${view}]: deployed is taken from git:HEAD, not from the state: for a review only`,
      );
    }
    expect(await stacks()).toEqual(["broker-0", "cluster"]);
  });

  test("takes what is deployed from a revision or from a file, and says so", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await commit("Roll broker-0");
    await writeFile(join(demo.folder, "old.yaml"), EXAMPLE);

    for (const [deployed, views] of [
      ["git:HEAD", ["cluster"]],
      ["git:HEAD~1", ["cluster", "broker-0"]],
      ["file:old.yaml", ["cluster", "broker-0"]],
    ] as const) {
      const status = await demo.status({ ROLLOUT_DEPLOYED: deployed });
      expect(status.views).toEqual(views);
      expect(status.deployed).toMatchObject({ forReview: true, empty: false });
      expect(status.deployed.origin).toContain(deployed);
    }
  });

  test("refuses two changed groups", async () => {
    await demo.rollout(["set", "image", "broker-0=ami-0bbb", "broker-1=ami-0bbb"]);
    const { exitCode, output } = await demo.synth({ ROLLOUT_DEPLOYED: "git:HEAD" });

    expect(exitCode).toBe(1);
    expect(output).toMatchInlineSnapshot(
      `"one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb), broker-1 (ami-0aaa -> ami-0bbb); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
    );
  });

  test("refuses to make a plan of it", async () => {
    expect(await demo.rollout(["plan"], { ROLLOUT_DEPLOYED: "git:HEAD" })).toMatchInlineSnapshot(`
     {
       "exitCode": 2,
       "output": "ROLLOUT_DEPLOYED is set: a plan is made from the state alone; unset it",
     }
    `);
  });

  test("refuses what is no origin", async () => {
    const refusals = new Map<string, Outcome>();
    for (const value of bad) refusals.set(value, await demo.synth({ ROLLOUT_DEPLOYED: value }));

    expect(Object.fromEntries(refusals)).toMatchInlineSnapshot(`
     {
       "": {
         "exitCode": 2,
         "output": "ROLLOUT_DEPLOYED is ""; expected state, git:REVISION or file:PATH",
       },
       "file:": {
         "exitCode": 2,
         "output": "ROLLOUT_DEPLOYED is "file:"; expected state, git:REVISION or file:PATH",
       },
       "file:nothing.yaml": {
         "exitCode": 2,
         "output": "cannot read nothing.yaml: there is no such file; name a spec or a copy of a state by ROLLOUT_DEPLOYED=file:PATH",
       },
       "git:": {
         "exitCode": 2,
         "output": "ROLLOUT_DEPLOYED is "git:"; expected state, git:REVISION or file:PATH",
       },
       "git:--output=x": {
         "exitCode": 2,
         "output": "no revision: "--output=x"; name a commit, a branch or a tag, such as origin/main",
       },
       "git:no-such-branch": {
         "exitCode": 2,
         "output": "unknown revision: no-such-branch in the repository of <folder>/demo.yaml; correct it, or fetch it first (a shallow clone has only the newest)",
       },
       "nonsense": {
         "exitCode": 2,
         "output": "ROLLOUT_DEPLOYED is "nonsense"; expected state, git:REVISION or file:PATH",
       },
     }
    `);
  });
});

const bad = ["nonsense", "git:", "git:no-such-branch", "git:--output=x", "file:", "file:nothing.yaml", ""];

describeReal("Terraform", ["terraform"], (real) => {
  test("refuses to plan a view that was made for a review", async () => {
    demo = await committed(LOCAL_EXAMPLE, real);
    await demo.rollout(["set", "image", "broker-0=ami-0bbb"]);
    await demo.synth({ ROLLOUT_DEPLOYED: "git:HEAD" });

    for (const view of ["broker-0", "cluster"]) {
      const { exitCode, errors } = await demo.terraform(view, ["plan"]);
      expect(exitCode).toBe(1);
      expect(errors.map((error) => error.replace(/:\d+,\d+-\d+/, ""))).toEqual([
        "Invalid value for variable: This view was made for a review, from git:HEAD and not from the state. " +
          "Unset ROLLOUT_DEPLOYED and synthesize again. This was checked by the validation rule at cdk.tf.json.",
      ]);
    }
  });
});

/** A workspace whose spec is committed. */
async function committed(spec: string, real = { terraform: "terraform", env: {} }): Promise<Workspace> {
  const workspace = await Workspace.create(real, spec);
  await git(workspace.folder, "init", "--quiet");
  await commit("First", workspace);
  return workspace;
}

async function commit(subject: string, workspace = demo): Promise<void> {
  await git(workspace.folder, "add", "demo.yaml");
  await git(workspace.folder, "commit", "--quiet", "--message", subject);
}

/** The stacks that cdktf would be told of. */
async function stacks(): Promise<string[]> {
  const manifest = await readFile(join(demo.output, "manifest.json"), "utf8");
  return Object.keys((JSON.parse(manifest) as { stacks: object }).stacks).sort();
}
