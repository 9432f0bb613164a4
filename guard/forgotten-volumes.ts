import { hostAddress, type HostKind } from "../cluster/address.js";
import type { DeployedHost } from "../cluster/deployed.js";
import type { Proposal } from "./proposal.js";

/**
 * The addresses of data volumes that machines have and the state does not hold, sorted. `data-volume-kept` refuses them;
 * what only follows from them is no other rule's concern.
 */
export function forgottenVolumes({ deployed, spec }: Pick<Proposal, "deployed" | "spec">): string[] {
  return [...deployed.groups.values()]
    .flatMap(({ name, hosts, ready }) => {
      const address = (number: number, kind: HostKind): string =>
        hostAddress(spec.platform, name, number, kind);
      const stood = new Set(ready?.hosts.split(","));
      const attached = hosts.filter(({ number }) =>
        deployed.addresses.has(address(number, "data-attachment")),
      );
      // Machines that stood together were alike, so where one had a volume all had.
      const isWithout = ({ id = "", hash }: DeployedHost): boolean =>
        stood.has(id) && attached.some((other) => stood.has(other.id ?? "") && other.hash === hash);
      return hosts
        .filter((host) => attached.includes(host) || isWithout(host))
        .map(({ number }) => address(number, "data"))
        .filter((data) => !deployed.addresses.has(data));
    })
    .sort();
}
