import { parseHostName } from "../../cluster/address.js";
import { roleOf, type Role } from "../../cluster/groups.js";
import { withoutRegion } from "../observation/host-of.js";
import { isKnown, unknowns } from "../observation/known.js";
import { type Autopilot, type Observation, type RaftPeer } from "../observation/observation.js";
import { everyHost, met, unknown, unmet, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";
import { ownId } from "./new-machine.js";

const NAMES = ["new-id-votes", "voters", "failure-tolerance", "servers-stable"] as const;

/**
 * The new servers vote and the next may go. "Healthy" and "there is a leader" count nothing: both are said while two of
 * three vote. Autopilot lags by up to 2 s, so it and raft have to agree on the ids, the new one among them.
 */
export function voteConditions(observation: Observation, expected: Expected): Condition[] {
  const { autopilot, raft } = expected.role === "consul-server" ? observation.consul : observation.nomad;
  const servers = { autopilot, raft };
  if (!isKnown(servers)) return NAMES.map((name) => unknown(name, unknowns(servers).join(", ")));
  return [newIdVotes(servers, observation, expected), ...wholeServers(servers, expected)];
}

/** What has to be so of all servers. Preflight asks it of what the roll is going to leave, so that the two cannot differ. */
export const wholeServers = (seen: Servers, { role, servers }: Declared): Condition[] => [
  voters(seen, role, servers),
  tolerance(seen.autopilot, servers),
  stable(seen, servers),
];

/** @param servers how many there are to be */
type Declared = Pick<Expected, "role" | "servers">;

/** How many of some servers may fail while the others are a majority. */
export const toleranceOf = (servers: number): number => Math.floor((servers - 1) / 2);

export interface Servers {
  readonly autopilot: Autopilot;
  readonly raft: readonly RaftPeer[];
}

function newIdVotes({ autopilot, raft }: Servers, observation: Observation, expected: Expected): Condition {
  const agent = expected.role === "consul-server" ? "consul" : "nomad";
  return everyHost("new-id-votes", expected.hosts, "votes under its new id", (host) => {
    const own = ownId(host, agent, observation);
    if (!("id" in own)) return own;
    const peer = raft.find(({ id }) => id === own.id);
    if (!peer) return { unmet: `${own.id} is not in the raft configuration` };
    if (!peer.voter) return { unmet: `${own.id} is in the raft configuration and does not vote` };
    return autopilot.servers.some(({ id, voter }) => id === own.id && voter)
      ? undefined
      : { unmet: `${own.id} is no voter for autopilot, which lags by some seconds` };
  });
}

function voters({ autopilot, raft }: Servers, role: Role, all: number): Condition {
  const counts = [raft, autopilot.servers].map((list) => list.filter(({ voter }) => voter).length);
  const [inRaft = 0, forAutopilot = 0] = counts;
  const value = `${String(inRaft)} of ${String(all)}`;
  if (counts.every((count) => count === all) && raft.length === all) {
    return met("voters", `all ${String(all)} servers vote`, value);
  }
  return unmet(
    "voters",
    `${String(inRaft)} of ${String(raft.length)} peers vote in raft, ${String(forAutopilot)} for autopilot; ${String(all)} are declared${surplus({ autopilot, raft }, role, all)}`,
    value,
  );
}

/**
 * Which peers are too many: a server that is none of the cluster's, or one that died without a leader, and whose name another
 * has by now: nobody sees that it is gone.
 */
function surplus({ autopilot, raft }: Servers, role: Role, all: number): string {
  if (raft.length <= all || autopilot.servers.length === 0) return "";
  const [stale] = raft.filter(({ id }) => !autopilot.servers.some((server) => server.id === id));
  if (!stale) {
    const strange = raft.filter(
      ({ name }) => roleOf(parseHostName(withoutRegion(name))?.pool ?? "") !== role,
    );
    return strange.length === 0 ? "" : `; of no group: ${strange.map(({ name }) => name).join(", ")}`;
  }
  const command =
    role === "consul-server"
      ? "consul operator raft remove-peer -id"
      : "nomad operator raft remove-peer -peer-id";
  return `; raft alone knows a peer of ${stale.name}: if this stays so: ${command}=${stale.id}`;
}

function tolerance({ failureTolerance }: Autopilot, all: number): Condition {
  const value = String(failureTolerance);
  if (failureTolerance >= toleranceOf(all)) return met("failure-tolerance", "another server may fail", value);
  const may =
    failureTolerance > 0 ? `${value} of ${String(toleranceOf(all))} other servers` : "no other server";
  return unmet("failure-tolerance", `${may} may fail`, value);
}

function stable({ autopilot, raft }: Servers, all: number): Condition {
  const name = "servers-stable";
  const well = autopilot.servers.filter(({ healthy }) => healthy);
  const value = `${String(well.length)} of ${String(all)}`;
  const ids = (list: readonly { readonly id: string }[]): string =>
    list
      .map(({ id }) => id)
      .sort()
      .join(",");
  if (ids(autopilot.servers) !== ids(raft)) {
    return unmet(
      name,
      "autopilot and raft do not name the same servers (autopilot lags by some seconds)",
      value,
    );
  }
  if (!raft.some(({ leader }) => leader)) return unmet(name, "no server leads", value);
  const unwell = autopilot.servers.filter(({ healthy }) => !healthy).map((server) => server.name);
  if (unwell.length > 0) return unmet(name, `not healthy: ${unwell.sort().join(", ")}`, value);
  if (well.length !== all) {
    return unmet(name, `${String(well.length)} of ${String(all)} servers are healthy`, value);
  }
  return autopilot.healthy
    ? met(name, "every server is healthy", value)
    : unmet(name, "autopilot does not call the whole healthy", value);
}
