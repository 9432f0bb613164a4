import type { Group, Job } from "./job.js";
import type { NodeRecord } from "./node-record.js";

export type ClientStatus = "pending" | "running" | "complete" | "failed" | "lost";

/** A piece of a job on a node. */
export interface Allocation {
  readonly id: string;
  readonly evalId: string;
  readonly job: Job;
  readonly group: Group;
  /** Which of the group's `count` it is; the node's for a system job. */
  readonly slot: number;
  readonly node: NodeRecord;
  readonly previous: string;
  readonly createdAt: number;
  readonly createIndex: number;
  desired: "run" | "stop";
  /** When it was told to. */
  stoppedAt: number | undefined;
  client: ClientStatus;
  /** Told to move by a drain. */
  migrate: boolean;
  healthy: boolean | undefined;
  healthyAt: number;
  next: string;
  startedAt: number | undefined;
  endedAt: number | undefined;
  modifyIndex: number;
  modifiedAt: number;
}

/** The client has ended it: nothing of it runs any more. */
export const isOver = ({ client }: Allocation): boolean =>
  client === "complete" || client === "failed" || client === "lost";

/** It is to run and may be running: what counts for its group. */
export const isLive = (allocation: Allocation): boolean =>
  allocation.desired === "run" && !isOver(allocation);
