import { afterMs, empty, text, type Reply } from "../answer.js";
import type { ConsulAgent } from "./agent.js";
import type { Consul } from "./consul.js";
import { TIMES } from "./times.js";

/** `PUT /v1/agent/leave`: the only way out that leaves nothing behind. The process ends half a second after the answer. */
export function leave(consul: Consul, agent: ConsulAgent): Reply {
  const { timeline, raft, gossip } = consul;
  const times = TIMES.leave;
  if (!agent.server) {
    timeline.after(times.client.leftMs, () => {
      depart(consul, agent);
    });
    timeline.after(times.client.exitMs, () => {
      consul.end(agent);
    });
    return afterMs(times.client.answerMs, () => empty());
  }
  const isLeader = raft.leader?.id === agent.id;
  const without = raft.leader === undefined;
  if (isLeader) raft.stepAside(agent.id, times.leaderStillNamedMs, times.electionMs);
  timeline.after(times.server.leavingMs, () => {
    if (agent.running) gossip.mark(agent.name, "leaving");
  });
  timeline.after(times.server.peerGoneMs, () => {
    if (raft.leader) raft.remove(agent.id);
  });
  timeline.after(times.server.leftMs, () => {
    depart(consul, agent);
  });
  const answerMs = without ? times.withoutLeaderMs : times.server.answerMs;
  timeline.after(answerMs + times.server.exitMs - times.server.answerMs, () => {
    consul.end(agent);
  });
  return afterMs(answerMs, () => empty());
}

function depart(consul: Consul, agent: ConsulAgent): void {
  agent.hasLeft = true;
  if (consul.gossip.members.get(agent.name)?.agent === agent) consul.gossip.mark(agent.name, "left");
}

/**
 * SIGTERM or SIGINT. A client agent leaves; a server does only when told to, and then is cut off after 5 s, with the
 * leave just done or just not done.
 */
export function interrupt(consul: Consul, agent: ConsulAgent, { leaves = false } = {}): void {
  const { timeline, gossip } = consul;
  const times = TIMES.signal;
  if (!agent.server) {
    timeline.after(TIMES.leave.client.leftMs, () => {
      depart(consul, agent);
    });
    timeline.after(times.clientExitMs, () => {
      consul.end(agent);
    });
    return;
  }
  if (leaves) {
    timeline.after(TIMES.leave.server.leavingMs, () => {
      gossip.mark(agent.name, "leaving");
    });
    timeline.after(TIMES.leave.server.peerGoneMs, () => {
      depart(consul, agent);
    });
  }
  timeline.after(leaves ? times.serverCutOffMs : times.serverExitMs, () => {
    consul.end(agent);
  });
}

/** `PUT /v1/agent/force-leave/:node[?prune]`, asked of any agent. */
export function forceLeave(consul: Consul, name: string, prune: boolean): Reply {
  const { timeline, gossip } = consul;
  const times = TIMES.forceLeave;
  const member = gossip.members.get(name);
  if (!member) return text(500, `agent: No node found with name '${name}'`);
  const { agent } = member;
  if (agent.running && member.status === "alive") {
    gossip.mark(name, "leaving");
    if (prune) {
      agent.outcast = true;
      agent.joined = false;
      gossip.prune(name);
      return afterMs(times.hangMs, () => empty());
    }
    timeline.after(times.refutedMs, () => {
      if (agent.running && member.agent === agent) gossip.mark(name, "alive");
    });
    return afterMs(times.answerMs, () => empty());
  }
  if (prune) {
    consul.passOver(name);
    timeline.after(times.leftMs, () => {
      gossip.prune(name);
    });
  } else if (member.status === "alive") {
    // Its death has not been noticed: it is left once it is.
    consul.passOver(name);
    gossip.mark(name, "leaving");
    return afterMs(times.undetectedAnswerMs, () => empty());
  } else
    timeline.after(times.leftMs, () => {
      gossip.mark(name, "left");
    });
  return afterMs(times.answerMs, () => empty());
}
