import * as z from "zod";
import { goDuration } from "../blocking.js";

const nanoseconds = z.number();

const constraint = z.looseObject({
  LTarget: z.string().default(""),
  Operand: z.string().default("="),
  RTarget: z.string().default(""),
});

const service = z.looseObject({ Name: z.string().min(1), Tags: z.array(z.string()).nullish() });

const task = z.looseObject({
  Name: z.string().default("t"),
  KillTimeout: nanoseconds.nullish().transform((value) => value ?? 5e9),
  ShutdownDelay: nanoseconds.nullish(),
  Services: z.array(service).nullish(),
  Resources: z.looseObject({ CPU: z.number().default(100), MemoryMB: z.number().default(300) }).nullish(),
  Constraints: z.array(constraint).nullish(),
});

export const migrate = z.looseObject({
  MaxParallel: z.number().default(1),
  MinHealthyTime: nanoseconds.default(10e9),
  HealthyDeadline: nanoseconds.default(300e9),
  HealthCheck: z.string().default("checks"),
});

/** A job as it is registered: the parts that decide where its work runs and how it moves; the rest is kept as it is. */
export const jobSpec = z.looseObject({
  ID: z.string().min(1),
  Name: z.string().optional(),
  Namespace: z.string().default("default"),
  Type: z.enum(["service", "system", "batch"]).default("service"),
  NodePool: z.string().default("default"),
  Constraints: z.array(constraint).nullish(),
  Meta: z.record(z.string(), z.string()).nullish(),
  TaskGroups: z.array(
    z.looseObject({
      Name: z.string().default("g"),
      Count: z.number().default(1),
      Constraints: z.array(constraint).nullish(),
      Migrate: migrate.nullish(),
      Services: z.array(service).nullish(),
      Tasks: z.array(task).default([]),
    }),
  ),
});

export type JobSpec = z.infer<typeof jobSpec>;
export type Constraint = z.infer<typeof constraint>;

export interface Group {
  readonly name: string;
  readonly count: number;
  readonly constraints: readonly Constraint[];
  readonly maxParallel: number;
  readonly minHealthyMs: number;
  readonly killTimeoutMs: number;
  readonly cpu: number;
  readonly memoryMb: number;
  readonly taskNames: readonly string[];
  /** What its allocations are in Consul. */
  readonly services: readonly { readonly name: string; readonly tags: readonly string[] }[];
  /** From the moment at which its services are taken out of Consul until its tasks are told to end. */
  readonly shutdownDelayMs: number;
}

/**
 * How a job's tasks behave here, by its meta: `sim_ignores_term` (`true`: ends only by its kill timeout),
 * `sim_runs_only_on` (names of nodes; elsewhere it exits with 1), `sim_runs_for` (a duration, for batch; default: for ever).
 */
export interface Behaviour {
  readonly ignoresTerm: boolean;
  readonly runsOnlyOn: readonly string[] | undefined;
  readonly runsForMs: number | undefined;
}

export class Job {
  readonly groups: readonly Group[];
  readonly behaviour: Behaviour;
  stopped = false;

  constructor(
    readonly spec: JobSpec,
    readonly version: number,
    readonly createIndex: number,
    public modifyIndex: number,
    readonly submittedAt: number,
    /** One deployment for each version of a job. */
    readonly deploymentId: string,
  ) {
    this.groups = spec.TaskGroups.map((group) => ({
      name: group.Name,
      count: group.Count,
      constraints: [
        ...(spec.Constraints ?? []),
        ...(group.Constraints ?? []),
        ...group.Tasks.flatMap(({ Constraints }) => Constraints ?? []),
      ],
      maxParallel: group.Migrate?.MaxParallel ?? 1,
      minHealthyMs: (group.Migrate?.MinHealthyTime ?? 10e9) / 1e6,
      killTimeoutMs: Math.max(5_000, ...group.Tasks.map(({ KillTimeout }) => KillTimeout / 1e6)),
      cpu: sum(group.Tasks.map(({ Resources }) => Resources?.CPU ?? 100)),
      memoryMb: sum(group.Tasks.map(({ Resources }) => Resources?.MemoryMB ?? 300)),
      taskNames: group.Tasks.map(({ Name }) => Name),
      services: [group, ...group.Tasks]
        .flatMap(({ Services }) => Services ?? [])
        .map(({ Name, Tags }) => ({ name: Name, tags: Tags ?? [] })),
      shutdownDelayMs: Math.max(0, ...group.Tasks.map(({ ShutdownDelay }) => (ShutdownDelay ?? 0) / 1e6)),
    }));
    const meta = spec.Meta ?? {};
    const runsFor = meta["sim_runs_for"];
    this.behaviour = {
      ignoresTerm: meta["sim_ignores_term"] === "true",
      runsOnlyOn: meta["sim_runs_only_on"]?.split(",").map((name) => name.trim()),
      runsForMs: runsFor === undefined ? undefined : goDuration(runsFor),
    };
  }

  get id(): string {
    return this.spec.ID;
  }

  get type(): "service" | "system" | "batch" {
    return this.spec.Type;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
