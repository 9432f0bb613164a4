import { memberValues } from "../../cluster/members.js";

/** What a plan says of a machine. What is absent is unknown until it is applied. */
export interface PlannedHost {
  readonly id?: string;
  readonly image?: string;
  readonly instanceType?: string;
  readonly hash?: string;
  readonly subnetId?: string;
  readonly keyName?: string;
  readonly instanceProfile?: string;
  readonly securityGroupIds?: readonly string[];
}

/** Reads the values of a host; nothing where there are none. */
export function plannedHost(address: string, values: unknown): PlannedHost {
  const host = memberValues("host", address, values);
  const { id, image, instanceType, hash, securityGroupIds } = host;
  return {
    ...text("id", id),
    ...text("image", image),
    ...text("instanceType", instanceType),
    ...text("hash", hash),
    ...text("subnetId", host.subnetId),
    ...text("keyName", host.keyName),
    ...text("instanceProfile", host.instanceProfile),
    ...(Array.isArray(securityGroupIds) ? { securityGroupIds: securityGroupIds.map(String) } : {}),
  };
}

/** What a plan says of a data volume. What is absent is unknown until it is applied. */
export interface PlannedVolume {
  readonly sizeGib?: number;
  readonly type?: string;
}

export function plannedVolume(address: string, values: unknown): PlannedVolume {
  const { sizeGib, type } = memberValues("data", address, values);
  return { ...(typeof sizeGib === "number" ? { sizeGib } : {}), ...text("type", type) };
}

function text<K extends string>(key: K, value: unknown): Partial<Record<K, string>> {
  return typeof value === "string" ? ({ [key]: value } as Record<K, string>) : {};
}
