import { isLive } from "../allocation.js";
import { migrate, type Group, type Job } from "../job.js";
import type { Nomad } from "../nomad.js";

/** How many of a job's allocations are in which state; `Queued` are those that have no place. */
export const summaryView = (nomad: Nomad, job: Job) => ({
  Children: { Dead: 0, Pending: 0, Running: 0 },
  CreateIndex: job.createIndex,
  JobID: job.id,
  ModifyIndex: nomad.scheduler.index,
  Namespace: job.spec.Namespace,
  Summary: Object.fromEntries(job.groups.map((group) => [group.name, countsOf(nomad, job, group)])),
});

function countsOf({ scheduler }: Nomad, job: Job, group: Group) {
  const all = scheduler.of(job).filter((each) => each.group.name === group.name);
  const count = (status: string): number => all.filter(({ client }) => client === status).length;
  return {
    Complete: count("complete"),
    Failed: count("failed"),
    Lost: count("lost"),
    Queued: scheduler.queued(job, group),
    Running: count("running"),
    Starting: count("pending"),
    Unknown: 0,
  };
}

const statusOf = ({ scheduler }: Nomad, job: Job): string => {
  if (job.stopped) return "dead";
  const all = scheduler.of(job);
  if (all.some(isLive)) return "running";
  return job.type === "batch" && all.length > 0 ? "dead" : "pending";
};

export const jobStub = (nomad: Nomad, job: Job) => ({
  CreateIndex: job.createIndex,
  Datacenters: ["dc1"],
  ID: job.id,
  JobModifyIndex: job.modifyIndex,
  JobSummary: summaryView(nomad, job),
  ModifyIndex: job.modifyIndex,
  Name: job.spec.Name ?? job.id,
  Namespace: job.spec.Namespace,
  NodePool: job.spec.NodePool,
  ParameterizedJob: false,
  ParentID: "",
  Periodic: false,
  Priority: 50,
  Status: statusOf(nomad, job),
  StatusDescription: "",
  Stop: job.stopped,
  SubmitTime: nomad.timeline.nanoseconds(job.submittedAt),
  Type: job.type as string,
  Version: job.version,
});

export const jobView = (nomad: Nomad, job: Job) => ({
  ...job.spec,
  TaskGroups: job.spec.TaskGroups.map((group) => ({
    ...group,
    Migrate: group.Migrate ?? (job.type === "service" ? migrate.parse({}) : null),
  })),
  Datacenters: ["dc1"],
  Name: job.spec.Name ?? job.id,
  Priority: 50,
  Stop: job.stopped,
  Status: statusOf(nomad, job),
  StatusDescription: "",
  Stable: true,
  SubmitTime: nomad.timeline.nanoseconds(job.submittedAt),
  Version: job.version,
  CreateIndex: job.createIndex,
  JobModifyIndex: job.modifyIndex,
  ModifyIndex: job.modifyIndex,
});

export const deploymentView = (nomad: Nomad, job: Job) => {
  const live = nomad.scheduler.of(job).filter(isLive);
  const wanted = job.groups.reduce((total, { count }) => total + count, 0);
  const done = live.filter(({ healthy }) => healthy).length >= wanted;
  return {
    CreateIndex: job.modifyIndex,
    CreateTime: nomad.timeline.nanoseconds(job.submittedAt),
    EvalPriority: 50,
    ID: job.deploymentId,
    IsMultiregion: false,
    JobCreateIndex: job.createIndex,
    JobID: job.id,
    JobModifyIndex: job.modifyIndex,
    JobSpecModifyIndex: job.modifyIndex,
    JobVersion: job.version,
    ModifyIndex: job.modifyIndex,
    ModifyTime: nomad.timeline.nanoseconds(job.submittedAt),
    Namespace: job.spec.Namespace,
    Status: done ? "successful" : "running",
    StatusDescription: done ? "Deployment completed successfully" : "Deployment is running",
    TaskGroups: {},
  };
};
