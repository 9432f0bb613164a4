import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { App } from "cdktf";
import { fileAtRevision, lastCause } from "../clients/git.js";
import { parseState } from "../clients/state/parse-state.js";
import { readState } from "../clients/state/read-state.js";
import { offeredViews } from "../rollout/views.js";
import type { Deployed } from "../spec/deployed.js";
import { loadSpec } from "../spec/load.js";
import type { Spec } from "../spec/schema.js";
import { UserError } from "../spec/user-error.js";
import { addViews } from "../stacks/add-views.js";
import { baselineOf } from "../stacks/baseline.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A spec and where it was found. */
export interface SpecFile {
  readonly spec: Spec;
  /** Absolute. */
  readonly file: string;
  /** As the user would write it. */
  readonly shown: string;
  /** Whether it is the example, since there is no other. */
  readonly isExample: boolean;
}

/** What is desired, what is deployed, and which views that makes. */
export interface Program extends SpecFile {
  readonly deployed: Deployed;
  readonly views: readonly string[];
  readonly cause: string;
}

const EXAMPLE = fileURLToPath(new URL("../cluster.example.yaml", import.meta.url));

/**
 * Reads the spec that `CLUSTER` names, else `cluster.yaml`, else the example.
 * @throws UserError when it cannot be read, SpecError when it is wrong
 */
export function readSpec(env: Environment, folder = process.cwd()): SpecFile {
  const named = env["CLUSTER"] ?? "cluster.yaml";
  const file = resolve(folder, named);
  const isExample = !env["CLUSTER"] && !existsSync(file);
  const found = isExample ? exampleFile() : file;
  const shown = isExample ? "cluster.example.yaml" : named;
  return { spec: loadSpec(readBytes(found, shown), shown), file: realpathSync(found), shown, isExample };
}

/** Reads spec and state and finds the views. `ROLLOUT_GROUP` asks for one more. */
export async function loadProgram(env: Environment): Promise<Program> {
  const source = readSpec(env);
  const deployed = await readDeployed(source, env);
  const views = offeredViews(source.spec, deployed, env["ROLLOUT_GROUP"]);
  const cause = env["ROLLOUT_CAUSE"] ?? (await lastCause(source.file)) ?? "<none>";
  return { ...source, deployed, views, cause };
}

/**
 * What is deployed: the state, or only when `ROLLOUT_DEPLOYED` says so `git:REV`, the spec at that revision, or
 * `file:PATH`, a spec or a copy of a state.
 */
async function readDeployed({ spec, file }: SpecFile, env: Environment): Promise<Deployed> {
  const named = env["ROLLOUT_DEPLOYED"] ?? "state";
  if (named === "state") return readState(spec, file);
  const [kind, ...rest] = named.split(":");
  const place = rest.join(":");
  if (kind === "git" && place !== "") {
    return baselineOf(loadSpec(await fileAtRevision(file, place), `${place}:${basename(file)}`), named);
  }
  if (kind === "file" && place !== "") return readCopy(spec, place, named);
  throw new UserError(`ROLLOUT_DEPLOYED is "${named}"; expected state, git:REVISION or file:PATH`, 2);
}

function readCopy(spec: Spec, path: string, where: string): Deployed {
  const bytes = readBytes(path, path);
  const text = new TextDecoder().decode(bytes);
  if (!text.trimStart().startsWith("{")) return baselineOf(loadSpec(bytes, path), where);
  const deployed = parseState(text, { where, cluster: spec.name, platform: spec.platform });
  return deployed.origin.kind === "state"
    ? { ...deployed, origin: { ...deployed.origin, copy: true } }
    : deployed;
}

/** Adds all views to an app whose output goes to a folder. `synth()` is the caller's. */
export function buildApp(program: Program, outdir: string): App {
  mkdirSync(outdir, { recursive: true });
  dropStaleViews(join(outdir, program.spec.name), program.views);
  const app = new App({ outdir });
  const stackFolder = join(realpathSync(outdir), program.spec.name, "view");
  const fromStack = (path: string): string => relative(stackFolder, path).split(sep).join("/");
  addViews(app, program.views, {
    spec: program.spec,
    deployed: program.deployed,
    specFolder: fromStack(dirname(program.file)),
    program: fromStack(realpathSync(fileURLToPath(new URL("./rollout.js", import.meta.url)))),
    cause: program.cause,
  });
  return app;
}

/**
 * A view that is no longer offered must not lie about: by plain Terraform it would take its group back. What Terraform
 * keeps in its folder stays.
 */
function dropStaleViews(folder: string, views: readonly string[]): void {
  if (!existsSync(folder)) return;
  for (const stale of readdirSync(folder).filter((name) => !views.includes(name))) {
    for (const file of ["cdk.tf.json", "plan"]) rmSync(join(folder, stale, file), { force: true });
  }
}

function readBytes(file: string, shown: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : code;
    throw new UserError(
      `cannot read ${shown}: ${why}; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml`,
    );
  }
}

/** The example lies beside the sources, and one folder up from compiled ones. */
function exampleFile(): string {
  return existsSync(EXAMPLE)
    ? EXAMPLE
    : fileURLToPath(new URL("../../cluster.example.yaml", import.meta.url));
}
