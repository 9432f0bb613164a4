import type { Environment } from "../clients/environment.js";
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { Annotations, App } from "cdktf";
import { codeOf } from "../clients/error-code.js";
import { commitOf, commitsOf } from "../clients/git.js";
import { withRecordedSizes } from "../cluster/recorded-sizes.js";
import { userDataFiles } from "../cluster/yaml/user-data-files.js";
import { offeredViews } from "../rollout/roll/views.js";
import { UserError } from "../cluster/user-error.js";
import { HOOK_FILE } from "../cluster/hooks/variables.js";
import { addViews } from "../stacks/add-views.js";
import type { ViewProps } from "../stacks/view-stack.js";
import { causesOf } from "./commits.js";
import { currentHooks } from "./hook-bundle.js";
import { readDeployed } from "./read-deployed.js";
import { EXAMPLE_IS_USED, readSpec, type SpecFile } from "./read-spec.js";

/** What is desired, what is deployed, and which views that makes. */
export interface Program extends SpecFile, Omit<ViewProps, "specFolder" | "program" | "bundle"> {
  readonly views: readonly string[];
}

/** Reads spec and state and finds the views. `ROLLOUT_GROUP` asks for one more. */
export async function loadProgram(env: Environment): Promise<Program> {
  const source = readSpec(env);
  if (source.isExample) console.error(EXAMPLE_IS_USED);
  return programOf(source, env);
}

/** Reads the state of a cluster and finds its views. */
export async function programOf(source: SpecFile, env: Environment): Promise<Program> {
  const given = env["ROLLOUT_CAUSE"];
  const files = userDataFiles(source.spec);
  const [deployed, commits, commit] = await Promise.all([
    readDeployed(source, env),
    given === undefined ? commitsOf(source.file, files) : [],
    commitOf(source.file, files),
  ]);
  const spec = withRecordedSizes(source.spec, deployed);
  const views = offeredViews(spec, deployed, env["ROLLOUT_GROUP"]);
  const found = given === undefined ? await causesOf({ ...source, spec }, deployed, views, commits) : [];
  const causes = new Map([...found].map(([group, each]) => [group, briefly(each)]));
  return {
    ...source,
    spec,
    deployed,
    views,
    commit,
    causes,
    cause: briefly(given ?? commits[0]?.cause ?? "<none>"),
  };
}

const LONGEST_CAUSE = 200;

/** A subject may have a megabyte, and a state keeps the cause of every group. Half a pair of surrogates would be no text. */
const briefly = (cause: string): string =>
  (cause.split(/\r?\n/, 1)[0] ?? "").slice(0, LONGEST_CAUSE).replace(/[\uD800-\uDBFF]$/, "");

/**
 * Adds all views to an app whose output goes to a folder. `synth()` is the caller's.
 */
export function buildApp(program: Program, outdir: string): App {
  try {
    mkdirSync(outdir, { recursive: true });
  } catch (error) {
    throw new UserError(`cannot write to ${outdir}: ${codeOf(error)}; CDKTF_OUTDIR names a folder`, 2);
  }
  dropStaleViews(join(outdir, program.spec.name), program.views);
  const app = new App({ outdir });
  const stackFolder = join(realpathSync(outdir), program.spec.name, "view");
  const fromStack = (path: string): string => {
    const found = relative(stackFolder, path).split(sep).join("/");
    if (!/[$%]\{/.test(found)) return found;
    throw new UserError(
      `Terraform would read a part of this path as an expression: ${found}; name its folders without \${ and %{`,
    );
  };
  const stacks = addViews(app, program.views, {
    ...program,
    specFolder: fromStack(dirname(program.file)),
    program: fromStack(bundledProgram()),
    ...(HOOKS === undefined ? {} : { bundle: HOOKS }),
  });
  const [first] = stacks;
  if (program.isExample && first) Annotations.of(first).addWarning(EXAMPLE_IS_USED);
  return app;
}

/**
 * Writes all views into a folder.
 * @throws UserError with what the guard says of them
 */
export function synthesize(program: Program, outdir: string): void {
  refusing(() => {
    buildApp(program, outdir).synth();
  });
}

/** @throws UserError with what the guard says of a stack that is synthesized */
export function refusing<T>(synth: () => T): T {
  try {
    return synth();
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : new UserError(refusal);
  }
}

/** How cdktf begins, and wraps, what the validations of a stack and its annotations said: `[construct] message` a line. */
const REFUSED = /^(Validation failed with the following errors|Encountered Annotations with level "ERROR"):/;

/**
 * What the guard, or a construct of the user's, said when it failed a synth: the messages alone, without cdktf's hint at how to
 * skip that. Undefined for any other error.
 */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !REFUSED.test(error.message)) return undefined;
  return [...error.message.matchAll(/^\s*\[[^\]]*\] (.*)$/gm)].map(([, text]) => text).join("\n");
}

/** The program, which hooks call, too: the bundle beside the compiled sources, or in `dist` where the sources themselves run. */
export function bundledProgram(): string {
  const beside = fileURLToPath(new URL("../bin/rollout.js", import.meta.url));
  return existsSync(beside) ? beside : fileURLToPath(new URL("../dist/bin/rollout.js", import.meta.url));
}

/** Found out when this is loaded: a later build is not what this process is of. */
const HOOKS = currentHooks(dirname(bundledProgram()));

/**
 * A view that is no longer offered must not lie about: by plain Terraform it would take its group back. What Terraform
 * keeps in its folder stays.
 */
function dropStaleViews(folder: string, views: readonly string[]): void {
  if (!existsSync(folder)) return;
  for (const stale of readdirSync(folder).filter((name) => !views.includes(name))) {
    for (const file of ["cdk.tf.json", HOOK_FILE, "plan"]) rmSync(join(folder, stale, file), { force: true });
  }
}
