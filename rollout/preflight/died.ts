import { recordedIn } from "../../cluster/completed.js";
import type { DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import { withoutRegion } from "../observation/host-of.js";
import { areAbsent } from "../observation/machine.js";
import { isUnknown, type Observation, type Observed } from "../observation/observation.js";
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

/** The machines of a template that have stood: any other is replaced by its group's roll, or has still to come up. */
export function stoodWith(hash: string, group: DeployedGroup): DeployedHost[] {
  const recorded = recordedIn(group);
  return group.hosts.filter(
    (host) => host.hash === hash && (group.completed === undefined || recorded.has(host.id ?? "")),
  );
}

/** What has become of those hosts of a group that are not well: EC2's word, or that of Consul and Nomad together. */
export function fatesOf(
  observation: Observation,
  { role }: Pick<DeployedGroup, "role">,
  hosts: readonly DeployedHost[],
): Fate[] {
  const { consul, nomad, machines } = observation;
  const isClient = role === "client";
  // A server that is cut off from the others takes them for dead, and has no leader.
  const asked = [
    consul.members,
    ...(role === "consul-server"
      ? [consul.autopilot]
      : isClient
        ? [nomad.nodes]
        : [nomad.members, nomad.autopilot]),
  ];
  const unknown = asked.find(isUnknown);
  return hosts.flatMap(({ name: host, id = "" }): Fate[] => {
    const state = isUnknown(machines) ? undefined : machines.find((machine) => machine.id === id)?.state;
    if (state !== undefined && state !== "running" && state !== "pending")
      return [{ host, id, kind: "dead", why: `EC2 has ${id} as ${state}` }];
    if (unknown)
      return [{ host, id, kind: "doubt", why: `nobody knows whether it lives: ${unknown.unknown}` }];
    const reasons = unwell(observation, role, host);
    if (reasons.length === 0) return [];
    const why = reasons.map((reason) => reason.why).join(", ");
    const agents = agentsOf(observation, role, host);
    const isGone = !agents.includes("alive");
    if (isGone && (agents.includes("dead") || areAbsent(machines, (name) => name === host)))
      return [{ host, id, kind: "dead", why }];
    const mend = [...new Set(reasons.flatMap((reason) => reason.mend ?? []))].join(", and ");
    const isWhole = agents.every((agent) => agent === "alive");
    return [{ host, id, kind: isWhole ? "doubt" : "half", why: `${why}; ${mend}` }];
  });
}

type Agent = "alive" | "dead" | "no record";

/** Its Consul agent, and Nomad's where it has one. */
function agentsOf({ consul, nomad }: Observation, role: DeployedGroup["role"], host: string): Agent[] {
  const among = (
    all: Observed<readonly { readonly name: string; readonly status: string }[]>,
    isAlive: (status: string) => boolean,
  ): Agent => {
    const own = isUnknown(all) ? [] : all.filter(({ name }) => withoutRegion(name) === host);
    return own.some(({ status }) => isAlive(status)) ? "alive" : own.length > 0 ? "dead" : "no record";
  };
  const isMember = (status: string): boolean => status === "alive" || status === "leaving";
  return [
    among(consul.members, isMember),
    ...(role === "nomad-server" ? [among(nomad.members, isMember)] : []),
    ...(role === "client"
      ? [among(nomad.nodes, (status) => status === "ready" || status === "initializing")]
      : []),
  ];
}
