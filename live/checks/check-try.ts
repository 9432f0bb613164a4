import type { Environment } from "../../clients/environment.js";
import type { CheckResult } from "../../rollout/observation/observation.js";

export interface CheckDeps {
  /** What commands get, but for the agents' tokens. */
  readonly env: Environment;
  /** Ends a try before its time. */
  readonly signal?: AbortSignal;
}

/** How one try of a check ended. */
export type Tried = Pick<CheckResult, "passed" | "value">;
