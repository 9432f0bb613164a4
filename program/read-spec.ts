import type { Environment } from "../clients/environment.js";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf, messageOf } from "../clients/error-code.js";
import * as z from "zod";
import { loadSpec } from "../cluster/yaml/load.js";
import { withUserData, withUserDataAsFound } from "../cluster/yaml/user-data-files.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { packageFile } from "./package-file.js";
import type { ViewStack } from "../stacks/view-stack.js";

/** Said wherever the example stands in for a spec of the user's own. */
export const EXAMPLE_IS_USED = "there is no cluster.yaml: this is cluster.example.yaml";

/** A spec and where it was found. */
export interface SpecFile {
  readonly spec: Spec;
  /** Absolute. */
  readonly file: string;
  /** As the user would write it. */
  readonly shown: string;
  /** Whether it is the example, since there is no other. */
  readonly isExample: boolean;
  /** Declares what a program has of its own in a view. Default: nothing. */
  readonly addOwn?: ((view: ViewStack) => void) | undefined;
}

/** What a program writes of the cluster that it declares; JSON is YAML, too. */
export const DESIRED = "desired.json";

/** The largest states have some megabytes. */
const MOST_BYTES = 500_000_000;

const NO_SPEC = "name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml";

/** This program's own `main.ts`, from the sources and from what was made of them. */
const MAIN = ["../dist/main.js", "../main.js"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/**
 * Reads the spec that `CLUSTER` names, else `cluster.yaml`, else what a program has written of itself, else the example.
 * @throws UserError when it cannot be read, SpecError when it is wrong
 */
export function readSpec(env: Environment, folder = process.cwd()): SpecFile {
  const found = findSpec(env, folder);
  return { ...found, spec: withUserData(found.spec, found.shown, filesIn(dirname(found.file))) };
}

/** {@link readSpec} for what plans nothing: says what is wrong with the files of user data, and goes on. */
export function readSpecAsFound(env: Environment): SpecFile & { readonly wrong?: string } {
  const found = findSpec(env);
  return { ...found, ...withUserDataAsFound(found.spec, found.shown, filesIn(dirname(found.file))) };
}

/** {@link readSpec} without the texts of files that the spec names: for what judges no machine, and must not fail by them. */
export function findSpec(env: Environment, folder = process.cwd()): SpecFile {
  const named = nameOf(env, folder);
  const file = resolve(folder, named);
  const isExample = (env["CLUSTER"] ?? "") === "" && !existsSync(file);
  if (isExample && !isPlain(folder))
    throw new UserError(
      `there is neither cluster.yaml nor ${DESIRED} in this folder; where a program declares the cluster, write it: ${appIn(folder) ?? ""}`,
      2,
    );
  const found = isExample ? packageFile("cluster.example.yaml") : file;
  const shown = isExample ? "cluster.example.yaml" : named;
  const spec = loadSpec(readBytes(found, shown, NO_SPEC), shown);
  const real = realpathSync(found);
  return {
    spec,
    file: real,
    shown,
    isExample,
  };
}

/** Where the spec would be that a command means, whether it is there or not. */
export const specPath = (env: Environment, folder = process.cwd()): string =>
  resolve(realpathSync(folder), nameOf(env, folder));

function nameOf(env: Environment, folder: string): string {
  const asked = env["CLUSTER"] ?? "";
  if (asked !== "") return asked;
  return ["cluster.yaml", DESIRED].find((name) => existsSync(resolve(folder, name))) ?? "cluster.yaml";
}

const cdktfSchema = z.object({ app: z.string().min(1) });

/** The program that `cdktf.json` names in a folder; undefined where none is named. */
export function appIn(folder: string): string | undefined {
  const file = resolve(folder, "cdktf.json");
  if (!existsSync(file)) return undefined;
  try {
    return cdktfSchema.parse(JSON.parse(readFileSync(file, "utf8"))).app;
  } catch (error) {
    const why = error instanceof z.ZodError ? "it names no app" : messageOf(error);
    throw new UserError(
      `cannot read cdktf.json: ${why}; expected { "app": "npx tsx main.ts" } or the like`,
      2,
    );
  }
}

/** Whether the app of a folder is none or this program's own `main.ts`, which adds nothing to a spec; a user's may be called the same. */
export function isPlain(folder: string): boolean {
  const app = appIn(folder);
  const [named] = /[^\s"']*\bdist\/main\.js\b/.exec(app ?? "") ?? [];
  return app === undefined || (named !== undefined && MAIN.includes(resolve(realpathSync(folder), named)));
}

/**
 * The environment under which a run reads its spec again: one that is deleted in the middle is missed, and the example does
 * not stand in for it.
 */
export const pinSpec = (env: Environment, { shown, isExample }: SpecFile): Environment =>
  isExample ? env : { ...env, CLUSTER: shown };

/**
 * The bytes of a file that the user named.
 * @throws UserError saying what to do where it cannot be read
 */
export function readBytes(file: string, shown: string, remedy: string): Uint8Array {
  const refuse = (why: string): never => {
    throw new UserError(`cannot read ${shown}: ${why}; ${remedy}`, 2);
  };
  try {
    // A device has no end, and a pipe may have nobody at the other one.
    const found = statSync(file);
    if (found.isDirectory()) return refuse("it is a folder");
    if (!found.isFile()) return refuse("it is a device or a pipe");
    if (found.size > MOST_BYTES) return refuse(`it has ${String(found.size)} bytes`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = codeOf(error);
    return refuse(code === "ENOENT" ? "there is no such file" : code);
  }
}

/** Reads files of a folder, as {@link withUserData} asks for them. */
export const filesIn =
  (folder: string) =>
  (path: string): Uint8Array | string => {
    try {
      const bytes = readBytes(resolve(folder, path), path, "put it there, or name another in userData");
      const named = resolve(realpathSync(folder), path);
      return realpathSync(named) === named
        ? bytes
        : "got a path over a symbolic link, of which git keeps no text; expected the path of the file itself, such as ../shared/boot.sh";
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  };
