import type { AutopilotHealth, RaftServer } from "../../clients/http/raft.js";
import type { Autopilot, RaftPeer } from "../../rollout/observation/observation.js";
import { UserError } from "../../cluster/user-error.js";

/** What autopilot thinks: Consul and Nomad say it in the same words. */
export const autopilotOf = ({ Healthy, FailureTolerance, Servers }: AutopilotHealth): Autopilot => ({
  healthy: Healthy,
  failureTolerance: FailureTolerance,
  servers: Servers.map((server) => ({
    id: server.ID,
    name: server.Name,
    voter: server.Voter,
    leader: server.Leader,
    healthy: server.Healthy,
    stableSince: timeOf(server.StableSince),
  })),
});

export const raftPeersOf = (peers: readonly RaftServer[]): RaftPeer[] =>
  peers.map(({ ID, Node, Address, Voter, Leader }) => ({
    id: ID,
    name: Node,
    address: Address,
    voter: Voter,
    leader: Leader,
  }));

/** What Consul and Nomad call the states of a member, but for `none`, in which none is ever seen. */
export const MEMBER_STATES = ["alive", "leaving", "left", "failed"] as const;

/** Milliseconds since 1970 of a time as the agents write it; 0 for Go's empty time, year 1. @throws UserError for what is none */
export function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UserError(`an agent's answer has no time where one belongs: "${text}"`);
  return Math.max(0, time);
}
