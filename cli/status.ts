import type { Environment } from "../clients/environment.js";
import { statusOf, statusSchema, type GroupStatus, type Status } from "../rollout/status.js";
import { loadProgram } from "./program.js";

import { formatTable } from "./table.js";

export interface StatusArgs {
  readonly format: "text" | "json";
}

/** Shows which group runs what and which view comes next. Reads the state, asks no agent. */
export async function runStatus(env: Environment, { format }: StatusArgs): Promise<string> {
  const { spec, deployed, views } = await loadProgram(env);
  const status = statusOf(spec, deployed, views);
  return format === "json" ? JSON.stringify(statusSchema.parse(status), null, 2) : formatStatus(status);
}

const SYMBOLS: Readonly<Record<GroupStatus["state"], string>> = {
  current: "✔",
  pending: "◷",
  "in flight": "◌",
  frozen: "॥",
  new: "+",
  retired: "-",
};

/** One row a group, at most 80 columns with image ids of AWS's length where nothing is pending. */
function formatStatus(status: Status): string {
  const rows = status.groups.map(({ pool, index, state, image, hosts }) => [
    index === 0 ? pool : "",
    String(index),
    `${SYMBOLS[state]} ${state}`,
    hosts.deployed === hosts.desired
      ? String(hosts.desired)
      : `${String(hosts.deployed)} -> ${String(hosts.desired)}`,
    image.deployed ?? "-",
    image.deployed === image.desired ? "" : image.desired,
  ]);
  const reasons = status.groups
    .filter(
      ({ state, reason }) =>
        reason !== null && (state === "in flight" || state === "frozen" || state === "pending"),
    )
    .map(({ name, state, reason }) => `${name} is ${state}: ${reason ?? ""}`);
  return [
    `${status.cluster} on ${status.platform}; deployed: ${status.deployed.origin}`,
    "",
    formatTable([["POOL", "GROUP", "STATE", "HOSTS", "IMAGE", "DESIRED"], ...rows]),
    "",
    ...reasons,
    ...status.leftovers.map(describeLeftovers),
    status.next === null ? nothingNext(status) : `next: ${status.next}`,
  ].join("\n");
}

function describeLeftovers({ pool, volumes, addresses }: Status["leftovers"][number]): string {
  if (addresses === 0)
    return `${pool} has retired: nothing of it is in the state; take pools.${pool} out of the spec`;
  const fate = volumes === "keep-volumes" ? "its data volumes are kept" : "its data volumes are DELETED";
  return `${pool} has no machine any more; what is left of it goes with the cluster view, and ${fate}`;
}

function nothingNext({ groups, protection }: Status): string {
  if (protection === "off") return "next: no group is rolled while protection is off; it is for a teardown";
  const waiting = groups.filter(({ state }) => state === "pending").length;
  return waiting === 0
    ? "next: nothing, all groups are as desired"
    : `next: set all but one of the ${String(waiting)} pending groups back, or set rollout.pendingGroups: queue`;
}
