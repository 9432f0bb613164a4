import { memberValues } from "../../cluster/members.js";
import { isMap } from "../../cluster/raw.js";

/** What a plan says of a machine. What is absent is unknown until it is applied. */
export type PlannedHost = Partial<
  Record<
    "id" | "image" | "instanceType" | "hash" | "subnetId" | "keyName" | "instanceProfile",
    string | undefined
  >
> & {
  readonly securityGroupIds?: readonly string[];
  readonly tags?: Readonly<Record<string, unknown>>;
  /** Its text or, as older providers have it, a digest. */
  readonly userData?: string | undefined;
};

/** Reads the values of a host; nothing where there are none. */
export function plannedHost(address: string, values: unknown): PlannedHost {
  const { id, image, instanceType, hash, securityGroupIds, tags, ...host } = memberValues(
    "host",
    address,
    values,
  );
  return {
    id: text(id),
    image: text(image),
    instanceType: text(instanceType),
    hash: text(hash),
    subnetId: text(host.subnetId),
    keyName: text(host.keyName),
    instanceProfile: text(host.instanceProfile),
    userData: text(host.userData),
    ...(isMap(tags) ? { tags } : {}),
    ...(Array.isArray(securityGroupIds) ? { securityGroupIds: securityGroupIds.map(String) } : {}),
  };
}

/** What a plan says of a data volume. What is absent is unknown until it is applied. */
export interface PlannedVolume {
  readonly sizeGib: number | undefined;
  readonly type: string | undefined;
  readonly iops: number | undefined;
  readonly throughput: number | undefined;
}

export function plannedVolume(address: string, values: unknown): PlannedVolume {
  const { sizeGib, type, iops, throughput } = memberValues("data", address, values);
  return {
    ...{ sizeGib: number(sizeGib), type: text(type) },
    ...{ iops: number(iops), throughput: number(throughput) },
  };
}

const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
