import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { localMachines } from "../../clients/local-machines/machines.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };

/** A user's own resource, in each view. */
const NOTE = `
import { TerraformResource } from "cdktf";
demo.inEachView((view) => {
  const note = new TerraformResource(view, "note", { terraformResourceType: "terraform_data" });
  note.addOverride("input", view.pool({ name: "web" }).groupNames.join(" "));
});
`;

const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];

describeReal("The package, packed and installed into an empty project", ["terraform"], (real) => {
  let top: string;
  let project: string;
  let tarball: string;
  let installed: { readonly packages: number; readonly megabytes: number };

  const run = async (command: string, args: readonly string[], cwd = project) => {
    // What npm says to the tests' own scripts is not meant for another npm.
    const ofNpm = Object.keys(process.env).filter((key) => /^npm_(?!config_registry$)/i.test(key));
    const { all, exitCode } = await execa(command, args, {
      cwd,
      env: {
        ...Object.fromEntries(ofNpm.map((key) => [key, undefined])),
        ...real.env,
        CLUSTER: undefined,
        CDKTF_OUTDIR: undefined,
        CI: "",
      },
      ...{ reject: false, all: true, stdin: "ignore" },
    });
    return { output: stripVTControlCharacters(all), exitCode };
  };
  const rollout = (...args: string[]) => run("npx", ["rollout", ...args]);
  const write = (file: string, from: string, to: string): void => {
    const text = readFileSync(join(project, file), "utf8");
    expect(text).toContain(from);
    writeFileSync(join(project, file), text.replace(from, to));
  };
  const stateOf = (resource: string): unknown => {
    const { resources } = JSON.parse(readFileSync(join(project, "terraform.demo.tfstate"), "utf8")) as {
      resources: { name: string; instances: { attributes: object }[] }[];
    };
    return resources.find((each) => each.name === resource)?.instances[0]?.attributes;
  };

  beforeAll(async () => {
    top = realpathSync(mkdtempSync(join(tmpdir(), "rollout-package-")));
    project = join(top, "project");
    mkdirSync(project);
    // What an earlier build has left is not of the package.
    const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", top], root);
    expect(packed).toMatchObject({ exitCode: 0 });
    const [made = ""] = readdirSync(top).filter((each) => each.endsWith(".tgz"));
    tarball = join(top, made);
    expect(await run("npm", [...INSTALL, tarball])).toMatchObject({ exitCode: 0 });
    installed = await measured();
  });

  const measured = async (): Promise<typeof installed> => {
    const listed = await run("npm", ["ls", "--all", "--parseable"]);
    return {
      packages: listed.output.trim().split("\n").length - 1,
      megabytes: Math.round(sizeOf(join(project, "node_modules")) / 1e6),
    };
  };

  /** What the page says: it need not follow each release of what cdktf and jest depend on. */
  const expectSaid = (found: typeof installed, pattern: RegExp): void => {
    const page = readFileSync(join(root, "docs", "how-to", "16-start-a-project.md"), "utf8");
    const { megabytes = "", packages = "" } = pattern.exec(page)?.groups ?? {};
    const said = { packages: Number(packages), megabytes: Number(megabytes) };
    const isNear = (["packages", "megabytes"] as const).every(
      (key) => Math.abs(found[key] - said[key]) <= said[key] / 10,
    );
    expect(isNear ? said : found).toEqual(said);
  };

  afterAll(async () => {
    await localMachines(join(project, ".rollout", "demo")).stopAll();
    rmSync(top, { recursive: true });
  });

  test("is under 2 MB, and its install under 100 MB and 200 packages, without cdktf-cli and bindings", () => {
    expect(statSync(tarball).size).toBeLessThan(2e6);
    expect(installed.packages).toBeGreaterThan(20);
    expect(installed.packages).toBeLessThan(200);
    expect(installed.megabytes).toBeLessThan(100);
    expectSaid(installed, /(?<megabytes>\d+) MB and (?<packages>\d+) packages in all/);
    for (const optional of ["cdktf-cli", "@cdktf"])
      expect(existsSync(join(project, "node_modules", optional))).toBe(false);
  });

  test("has those pieces of bundles that its entries name, and none of an earlier build", () => {
    const bundles = join(project, "node_modules", name, "dist", "bin");
    const hooks = join("hooks", readFileSync(join(bundles, "hooks", "current"), "utf8").trim());
    const reached = new Set<string>();
    const reach = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const [, next = ""] of readFileSync(join(bundles, file), "utf8").matchAll(
        /(?:from|import\(?)"\.\/([\w.-]+\.js)"/g,
      ))
        reach(join(dirname(file), next));
    };
    const entries = ["rollout.js", "context-worker.js", "simulator.js", "index.js", "guard.js"];
    [...entries, join(hooks, "hook.js")].forEach(reach);
    // The AWS SDK has a module that only browsers load.
    const others = readdirSync(bundles, { recursive: true, encoding: "utf8" }).filter(
      (file) => !reached.has(file) && !/\bbowser-/.test(file),
    );
    expect(others.sort()).toEqual(["hooks", hooks, join("hooks", "current")].sort());
  });

  test("init makes a project whose first test passes, and whose second holds the snapshots", async () => {
    expect(await rollout("init", "--typescript")).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^written: .* app\.ts, /),
    });
    expect(await run("npm", INSTALL)).toMatchObject({ exitCode: 0 });
    expectSaid(await measured(), /makes it (?<megabytes>\d+) MB and (?<packages>\d+) packages/);
    const first = await run("npm", ["test"]);
    expect(first).toMatchObject({ exitCode: 0, output: expect.stringContaining("3 snapshots written") });
    const second = await run("npm", ["test", "--", "--ci"]);
    expect(second).toMatchObject({ exitCode: 0, output: expect.stringContaining("3 passed, 3 total") });
    write("app.ts", '["image-1", "image-1", "image-1"]', '["image-0", "image-1", "image-1"]');
    expect(await run("npm", ["test"])).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('+               "image": "image-0"'),
    });
    write("app.ts", "image-0", "image-1");
  });

  test("a program compiles without skipLibCheck, and two images for three groups do not", async () => {
    appendFileSync(join(project, "app.ts"), NOTE);
    writeFileSync(
      join(project, "of-ci.ts"),
      `import { judge, type Verdict } from "${name}/guard";\nexport const of = (plan: string, cluster: string): Verdict => judge(plan, { cluster, state: "" });\n`,
    );
    const compile = () => run("npx", ["tsc", "--strict", "--skipLibCheck", "false"]);
    expect(await compile()).toEqual({ exitCode: 0, output: "" });
    const judged = `import("./dist/of-ci.js").then(({ of }) => of("{}", "name: 1"))`;
    expect((await run("node", ["-e", judged])).output).toContain("the cluster: ");
    write("app.ts", '["image-1", "image-1", "image-1"]', '["image-1", "image-1"]');
    expect(await compile()).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining("Source has 2 element(s) but target requires 3"),
    });
    write("app.ts", '["image-1", "image-1"]', '["image-1", "image-1", "image-1"]');
  });

  test("rollout deploy rolls a group on simulated agents, and what is the user's own is kept", async () => {
    expect(await run("npm", ["run", "synth"])).toMatchObject({ exitCode: 0 });
    expect(await rollout("deploy", "cluster", "--yes")).toMatchObject({ exitCode: 0 });
    const note = stateOf("note");
    expect(note).toMatchObject({ input: { value: "web-0 web-1 web-2" } });
    write("app.ts", '["image-1", "image-1", "image-1"]', '["image-2", "image-1", "image-1"]');
    expect(await rollout("validate")).toEqual({
      exitCode: 2,
      output:
        "desired.json is stale: the program declares something else; update and commit it: npm run --silent build && node dist/main.js",
    });
    expect(await rollout("deploy", "web-0", "--yes")).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("web-0: rolled, revision 2"),
    });
    expect(stateOf("web-0-1")).toMatchObject({ input: { value: { image: "image-2" } } });
    expect(stateOf("note")).toEqual(note);
  }, 600_000);

  longTest("cdktf deploy rolls the next one", async () => {
    const note = stateOf("note");
    write("app.ts", '["image-2", "image-1", "image-1"]', '["image-2", "image-2", "image-1"]');
    const cdktf = join(root, "node_modules", ".bin", "cdktf");
    expect(await run(cdktf, ["deploy", "web-1", "--auto-approve", "--skip-provider-lock"])).toMatchObject({
      exitCode: 0,
    });
    expect(stateOf("web-1-1")).toMatchObject({ input: { value: { image: "image-2" } } });
    expect(stateOf("note")).toEqual(note);
  });

  /** The packages are those of the program's project. */
  const inFolder = async (platform: string) => {
    const folder = join(top, platform);
    mkdirSync(folder);
    symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
    const init = await run("npx", ["rollout", "init", "--platform", platform], folder);
    expect(init).toMatchObject({ exitCode: 0 });
    return folder;
  };

  test("a project of a YAML passes its first test, and cdktf's app writes its views", async () => {
    const folder = await inFolder("local");
    expect(await run("npm", ["test"], folder)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("3 snapshots written"),
    });
    expect(await run("node", ["main.js"], folder)).toEqual({ exitCode: 0, output: expect.any(String) });
    expect(existsSync(join(folder, "cdktf.out", "demo", "cluster", "cdk.tf.json"))).toBe(true);
    expect(await run("npx", ["rollout", "validate"], folder)).toEqual({
      exitCode: 0,
      output: "cluster.yaml is valid: demo, 3 pools of three groups, 12 hosts",
    });
  });

  test("refuses a cluster on AWS where the bindings are not installed, and says how", async () => {
    const folder = await inFolder("aws");
    expect(await run("node", ["main.js"], folder)).toEqual({
      exitCode: 2,
      output:
        "a cluster on aws is made of the bindings of two providers, and @cdktf/provider-aws is not installed; install both: npm install --save-exact @cdktf/provider-aws @cdktf/provider-null",
    });
  });
});

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}
