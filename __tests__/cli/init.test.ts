import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { runInit } from "../../cli/init.js";
import { UserError } from "../../cluster/user-error.js";
import { loadSpec } from "../../cluster/yaml/load.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-init-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const own = JSON.parse(readFileSync("package.json", "utf8")) as { name: string; version: string };

const read = (file: string): string => readFileSync(join(folder, file), "utf8");

function refusal(typescript: boolean): unknown {
  try {
    return runInit(folder, { platform: "local", typescript });
  } catch (error) {
    return error instanceof UserError ? [error.message, error.exitCode] : error;
  }
}

test("a project of a YAML is what is said to be written, and the next commands", () => {
  expect(runInit(folder, { platform: "local" })).toBe(
    [
      "written: .github/workflows/ci.yml, .gitignore, __tests__/views.test.js, app.js, cdktf.json, cluster.yaml, main.js, package.json",
      "next:",
      `  npm install --save-exact FILE.tgz && npm test   # what npm pack made of ${own.name}: no registry has it`,
      "  npx rollout plan",
      "  npx rollout deploy cluster",
    ].join("\n"),
  );
  expect(filesIn(folder)).toEqual(
    ".github/workflows/ci.yml, .gitignore, __tests__/views.test.js, app.js, cdktf.json, cluster.yaml, main.js, package.json".split(
      ", ",
    ),
  );
});

test("a program of a cluster on AWS comes with the bindings, and is to be filled in first", () => {
  expect(runInit(folder, { platform: "aws", typescript: true })).toBe(
    [
      "written: .github/workflows/ci.yml, .gitignore, __tests__/views.test.js, app.ts, cdktf.json, main.ts, package.json, tsconfig.json",
      "set region, VPC, subnets and images in app.ts, then:",
      `  npm install --save-exact FILE.tgz && npm test   # what npm pack made of ${own.name}: no registry has it`,
      "  npm run synth",
      "  npx rollout deploy cluster",
    ].join("\n"),
  );
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: object };
  expect(Object.keys(dependencies)).toEqual([
    "cdktf",
    "constructs",
    "@cdktf/provider-aws",
    "@cdktf/provider-null",
  ]);
});

test.each(["local", "aws"] as const)("the YAML of %s is a spec, which an editor completes", (platform) => {
  runInit(folder, { platform });
  const text = read("cluster.yaml");
  expect(loadSpec(text, "cluster.yaml")).toMatchObject({ name: "demo", platform });
  expect(text.split("\n", 1)).toEqual([
    `# yaml-language-server: $schema=./node_modules/${own.name}/cluster.schema.json`,
  ]);
});

test.each([
  ["local", false],
  ["local", true],
  ["aws", false],
  ["aws", true],
] as const)("the name of the package stands in each file of %s, typescript %s", (platform, typescript) => {
  runInit(folder, { platform, typescript });
  const texts = filesIn(folder).map(read).join("\n");
  expect(texts).not.toMatch(/PACKAGE|\bAPP\b|POOL/);
  expect(read(typescript ? "app.ts" : "app.js")).toContain(`from "${own.name}";`);
});

test("what npm has written of the package stays, and its own test that fails does not", () => {
  const scripts = { test: 'echo "Error: no test specified" && exit 1', lint: "eslint ." };
  const found = { name: "mine", type: "commonjs", scripts, dependencies: { [own.name]: "file:x.tgz" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(found));
  expect(runInit(folder, { platform: "local" })).toContain("\n  npm install && npm test\n");
  expect(JSON.parse(read("package.json"))).toMatchObject({
    name: "mine",
    private: true,
    type: "module",
    scripts: { lint: "eslint .", test: expect.stringContaining("jest") },
    dependencies: { [own.name]: "file:x.tgz", cdktf: "0.21.0", constructs: "10.4.2" },
  });
});

test("refuses to overwrite, names all that is there, and writes nothing", () => {
  for (const file of ["cluster.yaml", "main.js", "README.md"]) writeFileSync(join(folder, file), "mine");
  mkdirSync(join(folder, "__tests__"));
  writeFileSync(join(folder, "package.json"), '{ "scripts": { "test": "vitest" } }');
  const before = filesIn(folder);
  expect(refusal(false)).toEqual([
    "nothing was written, since these are there: cluster.yaml; main.js; package.json, with a test of its own; take an empty folder, or move them away",
    2,
  ]);
  expect(filesIn(folder)).toEqual(before);
  expect(read("cluster.yaml")).toBe("mine");
});

test.each([
  ["{", "nothing was written: package.json is none that npm reads: Expected property name", 2],
  ['{ "scripts": { "build": 1 } }', "nothing was written: package.json is none that npm reads: ✖", 2],
])("refuses %s as package.json", (text, message, exitCode) => {
  writeFileSync(join(folder, "package.json"), text);
  expect(refusal(false)).toEqual([expect.stringContaining(message), exitCode]);
  expect(filesIn(folder)).toEqual(["package.json"]);
});

test("leaves nothing behind where a file cannot be written, and writes through no link", () => {
  writeFileSync(join(folder, "__tests__"), "a file");
  expect(refusal(false)).toEqual([expect.stringMatching(/^cannot write __tests__\/views.test.js: E\w+/), 1]);
  expect(filesIn(folder)).toEqual(["__tests__"]);
  symlinkSync(join(folder, "elsewhere"), join(folder, "cluster.yaml"));
  expect(refusal(false)).toEqual([expect.stringContaining("since these are there: cluster.yaml;"), 2]);
  expect(existsSync(join(folder, "elsewhere"))).toBe(false);
});

test("refuses a second time", () => {
  expect(refusal(true)).toEqual(expect.any(String));
  const [message, exitCode] = refusal(true) as [string, number];
  expect(message).toContain(
    "app.ts; cdktf.json; main.ts; package.json, with a test of its own; tsconfig.json",
  );
  expect(exitCode).toBe(2);
  expect(existsSync(join(folder, "app.js"))).toBe(false);
});

const filesIn = (top: string): string[] =>
  readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(top.length + 1))
    .sort();
