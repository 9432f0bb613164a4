import type { DeployedVolume } from "./deployed.js";
import type { Group } from "./groups.js";
import { DEFAULT_VOLUME_TYPE } from "./yaml/schema.js";

type Wanted = Pick<Group, "dataVolume" | "wantedVolume">;

/**
 * What a data volume is to have otherwise, with the machine that it is attached to: `volume 100 -> 200 GiB`, `iops 3000 -> 6000`.
 * One that was made larger by other hands stays so, unless the spec asks for another size than is recorded.
 */
export function volumeChanges(
  volume: DeployedVolume,
  { dataVolume, wantedVolume: wanted }: Wanted,
): string[] {
  if (!wanted) return [];
  const isResized = wanted.sizeGib !== dataVolume?.sizeGib;
  const { sizeGib } = volume;
  return [
    ...(sizeGib < wanted.sizeGib || (isResized && sizeGib !== wanted.sizeGib)
      ? [describeGrowth(sizeGib, wanted.sizeGib)]
      : []),
    ...performanceChanges(volume, wanted),
  ];
}

/** `volume 100 -> 200 GiB` */
export const describeGrowth = (from: number | undefined, to: number | undefined): string =>
  `volume ${String(from)} -> ${String(to)} GiB`;

/** The same of iops and throughput alone. Where the spec does not say them, they are as they are. */
export const performanceChanges = (is: Performance, wanted: Performance): string[] =>
  (["iops", "throughput"] as const).flatMap((name) => {
    const [from, to] = [is[name], wanted[name]];
    if (to === undefined || from === to) return [];
    return [from === undefined ? `${name} ${String(to)}` : `${name} ${String(from)} -> ${String(to)}`];
  });

/** Whether a volume of this type may have iops and throughput of its own. */
export const takesPerformance = (type: string): boolean => type === DEFAULT_VOLUME_TYPE;

type Performance = Partial<Record<"iops" | "throughput", number | undefined>>;
