import { isKnown, unknowns, type Known } from "../observation/known.js";
import { isMachineEnded } from "../observation/machine.js";
import type { Observation } from "../observation/observation.js";
import { deadInConsul } from "./consul-agent.js";
import { hostsAmong, missingHosts } from "./missing-hosts.js";
import { stays, type LeaveOrder } from "./order.js";
import { askVoters, keepQuorum, peersOf, successorOf, type Servers } from "./quorum.js";
import { blocked, step, wait, waitForAnswers, type NextLeave } from "./step.js";

/** A snapshot is of use while it is younger than this. */
const SNAPSHOT_SECONDS = 900;

/** A server's leave takes 13.5 s, and 17 s without a leader. */
const LEAVE_SECONDS = 90;

/** A group of Consul servers: snapshot, leadership handed over where the version can, out of Consul and of raft. */
export function nextConsulServerLeave(observation: Observation, order: LeaveOrder): NextLeave {
  const { members, catalog, autopilot, raft, canTransferLeadership, snapshotAt } = observation.consul;
  const asked = { members, catalog, autopilot, raft, canTransferLeadership, snapshotAt };
  if (!isKnown(asked)) return waitForAnswers(unknowns(asked));
  const found = hostsAmong(
    order.group,
    [asked.members, asked.catalog, asked.raft].flatMap((list) => list.map(({ name }) => name)),
  );
  const missing = missingHosts(found, order, observation);
  if (missing.length > 0) return blocked(missing);
  const staying = new Set(asked.catalog.filter((node) => stays(order, node)).map(({ name }) => name));
  const going = found.filter((host) => !staying.has(host));
  const notes = deadInConsul(going, asked.members, observation);
  for (const host of going) {
    const next = leave(host, asked, observation, notes);
    if (next) return next;
  }
  return { kind: "done", notes };
}

type Asked = Known<
  Pick<
    Observation["consul"],
    "members" | "catalog" | "autopilot" | "raft" | "canTransferLeadership" | "snapshotAt"
  >
>;

/** Undefined once the server is gone from Consul. */
function leave(
  host: string,
  asked: Asked,
  observation: Observation,
  notes: readonly string[],
): NextLeave | undefined {
  const servers: Servers = { kind: "Consul", ...asked, agents: observation.agents };
  const member = asked.members.find(({ name }) => name === host);
  const peers = peersOf(host, servers, member?.address);
  const inSight = member?.status === "alive" || member?.status === "leaving";
  if (member?.status === "leaving" || (inSight && isMachineEnded(observation.machines, host))) {
    return waitGone(host, [
      `member ${host} is ${member.status}`,
      ...peers.map(({ id }) => `peer ${id} is in raft`),
    ]);
  }
  if (!inSight && peers.length === 0 && member?.status !== "failed") {
    return member?.status === "left" && asked.catalog.some(({ name }) => name === host)
      ? waitGone(host, [`${host} is in the catalog`])
      : undefined;
  }
  if ((inSight || peers.length > 0) && !isFresh(asked.snapshotAt, observation.at)) {
    return step(
      {
        name: "snapshot-consul",
        action: "snapshot-consul",
        message: "a snapshot of Consul is kept",
        deadlineSeconds: 300,
      },
      notes,
    );
  }
  const unsafe = keepQuorum(host, servers, member?.address, notes);
  if (unsafe) return unsafe;
  const [peer] = peers;
  if (!inSight && !peer) return undefined;
  const unproven = askVoters(host, servers, member?.address, notes);
  if (unproven) return unproven;
  if (inSight || !peer) return leaveServer(host, servers, asked.canTransferLeadership, notes);
  return step(
    {
      name: "remove-consul-peer",
      action: "remove-consul-peer",
      peer: { id: peer.id, name: peer.name },
      message: `the peer of ${host}, which is ${member?.status ?? "no member any more"}, is removed from Consul's raft`,
      deadlineSeconds: 60,
    },
    notes,
  );

  function waitGone(name: string, remaining: readonly string[]): NextLeave {
    return wait(
      "wait-consul-left",
      `waiting until ${name} has left Consul and its raft`,
      remaining,
      LEAVE_SECONDS,
      notes,
    );
  }
}

function leaveServer(
  host: string,
  servers: Servers,
  canTransfer: boolean,
  notes: readonly string[],
): NextLeave {
  const heir = successorOf(host, servers);
  const leads = peersOf(host, servers).some(({ leader }) => leader);
  if (leads && canTransfer && heir) {
    return step(
      {
        name: "transfer-consul-leadership",
        action: "transfer-consul-leadership",
        to: heir,
        message: `${host} hands the leadership of Consul over to ${heir.name}`,
        deadlineSeconds: 60,
      },
      notes,
    );
  }
  return step(
    {
      name: "consul-leave",
      action: "consul-leave",
      hosts: [host],
      message: `${host} leaves Consul`,
      deadlineSeconds: LEAVE_SECONDS,
    },
    leads
      ? [...notes, `${host} leads, and this version of Consul cannot hand over: writes wait for some seconds`]
      : notes,
  );
}

const isFresh = (snapshotAt: number | null, at: number): boolean =>
  snapshotAt !== null && at - snapshotAt <= SNAPSHOT_SECONDS * 1000;
