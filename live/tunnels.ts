import type { Environment } from "../clients/environment.js";
import { isBySsh, type Endpoint } from "../clients/http/endpoint.js";
import type { Service } from "../clients/http/service.js";
import { Ssh } from "../clients/ssh/ssh.js";
import { openTunnel, TunnelOnDemand } from "../clients/ssh/tunnel.js";
import { groupsOf, hostNames } from "../cluster/groups.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { loopbackOf } from "./loopback.js";

/** So many machines are tried before a call fails: each may take as long as ssh waits for one that is gone. */
const MOST = 6;

/**
 * Ways to a service through the agents of some machines, for a client that goes on to the next where one dies. None where
 * the environment does not want them: then its addresses are asked.
 * @param hosts the first is tried first
 * @param addressOf where ssh is to go for a host: asked whenever a tunnel is opened
 */
export function tunnelsTo(
  service: Service,
  env: Environment,
  hosts: readonly string[],
  addressOf: (host: string) => Promise<string>,
): Endpoint[] {
  if (!isBySsh(service, env)) return [];
  const ssh = new Ssh({ env });
  const { url, port } = loopbackOf(service, env);
  return hosts.slice(0, MOST).map((machine) => ({
    url,
    behind: {
      machine,
      tunnel: new TunnelOnDemand(async () => openTunnel(ssh, await addressOf(machine), port)),
    },
  }));
}

/**
 * The hosts whose agents answer for the whole cluster, a service's servers first.
 * @param group what is worked on: its hosts come last, since they go, and their successors' agents know nothing yet
 */
export function hostsToAsk({ name }: Service, spec: Spec, group: string | undefined): string[] {
  const able = groupsOf(spec).filter(({ role }) => name === "Consul" || role !== "consul-server");
  const others = able.filter((each) => each.name !== group);
  return [...others, ...able.filter((each) => each.name === group)].flatMap(hostNames);
}
