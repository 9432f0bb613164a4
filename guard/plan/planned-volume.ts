import { optional } from "./fields.js";

/** What a plan says of a data volume. What is absent is unknown until it is applied. */
export interface PlannedVolume {
  readonly sizeGib?: number;
  readonly type?: string;
}

/** Reads the values of an `aws_ebs_volume` or of a data volume of the local platform. */
export function plannedVolume(values: unknown): PlannedVolume {
  const input = optional(values, "input");
  const sizeGib = optional(values, "size") ?? optional(input, "sizeGib");
  const type = optional(values, "type") ?? optional(input, "type");
  return {
    ...(typeof sizeGib === "number" ? { sizeGib } : {}),
    ...(typeof type === "string" ? { type } : {}),
  };
}
