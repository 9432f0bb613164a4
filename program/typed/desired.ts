import type { Environment } from "../../clients/environment.js";
import type { SpecFile } from "../read-spec.js";

/** By what a cluster finds out what it is meant to be. */
export interface Asking {
  /** Of the program. */
  readonly folder: string;
  readonly env: Environment;
  /** The construct paths of what is the program's own. */
  readonly ownResources: readonly string[];
}

/** What a cluster is meant to be, and the text of it. */
export type Desired = SpecFile & { readonly desired: string };
