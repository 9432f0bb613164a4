import * as z from "zod";
import type { MachineSettings } from "../machine.js";
import type { Fault } from "../faults.js";
import type { SimulatorOptions } from "./simulator.js";

/** Zod writes `undefined` for an absent key; the state machine wants such keys left out. */
const compact = <Value extends object>(value: Value): Value =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;

export const machineSchema = z
  .strictObject({
    name: z.string().min(1),
    address: z.string().min(1),
    role: z.enum(["consul-server", "nomad-server", "client"]),
    meta: z.record(z.string(), z.string()).optional(),
    retryJoin: z.array(z.string()).optional(),
    nodePool: z.string().optional(),
    cpuMhz: z.number().optional(),
    memoryMb: z.number().optional(),
    leaveOnInterrupt: z.boolean().optional(),
    leaveOnTerminate: z.boolean().optional(),
  })
  .transform((machine) => compact(machine) as MachineSettings);

const where = {
  machine: z.string().optional(),
  product: z.enum(["consul", "nomad"]).optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  times: z.number().optional(),
};

export const faultSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("slow"), ms: z.number(), ...where }),
    z.strictObject({ kind: z.literal("status"), status: z.number(), body: z.string().optional(), ...where }),
    z.strictObject({ kind: z.literal("reset"), ...where }),
    z.strictObject({ kind: z.literal("half"), ...where }),
    z.strictObject({ kind: z.literal("empty-lists"), ...where }),
    z.strictObject({ kind: z.literal("redirect"), to: z.string(), ...where }),
    z.strictObject({ kind: z.literal("oversized"), bytes: z.number(), ...where }),
  ])
  .transform((fault) => compact(fault) as Fault);

const clusterFile = z.strictObject({
  machines: z.array(machineSchema),
  jobs: z.array(z.unknown()).default([]),
  consul: z
    .strictObject({ transferLeader: z.boolean().optional(), stabilizationMs: z.number().optional() })
    .default({}),
  nomad: z.strictObject({ stabilizationMs: z.number().optional() }).default({}),
});

export interface ClusterFile {
  readonly options: SimulatorOptions;
  readonly jobs: readonly unknown[];
}

/** The machines and jobs of a simulated cluster, from the text of a JSON file. */
export function parseClusterFile(source: string): ClusterFile {
  const { machines, jobs, consul, nomad } = clusterFile.parse(JSON.parse(source));
  return {
    options: {
      machines,
      consul: compact(consul) as NonNullable<SimulatorOptions["consul"]>,
      nomad: compact(nomad) as NonNullable<SimulatorOptions["nomad"]>,
    },
    jobs,
  };
}
