import { withoutRegion } from "../observation/host-of.js";
import { isKnown } from "../observation/known.js";
import { isMachineEnded } from "../observation/machine.js";
import type { NomadMember, Observation } from "../observation/observation.js";
import { deadInConsul, leaveConsul } from "./consul-agent.js";
import type { LeaveOrder } from "./order.js";
import type { Servers } from "./quorum.js";
import { isFresh, nextOfServer, serversThatGo } from "./server.js";
import { blocked, step, wait, waitForAnswers, type Next } from "./step.js";

/** A member that was stopped reads `alive` for up to 45 s, and its peer goes up to 10 s later. */
const GONE_SECONDS = 120;

/** A group of Nomad servers: leadership handed over, stopped, gone from raft, out of Consul. */
export function nextNomadServerLeave(observation: Observation, order: LeaveOrder): Next {
  const asked = {
    nomadMembers: observation.nomad.members,
    autopilot: observation.nomad.autopilot,
    raft: observation.nomad.raft,
    members: observation.consul.members,
    catalog: observation.consul.catalog,
    snapshotAt: observation.snapshotAt,
  };
  if (!isKnown(asked)) return waitForAnswers(asked);
  const { nomadMembers, autopilot, raft } = asked;
  const names = [
    ...[nomadMembers, raft].flatMap((list) => list.map(({ name }) => withoutRegion(name))),
    ...[asked.members, asked.catalog].flatMap((list) => list.map(({ name }) => name)),
  ];
  const { going, later, missing } = serversThatGo(names, asked.catalog, order, observation);
  if (missing.length > 0) return blocked(missing);
  const notes = [
    ...going.flatMap((host) => deadInNomad(host, nomadMembers)),
    ...deadInConsul(going, asked.members, observation),
  ];
  const { agents } = observation;
  // Whoever is asked carries it to the leader, so that each of them has to know it.
  const canTransfer = nomadMembers.every(({ status, version }) => status !== "alive" || !OLD.test(version));
  const servers: Servers = {
    ...{ kind: "Nomad", members: nomadMembers, autopilot, raft, agents },
    leaving: [...going, ...later],
    neighbours: order.hosts.filter((name) => order.stay.includes(name)),
    all: order.servers,
  };
  for (const host of going) {
    const next = nextOfServer(host, servers, {
      isStopped:
        isMachineEnded(observation.machines, host) ||
        agents.some((agent) => agent.host === host && agent.nomad === "stopped"),
      waitGone: (remaining) =>
        wait(
          "wait-nomad-gone",
          `waiting until Nomad has noticed that ${host} is gone`,
          remaining,
          GONE_SECONDS,
        ),
      hasSnapshot: isFresh(asked.snapshotAt, observation.at),
      canTransfer,
      leave: (leads) => {
        if (leads && !canTransfer) notes.push(electionOf(host));
        return step({
          action: "stop-nomad-server",
          host,
          message: `the Nomad server on ${host} is stopped, so that it leaves`,
          deadlineSeconds: 90,
        });
      },
    });
    if (next) return { ...next, notes };
  }
  return { ...(leaveConsul(going, order, asked, observation) ?? { kind: "done" }), notes };
}

/** Before 1.7. */
const OLD = /^(0|1\.[0-6])\./;

const electionOf = (host: string): string =>
  `${host} leads, and Nomad before 1.7 cannot hand over: the others elect a leader, and requests fail for some seconds`;

const deadInNomad = (host: string, members: readonly NomadMember[]): string[] =>
  members.some(({ name, status }) => withoutRegion(name) === host && status === "failed")
    ? [`${host}: failed in Nomad, so it is not asked to stop`]
    : [];
