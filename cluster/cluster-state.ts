import type { Deployed } from "./deployed.js";
import type { Spec } from "./yaml/schema.js";

/** What a cluster is to be and what it is: all that most decisions need. */
export interface ClusterState {
  readonly spec: Spec;
  readonly deployed: Deployed;
}
