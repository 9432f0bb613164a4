import type { ClusterState } from "../../cluster/cluster-state.js";
import type { DeployedGroup } from "../../cluster/deployed.js";
import { bakeSecondsOf, describePace, gateSettingsOf, imagesOf } from "../../cluster/gate-settings.js";
import type { Group } from "../../cluster/groups.js";
import { historyOf } from "../log/history.js";
import type { Run } from "../log/read-runs.js";
import { formatSeconds } from "../log/time.js";

interface Impact extends ClusterState {
  readonly group: Group;
  readonly current: DeployedGroup;
  readonly machines: Readonly<Record<"replaced" | "created" | "destroyed", number>>;
  readonly runs?: readonly Run[];
}

/** How long the last roll of a group took that ended well, its creation left out; undefined where neither state nor log know. */
export const lastSeconds = (current: DeployedGroup, runs: readonly Run[] = []): number | undefined =>
  historyOf(current, runs).findLast(
    ({ revision, result, seconds }) => revision > 1 && result === "ok" && seconds !== null,
  )?.seconds ?? undefined;

/** `3 of 9 machines of broker, 1 at a time; their work moves; drain up to 1h, bake 10m; last time 18m` */
export function impactOf({ group, current, machines, spec, deployed, runs }: Impact): string {
  const { pool, role } = group;
  const { replaced, created, destroyed } = machines;
  const settings = gateSettingsOf(pool, spec);
  const all = [...deployed.groups.values()].filter((each) => each.pool === pool);
  const standing = all.reduce((sum, { hosts }) => sum + hosts.length, 0);
  const going = replaced + destroyed;
  const images = all.map(({ name, revisions }) => ({ name, images: imagesOf(revisions) }));
  const work =
    role !== "client"
      ? "leadership is handed over first"
      : settings.workload === "moves"
        ? "their work moves"
        : replaced > 0
          ? "their work is down meanwhile"
          : "their work ends";
  const last = lastSeconds(current, runs);
  const times = [
    ...(role === "client" && going > 0
      ? [`drain up to ${formatSeconds(settings.drain.deadlineSeconds)}`]
      : []),
    ...(group.retires ? [] : [`bake ${formatSeconds(bakeSecondsOf(group, spec, images))}`]),
  ];
  return [
    going > 0
      ? `${String(going)} of ${String(standing)} machines of ${pool}${going > 1 ? `, ${describePace(settings)}` : ""}`
      : created > 0
        ? `${String(created)} more of ${pool}, and none goes`
        : `no machine of ${pool} goes`,
    ...(going > 0 ? [work] : []),
    ...(times.length > 0 ? [times.join(", ")] : []),
    ...(last === undefined ? [] : [`last time ${formatSeconds(last)}`]),
  ].join("; ");
}
