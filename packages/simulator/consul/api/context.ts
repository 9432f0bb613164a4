import { empty, json, text, type Answer, type Headers, type Reply, type Request } from "../../answer.js";
import { blocking } from "../../blocking.js";
import type { Call, Route } from "../../router.js";
import type { ConsulRights } from "../access.js";
import type { ConsulAgent } from "../agent.js";
import type { Consul } from "../consul.js";
import { TIMES } from "../times.js";

/** Whom a request has reached, and what its token may do there. */
export interface ConsulContext {
  readonly consul: Consul;
  readonly agent: ConsulAgent;
  readonly rights: ConsulRights;
}

export type ConsulCall = Call<ConsulContext>;
export type ConsulRoute = Route<ConsulContext>;

const isStale = (request: Request): boolean => request.query.has("stale");

/** A server that has the log, or a client agent, which asks one. */
const knowsData = ({ consul, agent }: ConsulContext): boolean =>
  agent.server ? agent.hasLog : [...consul.agents.values()].some(({ running, hasLog }) => running && hasLog);

/**
 * Carries a request to the leader. Without one it is held for 7 s and then refused, but refused at once where the
 * address of a leader that has just died is still trusted, and where no server is known at all.
 */
export function atLeader({ agent: context, request }: ConsulCall, run: () => Reply): Reply {
  const { consul, agent } = context;
  const prefix = agent.server ? "" : "rpc error making call: ";
  const datacenter = request.query.get("dc");
  if (datacenter !== null && datacenter !== "dc1")
    return text(500, "rpc error making call: No path to datacenter", unknownLeader());
  if (!agent.server && !knowsServers(context)) return text(500, "No known Consul servers", unknownLeader());
  if (isStale(request) && knowsData(context)) return run();
  if (mayAskLeader(context)) return run();
  const named = agent.server ? consul.raft.leaderSeenBy(agent.id) : "";
  if (named !== "" && !isServing(consul, named)) {
    const refused = `failed to get conn: dial tcp <nil>->${named}: connect: connection refused`;
    return text(500, `rpc error getting client: ${refused}`, unknownLeader());
  }
  return {
    ready: () => (mayAskLeader(context) ? run() : undefined),
    atMost: TIMES.noLeaderMs,
    otherwise: () => text(500, `${prefix}No cluster leader`, unknownLeader()),
  };
}

const isServing = (consul: Consul, address: string): boolean =>
  [...consul.agents.values()].some(({ running, rpcAddress }) => running && rpcAddress === address);

/** A server that is not in the configuration has no leader to ask; one that leaves still has. */
const mayAskLeader = ({ consul, agent }: ConsulContext): boolean =>
  consul.raft.leader !== undefined &&
  (!agent.server || agent.hasLeft || consul.raft.peer(agent.id) !== undefined);

export const knowsServers = ({ consul, agent }: ConsulContext): boolean =>
  agent.joined && consul.gossip.alive.some((member) => member.agent.server);

const unknownLeader = (): Headers => ({
  "X-Consul-Index": "1",
  "X-Consul-KnownLeader": "false",
  "X-Consul-LastContact": "0",
});

/** A read of the servers' data, blocking if asked to. `read` answers undefined for what is not there: 404. */
export function read(call: ConsulCall, index: () => number, read: () => unknown): Reply {
  const { request } = call;
  if (isStale(request) && request.query.has("consistent"))
    return text(400, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  return atLeader(call, () =>
    blocking(request, {
      index,
      answer: () => {
        const value = read();
        const headers = readHeaders(call.agent.consul, index());
        return value === undefined ? empty(404, headers) : json(value, headers);
      },
      invalidIndex: () => text(400, "Invalid index"),
      invalidWait: () => text(400, "Invalid wait time"),
    }),
  );
}

export const readHeaders = (consul: Consul, index: number): Headers => ({
  "X-Consul-Index": String(Math.max(1, index)),
  "X-Consul-KnownLeader": String(consul.raft.leader !== undefined),
  "X-Consul-LastContact": "0",
});

/** The JSON of a body, or Go's complaint about it. */
export function bodyJson(
  body: string,
  failed: (reason: string) => Answer,
): { readonly value: unknown } | Answer {
  try {
    const value: unknown = JSON.parse(body);
    return { value };
  } catch {
    return failed(
      body.startsWith("{") && body.length > 1
        ? `invalid character '${body.charAt(1)}' looking for beginning of object key string`
        : "unexpected EOF",
    );
  }
}
