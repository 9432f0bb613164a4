// What a token needs for each call, found by recording which policies allow it (Nomad 2.0.6).

export const NODE_READ = 'node { policy = "read" }';
export const NODE_WRITE = 'node { policy = "write" }';
export const AGENT_READ = 'agent { policy = "read" }';
export const OPERATOR_READ = 'operator { policy = "read" }';
export const LIST_JOBS = 'namespace "*" { capabilities = ["list-jobs"] }';
export const READ_JOBS = 'namespace "*" { capabilities = ["read-job"] }';
export const LIST_VOLUMES = 'namespace "*" { capabilities = ["csi-list-volume"] }';
/** No policy allows it. */
export const MANAGEMENT = "management rights (a token of type management)";
