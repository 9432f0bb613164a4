import type { Finding } from "../preflight/finding.js";
import { byNumber, isHostOf } from "../observation/host-of.js";
import { areAbsent } from "../observation/machine.js";
import type { Observation } from "../observation/observation.js";
import type { LeaveOrder } from "./order.js";

/** The hosts of a group among some names, each once, in their order. */
export function hostsAmong(group: string, names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => isHostOf(group, name)))].sort(byNumber(group));
}

/**
 * Why a list of hosts may not be trusted: nothing found is no success, unless the machines are proven to be gone.
 * @param found the hosts of the group that Consul or Nomad know
 */
export function missingHosts(
  found: readonly string[],
  { group, hosts }: LeaveOrder,
  { machines }: Observation,
): Finding[] {
  if (found.length === 0 && !areAbsent(machines, (name) => isHostOf(group, name))) {
    return [
      {
        subject: group,
        message:
          "no host of this group is known to Consul or Nomad, so nothing proves that its work has left",
        remedy:
          "check CONSUL_HTTP_ADDR and NOMAD_ADDR and that node names are the hosts' names; where the machines are gone, end them in EC2 too and run this again",
      },
    ];
  }
  return hosts
    .filter((host) => !found.includes(host) && !areAbsent(machines, (name) => name === host))
    .map((host) => ({
      subject: host,
      message: "neither Consul nor Nomad know this host, so nothing proves that its work has left",
      remedy: "start its agents, or end the machine, and run this again",
    }));
}
