import { recordedIn } from "../../cluster/completed.js";
import type { DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import { withoutRegion } from "../observation/host-of.js";
import { areAbsent } from "../observation/machine.js";
import { isUnknown, type Observation } from "../observation/observation.js";
import { unwell } from "./preflight.js";

/** What has become of a machine that stood. */
export interface Fate {
  readonly host: string;
  readonly id: string;
  /** `half`: some of its agents are gone, and it may still have work. `doubt`: it lives, or nobody knows. */
  readonly kind: "dead" | "half" | "doubt";
  /** A clause: `its Consul agent is failed, its node is down`. */
  readonly why: string;
}

/**
 * The machines of a template that have stood: any other is replaced by its group's roll, or has still to come up. What a closed
 * gate has let through is recorded too, and has not stood yet.
 */
export function stoodWith(hash: string, group: DeployedGroup): DeployedHost[] {
  const { completed, ready, hosts } = group;
  const passed = completed ? [...recordedIn(group).keys()] : (ready?.hosts.split(",") ?? []);
  const proven = new Set((completed ?? ready)?.gate === "open" ? passed : []);
  return hosts.filter((host) => host.hash === hash && proven.has(host.id ?? ""));
}

/** Another cluster has groups of the same names, and may have lost what stands here. */
export const isOurConsul = ({ consul }: Observation, cluster: string): boolean =>
  !isUnknown(consul.catalog) && consul.catalog.some(({ meta }) => meta["rollout_cluster"] === cluster);

/** By the nodes of the group, or where none is left by a server that Consul has, too: of other nodes the list tells no cluster. */
export function isOurNomad(
  { consul, nomad }: Observation,
  role: DeployedGroup["role"],
  cluster: string,
): boolean {
  if (role !== "client" || isUnknown(nomad.nodes)) return true;
  if (nomad.nodes.some(({ meta }) => meta["rollout_cluster"] === cluster)) return true;
  if (isUnknown(nomad.members) || isUnknown(consul.catalog)) return false;
  const own = new Set(
    consul.catalog.flatMap(({ name, address, meta }) =>
      meta["rollout_cluster"] === cluster ? [`${name} ${address}`] : [],
    ),
  );
  return nomad.members.some(({ name, address }) => own.has(`${withoutRegion(name)} ${address}`));
}

/** What has become of those hosts of a group that are not well: EC2's word, or that of Consul and Nomad together. */
export function fatesOf(
  observation: Observation,
  { role, cluster }: Pick<DeployedGroup, "role"> & { readonly cluster: string },
  hosts: readonly DeployedHost[],
): Fate[] {
  const { consul, nomad, machines } = observation;
  // A server that is cut off from the others takes them for dead, and has no leader.
  const ofRole = {
    client: [nomad.nodes],
    "nomad-server": [nomad.members, nomad.autopilot],
    "consul-server": [consul.autopilot],
  };
  const asked = [consul.members, consul.catalog, ...ofRole[role]].find(isUnknown);
  const stranger = isOurConsul(observation, cluster)
    ? isOurNomad(observation, role, cluster)
      ? undefined
      : "Nomad"
    : "Consul";
  const unknown =
    asked ?? (stranger && { unknown: `the ${stranger} that was asked knows no machine of ${cluster}` });
  return hosts.flatMap(({ name: host, id = "" }): Fate[] => {
    const state = isUnknown(machines) ? undefined : machines.find((machine) => machine.id === id)?.state;
    if (state !== undefined && state !== "running" && state !== "pending")
      return [{ host, id, kind: "dead", why: `EC2 has ${id} as ${state}` }];
    if (unknown)
      return [{ host, id, kind: "doubt", why: `nobody knows whether it lives: ${unknown.unknown}` }];
    const reasons = unwell(observation, role, host);
    const why = reasons.map((reason) => reason.why).join(", ");
    const gone = reasons.flatMap((reason) => reason.gone ?? []);
    // Across a partition its work runs on, as long as its job allows.
    const runsOn =
      (state !== undefined || (isUnknown(machines) && machines.absent !== true)) &&
      !isUnknown(nomad.nodes) &&
      nomad.nodes.some(({ name, status }) => name === host && status === "disconnected");
    // Its Consul agent, and Nomad's where it has one.
    const isGone = !runsOn && gone.length === (role === "consul-server" ? 1 : 2);
    if (isGone && (gone.includes("dead") || areAbsent(machines, (name) => name === host)))
      return [{ host, id, kind: "dead", why }];
    const mend = [...new Set(reasons.flatMap((reason) => reason.mend ?? []))].join(", and ");
    const kind = gone.length > 0 ? "half" : "doubt";
    return reasons.length === 0 ? [] : [{ host, id, kind, why: mend === "" ? why : `${why}; ${mend}` }];
  });
}

/** Those that nobody calls dead, and what is known of each. */
export const notDead = (hosts: readonly DeployedHost[], fates: readonly Fate[]): string[] =>
  hosts.flatMap(({ name, id }) => {
    const fate = fates.find((each) => each.id === id);
    return fate?.kind === "dead" ? [] : [`${name} ${fate ? `may live: ${fate.why}` : "lives again"}`];
  });
