import type { RuleId } from "../../guard/verdict.js";
import type { World } from "./world.js";

/** A plan to be recorded, and what the guard is to say of it. */
export interface Case {
  /** Its name in the table of fixtures. */
  readonly name: string;
  /** What it is, in one sentence. */
  readonly what: string;
  readonly expected: Expected;
  /** Makes the plan. What spec and state say afterwards is what the plan is judged against. */
  readonly make: (world: World) => Promise<string>;
}

export type Expected =
  | { readonly verdict: "accepted" }
  | { readonly verdict: "rejected"; readonly rules: readonly RuleId[] }
  | { readonly verdict: "not a plan"; readonly why: string };

export const accepted: Expected = { verdict: "accepted" };
export const rejected = (...rules: RuleId[]): Expected => ({ verdict: "rejected", rules });
