import { json, text, type Answer, type Headers, type Reply, type Request } from "../../answer.js";
import { blocking } from "../../blocking.js";
import type { Call, Route } from "../../router.js";
import type { NomadRights } from "../access.js";
import type { NomadAgent } from "../agent.js";
import type { Nomad } from "../nomad.js";
import { TIMES } from "../times.js";

interface NomadContext {
  readonly nomad: Nomad;
  readonly agent: NomadAgent;
  readonly rights: NomadRights;
}

export type NomadCall = Call<NomadContext>;
export type NomadRoute = Route<NomadContext>;

const isStale = (request: Request): boolean => request.query.has("stale");

/** An error of the servers, with what each agent that carried the request on puts before it. */
export function failure(
  { agent: { nomad, agent } }: NomadCall,
  reason: string,
  headers: Headers = {},
): Answer {
  const leads = nomad.servers.raft.leader?.id === agent.id;
  const carried = agent.server ? (leads ? "" : "rpc error: ") : "rpc error: rpc error: ";
  return text(500, `${carried}${reason}`, headers);
}

/** Carries a request to the leader; without one it is held for 5 s, or fails at once where a dead one is still trusted. */
export function atLeader(call: NomadCall, run: () => Reply, failHeaders: Headers = {}): Reply {
  const { nomad, agent } = call.agent;
  const { raft } = nomad.servers;
  const region = call.request.query.get("region");
  if (region !== null && region !== "global") return text(500, "No path to region");
  if (isStale(call.request)) return run();
  const mayAsk = (): boolean =>
    raft.leader !== undefined && (!agent.server || agent.hasLeft || raft.peer(agent.id) !== undefined);
  if (mayAsk()) return run();
  const prefix = agent.server ? "" : "rpc error: ";
  const named = raft.leader ? "" : raft.leaderSeenBy(agent.id);
  if (named !== "" && ![...nomad.agents.values()].some((each) => each.running && each.rpcAddress === named))
    return text(
      500,
      `${prefix}rpc error: failed to get conn: dial tcp ${named}: connect: connection refused`,
      failHeaders,
    );
  return {
    ready: () => (mayAsk() ? run() : undefined),
    atMost: TIMES.noLeaderMs,
    otherwise: () => text(500, `${prefix}No cluster leader`, failHeaders),
  };
}

/** A server that is new and empty has no data: what it says to a stale read proves nothing. */
const knowsNothing = ({ agent }: NomadContext): boolean => agent.server && !agent.hasLog;

interface Read {
  readonly index: () => number;
  /** Undefined for what is not there. */
  readonly value: () => unknown;
  /** The answer to what is not there. */
  readonly missing?: (headers: Headers) => Answer;
  /** What an empty server has instead. */
  readonly nothing: unknown;
}

/** A read of the servers' data, blocking if asked to. */
export function read(call: NomadCall, what: Read): Reply {
  const { nomad } = call.agent;
  const answer = (value: unknown, headers: Headers): Answer =>
    value === undefined ? (what.missing?.(headers) ?? text(404, "not found", headers)) : json(value, headers);
  return atLeader(call, () => {
    if (knowsNothing(call.agent)) return answer(what.nothing, EMPTY_SERVER);
    return blocking(call.request, {
      index: what.index,
      answer: () => answer(what.value(), readHeaders(nomad, what.index())),
      invalidIndex: () => text(400, "Invalid index"),
      invalidWait: () => text(400, "Invalid wait time"),
    });
  });
}

const EMPTY_SERVER: Headers = {
  "X-Nomad-Index": "0",
  "X-Nomad-KnownLeader": "false",
  "X-Nomad-LastContact": "9223372036854",
};

const readHeaders = (nomad: Nomad, index: number): Headers => ({
  "X-Nomad-Index": String(index),
  "X-Nomad-KnownLeader": String(nomad.servers.raft.leader !== undefined),
  "X-Nomad-LastContact": "0",
});

/** The JSON of a body, or Go's complaint about it. */
export function bodyJson(body: string): { readonly value: unknown } | Answer {
  if (body === "") return text(400, "Request body is empty");
  try {
    const value: unknown = JSON.parse(body);
    return { value };
  } catch {
    return text(400, "unexpected EOF");
  }
}

export const invalidMethod = (status: 404 | 405 | 501) => (): Answer => text(status, "Invalid method");
