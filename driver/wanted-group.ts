import { isDeepStrictEqual } from "node:util";
import type { Group } from "../cluster/groups.js";

type Wanted = Pick<Group, "image" | "hash" | "hosts" | "wantedVolume">;

/** Whether a group is to be what it was to be a moment ago. */
export const isSame = (one: Wanted, other: Wanted): boolean =>
  one.hash === other.hash &&
  one.hosts === other.hosts &&
  isDeepStrictEqual(one.wantedVolume, other.wantedVolume);

/** `ami-0bbb, template 0123456789, 2 hosts, data volumes of 200 GiB gp3, iops 6000` */
export function describeWanted({ image, hash, hosts, wantedVolume }: Wanted): string {
  const { sizeGib, type, iops, throughput } = wantedVolume ?? {};
  return [
    `${image}, template ${hash}, ${String(hosts)} ${hosts === 1 ? "host" : "hosts"}`,
    ...(wantedVolume ? [`data volumes of ${String(sizeGib)} GiB ${String(type)}`] : []),
    ...(iops === undefined ? [] : [`iops ${String(iops)}`]),
    ...(throughput === undefined ? [] : [`throughput ${String(throughput)}`]),
  ].join(", ");
}
