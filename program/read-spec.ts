import type { Environment } from "../clients/environment.js";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { codeOf } from "../clients/error-code.js";
import { loadSpec } from "../cluster/yaml/load.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
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
  /** Declares what a program has of its own in a view. Default: `own-resources.ts` does. */
  readonly addOwn?: (view: ViewStack) => void;
}

/** What a program writes of the cluster that it declares; JSON is YAML, too. */
export const DESIRED = "desired.json";

/** The largest states have some megabytes. */
const MOST_BYTES = 500_000_000;

const NO_SPEC = "name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml";

const EXAMPLE = fileURLToPath(new URL("../cluster.example.yaml", import.meta.url));

/**
 * Reads the spec that `CLUSTER` names, else `cluster.yaml`, else what a program has written of itself, else the example.
 * @throws UserError when it cannot be read, SpecError when it is wrong
 */
export function readSpec(env: Environment, folder = process.cwd()): SpecFile {
  const asked = env["CLUSTER"] ?? "";
  const written = existsSync(resolve(folder, "cluster.yaml")) ? "cluster.yaml" : DESIRED;
  const named = asked !== "" ? asked : existsSync(resolve(folder, written)) ? written : "cluster.yaml";
  const file = resolve(folder, named);
  const isExample = asked === "" && !existsSync(file);
  const found = isExample ? exampleFile() : file;
  const shown = isExample ? "cluster.example.yaml" : named;
  return {
    spec: loadSpec(readBytes(found, shown, NO_SPEC), shown),
    file: realpathSync(found),
    shown,
    isExample,
  };
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

/** The example lies beside the sources, and one folder up from compiled ones. */
function exampleFile(): string {
  return existsSync(EXAMPLE)
    ? EXAMPLE
    : fileURLToPath(new URL("../../cluster.example.yaml", import.meta.url));
}
