import { isKnown, type Known } from "../observation/known.js";
import { isMachineEnded } from "../observation/machine.js";
import type { Observation } from "../observation/observation.js";
import { deadInConsul } from "./consul-agent.js";
import type { LeaveOrder } from "./order.js";
import type { Servers } from "./quorum.js";
import { isFresh, nextOfServer, serversThatGo } from "./server.js";
import { blocked, step, wait, waitForAnswers, type Next } from "./step.js";

/** A server's leave takes 13.5 s, and 17 s without a leader. */
const LEAVE_SECONDS = 90;

/** A group of Consul servers: snapshot, leadership handed over where the version can, out of Consul and of raft. */
export function nextConsulServerLeave(observation: Observation, order: LeaveOrder): Next {
  const { members, catalog, autopilot, raft, canTransferLeadership } = observation.consul;
  const { snapshotAt } = observation;
  const asked = { members, catalog, autopilot, raft, canTransferLeadership, snapshotAt };
  if (!isKnown(asked)) return waitForAnswers(asked);
  const names = [asked.members, asked.catalog, asked.raft].flatMap((list) => list.map(({ name }) => name));
  const { going, later, missing } = serversThatGo(names, asked.catalog, order, observation);
  if (missing.length > 0) return blocked(missing);
  const notes = deadInConsul(going, asked.members, observation);
  const servers: Servers = {
    kind: "Consul",
    ...asked,
    agents: observation.agents,
    leaving: [...going, ...later],
    neighbours: order.hosts.filter((name) => order.stay.includes(name)),
    all: order.servers,
  };
  for (const host of going) {
    const next =
      nextOfServer(host, servers, {
        isStopped: isMachineEnded(observation.machines, host),
        waitGone: (remaining) => waitGone(host, remaining),
        hasSnapshot: isFresh(asked.snapshotAt, observation.at),
        canTransfer: asked.canTransferLeadership,
        leave: (leads) => leave(host, leads),
      }) ?? waitForgotten(host, asked);
    if (next) return { ...next, notes: [...notes, ...(next.notes ?? [])] };
  }
  return { kind: "done", notes };
}

const waitGone = (host: string, remaining: readonly string[]): Next =>
  wait("wait-consul-left", `waiting until ${host} has left Consul and its raft`, remaining, LEAVE_SECONDS);

/** Consul's catalog keeps a server for some time that has left. */
function waitForgotten(
  host: string,
  { members, catalog }: Known<Pick<Observation["consul"], "members" | "catalog">>,
): Next | undefined {
  const hasLeft = members.some(({ name, status }) => name === host && status === "left");
  const isListed = catalog.some(({ name }) => name === host);
  return hasLeft && isListed ? waitGone(host, [`${host} is in the catalog`]) : undefined;
}

const leave = (host: string, leads: boolean): Next => ({
  ...step({
    action: "consul-leave",
    hosts: [host],
    message: `${host} leaves Consul`,
    deadlineSeconds: LEAVE_SECONDS,
  }),
  ...(leads
    ? { notes: [`${host} leads, and this version of Consul cannot hand over: writes wait for some seconds`] }
    : {}),
});
