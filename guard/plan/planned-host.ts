import { optional } from "./fields.js";

/** What a plan says of a machine. What is absent is unknown until it is applied. */
export interface PlannedHost {
  readonly id?: string;
  readonly image?: string;
  readonly instanceType?: string;
  readonly hash?: string;
  readonly cluster?: string;
}

/** Reads the values of an `aws_instance` or of a host of the local platform; undefined where there are none. */
export function plannedHost(values: unknown): PlannedHost | undefined {
  if (typeof values !== "object" || values === null) return undefined;
  const input = optional(values, "input");
  const tags = optional(values, "tags");
  const cluster = plannedCluster(values);
  return {
    ...text("id", optional(values, "id")),
    ...text("image", optional(values, "ami") ?? optional(input, "image")),
    ...text("instanceType", optional(values, "instance_type") ?? optional(input, "instanceType")),
    ...text("hash", optional(tags, "rollout:template-hash") ?? optional(values, "triggers_replace")),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** The cluster that any resource's values name. */
export function plannedCluster(values: unknown): string | undefined {
  const name =
    optional(optional(values, "tags"), "rollout:cluster") ?? optional(optional(values, "input"), "cluster");
  return typeof name === "string" ? name : undefined;
}

function text<K extends keyof PlannedHost>(key: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === "string" ? ({ [key]: value } as Record<K, string>) : {};
}
