import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { describeReal } from "../support/environment.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cli = join(root, "dist", "bin", "rollout.js");
const cdktf = join(root, "node_modules", ".bin", "cdktf");

/** A program of a user's, with something of its own, which writes down each of its runs. */
const PROGRAM = `
import { appendFileSync } from "node:fs";
import { TerraformResource } from "${join(root, "node_modules", "cdktf", "lib", "index.js")}";
import * as rollout from "${join(root, "dist", "index.js")}";
const { ClientPool, Cluster, ConsulServers, NomadServers, RolloutApp, file, local, three } = rollout;

appendFileSync("runs", "run\\n");
const app = new RolloutApp();
const demo = new Cluster(app, "demo", { on: local(), backend: file("terraform.demo.tfstate") });
const servers = { images: three("v1"), instanceTypes: three("small") };
new ConsulServers(demo, servers);
new NomadServers(demo, servers);
const broker = new ClientPool(demo, "broker", { ...servers, images: ["v1", "v1", "v1"], bake: { time: "0s" } });
demo.inEachView((view) => {
  const note = new TerraformResource(view, "note", { terraformResourceType: "terraform_data" });
  note.addOverride("input", view.pool(broker).groupNames.join(" "));
});
await app.synth();
`;

/** What a user calls in the folder of a program, and what came of it. */
function inFolder(real: { readonly env: NodeJS.ProcessEnv }, folder: () => string) {
  const run = async (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { all, exitCode } = await execa(command, args, {
      cwd: folder(),
      env: {
        ...real.env,
        ...{ CLUSTER: undefined, CDKTF_OUTDIR: undefined, CI: "true", CHECKPOINT_DISABLE: "1" },
        ...env,
      },
      reject: false,
      all: true,
      stdin: "ignore",
    });
    return { output: stripVTControlCharacters(all), exitCode };
  };
  return {
    run,
    rollout: (...args: string[]) => run(process.execPath, [cli, ...args]),
    runs: (): number => readFileSync(join(folder(), "runs"), "utf8").split("\n").length - 1,
    stateOf: (type: string, name: string): unknown => {
      const state = JSON.parse(readFileSync(join(folder(), "terraform.demo.tfstate"), "utf8")) as {
        resources: {
          type: string;
          name: string;
          instances: { attributes: { input: unknown; id: string } }[];
        }[];
      };
      return state.resources.find((each) => each.type === type && each.name === name)?.instances[0]
        ?.attributes;
    },
  };
}

/** @returns a folder of its own, whose `cdktf.json` names a program */
function withProgram(program: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "rollout-program-")));
  writeFileSync(join(folder, "main.mjs"), program);
  const json = { language: "typescript", app: "node main.mjs", projectId: "x", sendCrashReports: "false" };
  writeFileSync(join(folder, "cdktf.json"), JSON.stringify(json));
  return folder;
}

describeReal("A cluster that a program declares, in a folder without a YAML", ["terraform"], (real) => {
  let folder: string;
  const { run, rollout, runs, stateOf } = inFolder(real, () => folder);
  const write = (from: string, to: string): void => {
    const text = readFileSync(join(folder, "main.mjs"), "utf8");
    expect(text).toContain(from);
    writeFileSync(join(folder, "main.mjs"), text.replace(from, to));
  };

  beforeAll(() => {
    folder = withProgram(PROGRAM);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test("cdktf synth writes what is desired, and rollout deploy creates it with what is the program's own", async () => {
    expect(await run(cdktf, ["synth", "--hcl=false"])).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(folder, "desired.json"))).toBe(true);
    const before = runs();
    expect(await rollout("deploy", "cluster", "--yes")).toMatchObject({ exitCode: 0 });
    expect(runs() - before).toBe(2);
    expect(stateOf("terraform_data", "note")).toMatchObject({
      input: { value: "broker-0 broker-1 broker-2" },
    });
  });

  test("a group is rolled by rollout deploy, by one run of the program and one for each plan", async () => {
    const note = stateOf("terraform_data", "note");
    write('.groupNames.join(" ")', '.groupNames.join("+")');
    write('["v1", "v1", "v1"]', '["v2", "v1", "v1"]');
    expect(await rollout("validate")).toEqual({
      output:
        "desired.json is stale: the program declares something else; update and commit it: node main.mjs",
      exitCode: 2,
    });
    const before = runs();
    const { output, exitCode } = await rollout("deploy", "broker-0", "--yes");
    expect(exitCode).toBe(0);
    expect(output).toContain("desired.json was updated from the program; commit it");
    expect(output).toContain("broker-0: rolled, revision 2");
    expect(runs() - before).toBe(3);
    expect(stateOf("terraform_data", "note")).toEqual(note);
    expect(await rollout("validate")).toMatchObject({ exitCode: 0 });
    expect((await rollout("status")).output).toContain("v2");
  });

  test("a group is rolled by cdktf deploy", async () => {
    write('["v2", "v1", "v1"]', '["v2", "v2", "v1"]');
    const deployed = await run(cdktf, ["deploy", "broker-1", "--auto-approve", "--skip-provider-lock"]);
    expect(deployed).toMatchObject({ exitCode: 0 });
    expect(stateOf("terraform_data", "broker-1-0")).toMatchObject({
      input: { value: { image: "v2" } },
    });
  });

  test("a program that holds something open is ended once it has answered", async () => {
    const program = readFileSync(join(folder, "main.mjs"), "utf8");
    writeFileSync(join(folder, "main.mjs"), `setInterval(() => undefined, 1000);\n${program}`);
    expect(await rollout("validate")).toMatchObject({ exitCode: 0 });
    writeFileSync(
      join(folder, "main.mjs"),
      `${program}process.exitCode = 3;\nsetInterval(() => undefined, 1000);\n`,
    );
    expect(await rollout("validate")).toMatchObject({
      exitCode: 1,
      output: "the program failed (node main.mjs): exit code 3",
    });
    writeFileSync(join(folder, "main.mjs"), program);
  });

  test("refuses to edit what stands in code, before anything else", async () => {
    const first = "a program declares this cluster, and no verb edits its code: set";
    for (const [line, what] of [
      ["set image broker-2=v2", "images[2] of broker"],
      ["restart broker-2", "generations[2] of broker"],
      ["undo broker-0", "what is said by rollout undo broker-0 --dry-run"],
      ["deploy broker --image v2 --yes", "images of broker"],
      ["cancel --undo", "what is said by rollout undo GROUP --dry-run"],
      ["retire broker", 'retire: "keep-volumes" of broker'],
    ] as const)
      expect(await rollout(...line.split(" "))).toEqual({ output: `${first} ${what} there`, exitCode: 2 });
    expect((await rollout("undo", "broker-0", "--dry-run")).output).toContain("v1");
  });

  test("refuses with what the program printed where it fails, and leaves what was desired", async () => {
    const before = readFileSync(join(folder, "desired.json"), "utf8");
    write("await app.synth();", 'throw new Error("no image was found");\nawait app.synth();');
    const { output, exitCode } = await rollout("deploy", "broker-2", "--yes");
    expect(exitCode).toBe(1);
    expect(output).toMatch(
      /^the program failed \(node main\.mjs\): exit code 1\n[^]*main\.mjs:18\n[^]*Error: no image was found/,
    );
    expect(readFileSync(join(folder, "desired.json"), "utf8")).toBe(before);
    write('throw new Error("no image was found");\nawait app.synth();', "");
    expect(await rollout("validate")).toEqual({
      output: "the program declared nothing (node main.mjs); end it with: await app.synth(), of a RolloutApp",
      exitCode: 1,
    });
  });

  test("an edit of another group while one is rolled is of no account for that", async () => {
    const later = runs() + 2;
    const rollout_ = 'backend: file("terraform.demo.tfstate"), rollout: { pendingGroups: "queue" } });';
    writeFileSync(
      join(folder, "main.mjs"),
      PROGRAM.replace('backend: file("terraform.demo.tfstate") });', rollout_)
        .replace("appendFileSync }", "appendFileSync, readFileSync }")
        .replace(
          '["v1", "v1", "v1"]',
          `["v2", "v2", readFileSync("runs", "utf8").length / 4 > ${String(later)} ? "v4" : "v1"], generations: [1, 0, 0]`,
        ),
    );
    expect(await rollout("deploy", "broker-0", "--yes")).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("broker-0: rolled, revision 3"),
    });
    expect(runs()).toBe(later + 2);
    expect(readFileSync(join(folder, "desired.json"), "utf8")).toContain('"v4"');
  });

  test("a review accepts it, and says that what is the program's own is not reviewed", async () => {
    expect(await rollout("review")).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^yours, not compared since no code is run: note$/m),
    });
  });

  test("refuses a program that declares something else of the group each time, before anything is planned", async () => {
    writeFileSync(
      join(folder, "main.mjs"),
      PROGRAM.replace('["v1", "v1", "v1"]', '["v2", "v2", `v${Date.now()}`], generations: [1, 0, 0]'),
    );
    const { output, exitCode } = await rollout("deploy", "broker-2", "--yes");
    expect(output).toContain(
      "the program declares something else than a moment ago, so nothing is planned; run the same command again",
    );
    expect(exitCode).toBe(1);
  });

  test("what the guard refuses is said as it is, by one run of the program more", async () => {
    writeFileSync(
      join(folder, "main.mjs"),
      PROGRAM.replace('["v1", "v1", "v1"]', '["v9", "v9", "v1"], generations: [1, 0, 0]'),
    );
    const before = runs();
    expect(await rollout("plan", "broker-0")).toEqual({
      exitCode: 1,
      output: [
        "desired.json was updated from the program; commit it",
        "one-group: 2 groups are pending, one may be: broker-0 (v2 -> v9), broker-1 (v2 -> v9); set all but one back, or set rollout.pendingGroups: queue to roll them one after another",
      ].join("\n"),
    });
    expect(runs() - before).toBe(2);
  });

  test("refuses a cdktf.json that is none, and the program of another cluster than the one that is meant", async () => {
    const cdktfJson = readFileSync(join(folder, "cdktf.json"), "utf8");
    writeFileSync(join(folder, "cdktf.json"), "{");
    expect(await rollout("plan", "broker-0")).toEqual({
      exitCode: 2,
      output: expect.stringMatching(
        /^cannot read cdktf.json: .*; expected \{ "app": "npx tsx main.ts" \} or the like$/,
      ),
    });
    writeFileSync(join(folder, "cdktf.json"), cdktfJson);
    const other = YAML.replace("name: demo", "name: other").replace("terraform.demo", "terraform.other");
    writeFileSync(join(folder, "other.yaml"), other);
    expect(await run(process.execPath, [cli, "plan", "cluster"], { CLUSTER: "other.yaml" })).toEqual({
      exitCode: 2,
      output:
        "the program of this folder declares demo, and other.yaml is of other; go to the folder of its program, or unset CLUSTER",
    });
    expect(readFileSync(join(folder, "other.yaml"), "utf8")).toBe(other);
  });

  test("shows the end of what a program has printed, and no secret of it", async () => {
    const loud = 'for (let line = 0; line < 99; line++) console.log("line " + line);';
    const told = "console.log(process.env.AWS_SECRET_ACCESS_KEY); process.exit(3);";
    writeFileSync(join(folder, "main.mjs"), `${loud} ${told}`);
    const env = { AWS_SECRET_ACCESS_KEY: "s3cret-of-theirs" };
    const { output } = await run(process.execPath, [cli, "validate"], env);
    expect(output).toMatch(/^the program failed \(node main.mjs\): exit code 3\nline 50\n/);
    expect(output).toMatch(/line 98\n\(AWS_SECRET_ACCESS_KEY\)$/);
    writeFileSync(join(folder, "main.mjs"), PROGRAM);
  });

  test("refuses a spec beside a program, and a program that has written nothing yet", async () => {
    writeFileSync(join(folder, "cluster.yaml"), "name: other\n");
    expect(await run(process.execPath, ["main.mjs"])).toEqual({
      output:
        "all verbs go by cluster.yaml, and the program declares a cluster, too; remove that file, or unset CLUSTER",
      exitCode: 2,
    });
    for (const file of ["cluster.yaml", "desired.json"]) rmSync(join(folder, file));
    for (const verb of [["validate"], ["deploy", "cluster", "--yes"]])
      expect(await rollout(...verb)).toEqual({
        output:
          "there is neither cluster.yaml nor desired.json in this folder; where a program declares the cluster, write it: node main.mjs",
        exitCode: 2,
      });
  });
});

/** A program of a user's that adds something of its own to what `cluster.yaml` declares. */
const ADDING = `
import { appendFileSync } from "node:fs";
import { Annotations, TerraformOutput, TerraformResource } from "${join(root, "node_modules", "cdktf", "lib", "index.js")}";
import { RolloutApp } from "${join(root, "dist", "index.js")}";

appendFileSync("runs", "run\\n");
const app = RolloutApp.fromYaml();
app.cluster.inEachView((view) => {
  const note = new TerraformResource(view, "note", { terraformResourceType: "terraform_data" });
  note.addOverride("input", view.pool({ name: "broker" }).groupNames.join(" "));
  Annotations.of(note).addWarning("nobody reads it");
  new TerraformOutput(view, "noted", { value: "at " + note.friendlyUniqueId });
  new TerraformOutput(view, "secret", { value: "s3cret", sensitive: true });
});
await app.synth();
`;

const YAML = `
name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
rollout: { ownResources: [note] }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  broker: { images: [v1, v1, v1], instanceTypes: [small, small, small], bake: { time: 0s } }
`;

describeReal("A cluster that a YAML declares, and a program that adds to it", ["terraform"], (real) => {
  let folder: string;
  const { run, rollout, runs, stateOf } = inFolder(real, () => folder);

  beforeAll(() => {
    folder = withProgram(ADDING);
    writeFileSync(join(folder, "cluster.yaml"), YAML);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test("rollout deploy runs the program once for a plan, and creates what it adds", async () => {
    const { output, exitCode } = await rollout("deploy", "cluster", "--yes");
    expect(output).toContain("\n  warning: cluster/note: nobody reads it\n");
    expect(output).toContain('\n  noted = "at note"\n  secret = <sensitive>\n');
    expect(output).not.toContain("s3cret");
    expect(exitCode).toBe(0);
    expect(runs()).toBe(1);
    expect(stateOf("terraform_data", "note")).toMatchObject({
      input: { value: "broker-0 broker-1 broker-2" },
    });
    expect(existsSync(join(folder, "desired.json"))).toBe(false);
  });

  test("a verb edits the YAML, and the group is rolled by one run of the program for each plan, its own left alone", async () => {
    const note = stateOf("terraform_data", "note");
    const before = runs();
    expect(await rollout("deploy", "broker-0", "--image", "v2", "--yes")).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("broker-0: rolled, revision 2"),
    });
    expect(runs() - before).toBe(2);
    expect(readFileSync(join(folder, "cluster.yaml"), "utf8")).toContain("broker: { images: [v2, v1, v1]");
    expect(stateOf("terraform_data", "note")).toEqual(note);
  });

  test("cdktf makes the same views of it", async () => {
    expect(await run(cdktf, ["synth", "--hcl=false"])).toMatchObject({ exitCode: 0 });
    const stack = readFileSync(join(folder, "cdktf.out", "demo", "cluster", "cdk.tf.json"), "utf8");
    expect(JSON.parse(stack)).toMatchObject({
      resource: { terraform_data: { note: { input: "broker-0 broker-1 broker-2" } } },
    });
    expect(existsSync(join(folder, "desired.json"))).toBe(false);
  });

  test("a review names what is the program's own", async () => {
    expect(await rollout("review")).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^yours, not compared since no code is run: note$/m),
    });
  });

  test("what the YAML does not name is refused, and a program that reads another YAML", async () => {
    writeFileSync(join(folder, "main.mjs"), ADDING.replace('.join(" ")', '.join("+")'));
    writeFileSync(join(folder, "cluster.yaml"), YAML.replace("[note]", "[other]"));
    expect(await rollout("deploy", "cluster", "--yes")).toEqual({
      exitCode: 1,
      output: expect.stringContaining(
        "resources that belong to no group would change: terraform_data.note at note; name those that are your own by construct path in rollout.ownResources",
      ),
    });
    writeFileSync(join(folder, "cluster.yaml"), YAML);
    writeFileSync(join(folder, "other.yaml"), YAML);
    writeFileSync(join(folder, "main.mjs"), ADDING.replace("fromYaml()", 'fromYaml("cluster.yaml")'));
    expect(await run(process.execPath, ["main.mjs"], { CLUSTER: "other.yaml" })).toEqual({
      exitCode: 2,
      output:
        "CLUSTER is other.yaml, and the program reads cluster.yaml; unset CLUSTER, or let the program read it: RolloutApp.fromYaml()",
    });
  });

  test("an error that a construct notes is a refusal", async () => {
    writeFileSync(join(folder, "main.mjs"), ADDING.replace('addWarning("nobody', 'addError("nobody'));
    expect(await rollout("deploy", "cluster", "--yes")).toEqual({
      exitCode: 1,
      output: expect.stringMatching(/^nobody reads it$/m),
    });
  });

  test("a pool in code is refused beside a YAML", async () => {
    writeFileSync(
      join(folder, "main.mjs"),
      `import { NomadServers, RolloutApp, three } from "${join(root, "dist", "index.js")}";
       new NomadServers(RolloutApp.fromYaml().cluster, { images: three("v1"), instanceTypes: three("small") });`,
    );
    expect(await run(process.execPath, ["main.mjs"])).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(
        "cluster is declared by a YAML, and so are all of its pools; declare them there, under pools",
      ),
    });
  });

  test("without the program nothing of it is destroyed", async () => {
    const json = JSON.parse(readFileSync(join(folder, "cdktf.json"), "utf8")) as object;
    writeFileSync(
      join(folder, "cdktf.json"),
      JSON.stringify({ ...json, app: `node ${join(root, "dist", "main.js")}` }),
    );
    expect(await rollout("deploy", "cluster", "--yes")).toEqual({
      exitCode: 1,
      output: expect.stringContaining(
        "shared parts would be destroyed: terraform_data.note; put back what declared them",
      ),
    });
  });
});
