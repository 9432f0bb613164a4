import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import * as z from "zod";
import { codeOf, messageOf } from "../clients/error-code.js";
import { UserError } from "../cluster/user-error.js";
import { packageFile } from "../program/package-file.js";

export interface InitArgs {
  readonly platform: "local" | "aws";
  /** Whether a program declares the cluster. Default: a YAML does. */
  readonly typescript?: boolean;
}

const versions = z.record(z.string(), z.string()).default({});
const ours = z.object({ name: z.string(), devDependencies: versions });
/** What npm has made of a new project. */
const theirs = z.looseObject({ scripts: versions, dependencies: versions, devDependencies: versions });

/** An editor completes the file by it. */
const YAML_HEADER = `# yaml-language-server: $schema=./node_modules/PACKAGE/cluster.schema.json
# What shapes machines is an array of three, one value for each group, so that a change reaches one group only.
`;

/** What npm says in place of a test. */
const UNTESTED = "no test specified";

const JEST = "node --experimental-vm-modules node_modules/jest/bin/jest.js";

/** The files of a project, and from which of the package's each is made. */
const filesOf = ({ platform, typescript }: InitArgs): Readonly<Record<string, string>> => ({
  ".gitignore": "templates/gitignore",
  ".github/workflows/ci.yml": "templates/ci.yml",
  "__tests__/views.test.js": "templates/views.test.js",
  ...(typescript
    ? {
        "app.ts": `templates/app-${platform}.ts`,
        "main.ts": "templates/main.js",
        "tsconfig.json": "templates/tsconfig.json",
      }
    : {
        "app.js": "templates/app.js",
        "main.js": "templates/main.js",
        "cluster.yaml": { local: "docs/how-to/cluster.yaml", aws: "cluster.example.yaml" }[platform],
      }),
});

/**
 * Makes a project of a folder. What npm has written of a new one into `package.json` stays.
 * @throws UserError naming all that stands in the way; nothing is written then
 */
export function runInit(folder: string, args: InitArgs): string {
  const own = ours.parse(JSON.parse(readFileSync(packageFile("package.json"), "utf8")));
  const values = {
    PACKAGE: own.name,
    APP: args.typescript ? "../dist/app.js" : "../app.js",
    POOL: args.platform === "aws" ? "broker" : "web",
  };
  const render = (text: string): string =>
    Object.entries(values).reduce(
      (each, [from, to]) => each.replaceAll(from, to),
      text.replace(/^(# .*\n)+(?=name:)/, YAML_HEADER),
    );
  const main = args.typescript ? "npm run --silent build && node dist/main.js" : "node main.js";
  const cdktf = { language: "typescript", app: main, projectId: randomUUID(), sendCrashReports: "false" };
  const files = {
    ...Object.fromEntries(
      Object.entries(filesOf(args)).map(([to, from]) => [
        to,
        render(readFileSync(packageFile(from), "utf8")),
      ]),
    ),
    "cdktf.json": toJson({ ...cdktf, output: "cdktf.out", terraformProviders: [], terraformModules: [] }),
  };
  const manifest = manifestOf(join(folder, "package.json"), own, args);
  const taken = Object.keys(files).filter((file) => isThere(join(folder, file)));
  if (manifest === undefined) taken.push("package.json, with a test of its own");
  if (taken.length > 0)
    throw new UserError(
      `nothing was written, since these are there: ${taken.sort().join("; ")}; take an empty folder, or move them away`,
      2,
    );
  writeAll(folder, { ...files, "package.json": toJson(manifest) });
  const declares = args.typescript ? "app.ts" : "cluster.yaml";
  return [
    `written: ${[...Object.keys(files), "package.json"].sort().join(", ")}`,
    args.platform === "aws" ? `set region, VPC, subnets and images in ${declares}, then:` : "next:",
    own.name in dependenciesOf(manifest)
      ? "  npm install && npm test"
      : `  npm install --save-exact FILE.tgz && npm test   # what npm pack made of ${own.name}: no registry has it`,
    args.typescript ? "  npm run synth" : "  npx rollout plan",
    "  npx rollout deploy cluster",
  ].join("\n");
}

/** What `package.json` is to be; undefined where it is that of a project with tests. */
function manifestOf(file: string, own: z.output<typeof ours>, { platform, typescript }: InitArgs): unknown {
  const found = readManifest(file);
  if (!(found.scripts["test"] ?? UNTESTED).includes(UNTESTED) || "jest" in found) return undefined;
  const exact = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, own.devDependencies[name] ?? ""]));
  const bindings = platform === "aws" ? ["@cdktf/provider-aws", "@cdktf/provider-null"] : [];
  const scripts = typescript
    ? { build: "tsc", synth: "tsc && node dist/main.js", test: `tsc && ${JEST}` }
    : { test: JEST };
  return {
    private: true,
    ...found,
    type: "module",
    scripts: { ...found.scripts, ...scripts },
    jest: { roots: ["<rootDir>/__tests__"], transform: {} },
    dependencies: {
      ...exact("cdktf", "constructs", ...bindings),
      ...found.dependencies,
    },
    devDependencies: {
      ...exact("jest", ...(typescript ? ["typescript", "@types/node"] : [])),
      ...found.devDependencies,
    },
  };
}

const dependenciesOf = (manifest: unknown): object => {
  const { dependencies, devDependencies } = theirs.parse(manifest);
  return { ...dependencies, ...devDependencies };
};

function readManifest(file: string): z.output<typeof theirs> {
  if (!isThere(file)) return theirs.parse({});
  try {
    return theirs.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UserError(`nothing was written: package.json is none that npm reads: ${why}`, 2);
  }
}

/** All of it, or nothing: what was written goes again where one fails. A link that leads nowhere is there, too. */
function writeAll(folder: string, files: Readonly<Record<string, string>>): void {
  const written: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    const flag = name === "package.json" ? "w" : "wx";
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { flag });
    } catch (error) {
      for (const one of written) rmSync(one);
      throw new UserError(`cannot write ${name}: ${messageOf(error)}; nothing was written`);
    }
    written.push(file);
  }
}

/** Where something stands in place of a folder, the file is not; that it cannot be written is said then. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
