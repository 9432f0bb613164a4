import { withoutRegion } from "../observation/host-of.js";
import { isKnown, unknowns, type Known } from "../observation/known.js";
import { isMachineEnded } from "../observation/machine.js";
import type { NomadMember, Observation } from "../observation/observation.js";
import { deadInConsul, leaveConsul } from "./consul-agent.js";
import { hostsAmong, missingHosts } from "./missing-hosts.js";
import { stays, type LeaveOrder } from "./order.js";
import { askVoters, keepQuorum, peersOf, successorOf, type Servers } from "./quorum.js";
import { blocked, step, wait, waitForAnswers, type NextLeave } from "./step.js";

/** A member that was stopped reads `alive` for up to 45 s, and its peer goes up to 10 s later. */
const GONE_SECONDS = 120;

/** A group of Nomad servers: leadership handed over, stopped, gone from raft, out of Consul. */
export function nextNomadServerLeave(observation: Observation, order: LeaveOrder): NextLeave {
  const asked = {
    nomadMembers: observation.nomad.members,
    autopilot: observation.nomad.autopilot,
    raft: observation.nomad.raft,
    members: observation.consul.members,
    catalog: observation.consul.catalog,
  };
  if (!isKnown(asked)) return waitForAnswers(unknowns(asked));
  const found = hostsAmong(order.group, [
    ...[asked.nomadMembers, asked.raft].flatMap((list) => list.map(({ name }) => withoutRegion(name))),
    ...[asked.members, asked.catalog].flatMap((list) => list.map(({ name }) => name)),
  ]);
  const missing = missingHosts(found, order, observation);
  if (missing.length > 0) return blocked(missing);
  const staying = new Set(asked.catalog.filter((node) => stays(order, node)).map(({ name }) => name));
  const going = found.filter((host) => !staying.has(host));
  const notes = [
    ...going.flatMap((host) => deadInNomad(host, asked.nomadMembers)),
    ...deadInConsul(going, asked.members, observation),
  ];
  for (const host of going) {
    const next = leaveNomad(host, asked, observation, notes);
    if (next) return next;
  }
  return leaveConsul(going, order, asked, observation, notes) ?? { kind: "done", notes };
}

type Asked = Known<{
  readonly nomadMembers: Observation["nomad"]["members"];
  readonly autopilot: Observation["nomad"]["autopilot"];
  readonly raft: Observation["nomad"]["raft"];
}>;

/** Undefined once the server is gone from Nomad. */
function leaveNomad(
  host: string,
  { nomadMembers, autopilot, raft }: Asked,
  observation: Observation,
  notes: readonly string[],
): NextLeave | undefined {
  const { agents } = observation;
  const servers: Servers = { kind: "Nomad", members: nomadMembers, autopilot, raft, agents };
  const member = nomadMembers.find(({ name }) => withoutRegion(name) === host);
  const peers = peersOf(host, servers, member?.address);
  const inSight = member?.status === "alive" || member?.status === "leaving";
  const isStopped =
    member?.status === "leaving" ||
    isMachineEnded(observation.machines, host) ||
    agents.some((agent) => agent.host === host && agent.nomad === "stopped");
  if (inSight && isStopped) {
    return wait(
      "wait-nomad-gone",
      `waiting until Nomad has noticed that ${host} is gone`,
      [`member ${member.name} is ${member.status}`, ...peers.map(({ id }) => `peer ${id} is in raft`)],
      GONE_SECONDS,
      notes,
    );
  }
  // One that has left needs no vote; for any other, also a dead one, the others have to carry the majority.
  if (!inSight && peers.length === 0 && member?.status !== "failed") return undefined;
  const unsafe = keepQuorum(host, servers, member?.address, notes);
  if (unsafe) return unsafe;
  const [peer] = peers;
  if (!inSight && !peer) return undefined;
  const unproven = askVoters(host, servers, member?.address, notes);
  if (unproven) return unproven;
  if (inSight || !peer) return stopServer(host, servers, notes);
  return step(
    {
      name: "remove-nomad-peer",
      action: "remove-nomad-peer",
      peer: { id: peer.id, name: peer.name },
      message: `the peer of ${host}, which is ${member?.status ?? "no member any more"}, is removed from Nomad's raft`,
      deadlineSeconds: 60,
    },
    notes,
  );
}

function stopServer(host: string, servers: Servers, notes: readonly string[]): NextLeave {
  const heir = successorOf(host, servers);
  const leads = peersOf(host, servers).some(({ leader }) => leader);
  return leads && heir
    ? step(
        {
          name: "transfer-nomad-leadership",
          action: "transfer-nomad-leadership",
          to: heir,
          message: `${host} hands the leadership of Nomad over to ${heir.name}`,
          deadlineSeconds: 60,
        },
        notes,
      )
    : step(
        {
          name: "stop-nomad-server",
          action: "stop-nomad-server",
          host,
          message: `the Nomad server on ${host} is stopped, so that it leaves`,
          deadlineSeconds: 90,
        },
        notes,
      );
}

const deadInNomad = (host: string, members: readonly NomadMember[]): string[] =>
  members.some(({ name, status }) => withoutRegion(name) === host && status === "failed")
    ? [`${host}: failed in Nomad, so it is not asked to stop`]
    : [];
