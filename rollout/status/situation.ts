import type { ClusterState } from "../../cluster/cluster-state.js";
import type { Goal } from "../../cluster/run/goal.js";
import type { Hold } from "../../cluster/run/hold.js";
import type { LogEvent } from "../../cluster/run/run-log.js";

/** A run that is under way, as its lock says, or an apply of somebody's Terraform alone, as that of the state says. */
interface LiveRun {
  /** `ops@build-1` */
  readonly by: string;
  /** Undefined for Terraform's, which does not say. */
  readonly pid: number | undefined;
  /** ISO 8601. */
  readonly since: string;
  /** `rollout deploy broker-1` */
  readonly command: string;
}

/** What is known of a cluster without asking its agents: the spec, the state, and the run store. */
export interface Situation extends ClusterState {
  readonly hold: Hold | undefined;
  readonly goal: Goal | undefined;
  /** Undefined where nobody rolls the cluster. */
  readonly run: LiveRun | undefined;
  /** The log, oldest first. */
  readonly events: readonly LogEvent[];
  /** The groups that run what the spec says and its last commit does not. Default: that is not known. */
  readonly uncommitted?: readonly string[];
  /** The steps whose undo is owed, for each machine. Default: none. */
  readonly owed?: readonly { readonly group: string; readonly step: string }[];
  /** When all this was so, in milliseconds since 1970. */
  readonly at: number;
}
