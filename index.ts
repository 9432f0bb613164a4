/** What a program that declares a cluster imports. */
export type { ClusterBase } from "./program/typed/cluster-base.js";
export { Cluster, type ClusterProps, type RolloutProps, type WindowProps } from "./program/typed/cluster.js";
export type { ActionProps, CheckProps, GateProps, StepProps } from "./program/typed/gate-props.js";
export { aws, file, local, s3, three } from "./program/typed/places.js";
export type { AwsProps, BackendProps, LocalProps, Place, S3Props } from "./program/typed/places.js";
export type {
  ClientPoolProps,
  DataVolume,
  MachineProps,
  ServerPoolProps,
} from "./program/typed/pool-props.js";
export { ClientPool, ConsulServers, NomadServers, type Pool } from "./program/typed/pools.js";
export { RolloutApp } from "./program/typed/rollout-app.js";
export type { Three } from "./cluster/three.js";
export type { View } from "./stacks/view.js";
export type { ViewedPool } from "./cluster/viewed-pool.js";
