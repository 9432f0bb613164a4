import type { Deployed } from "../spec/deployed.js";
import type { Spec } from "../spec/schema.js";
import type { Change } from "./change.js";
import type { DeclaredResource } from "./declared.js";
import type { Violation } from "./verdict.js";

/** What is to be judged: what a view changes, what is deployed, and which group may change. */
export interface Proposal {
  readonly view: string;
  /** The one group that may change; undefined for the cluster view, which creates new ones. */
  readonly target: string | undefined;
  readonly spec: Spec;
  readonly deployed: Deployed;
  readonly changes: readonly Change[];
  /** What was synthesized. */
  readonly declared: readonly DeclaredResource[];
}

/** A rule is a pure function that returns what breaks it. */
export type Rule = (proposal: Proposal) => readonly Violation[];
