/** The cluster's name, by whose tag everything is taken down: one that nobody would give to a cluster of their own. */
export const CLUSTER = "rollout-acceptance";
