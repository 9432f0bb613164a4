import * as z from "zod";
import type { Environment } from "../environment.js";
import type { Endpoint } from "../http/endpoint.js";
import { list } from "../http/parse-answer.js";
import { removePeerOf } from "../http/raft.js";
import { CONSUL } from "../http/service.js";
import { readSettings } from "../http/settings.js";
import { unlessRefused, wasDone } from "../http/unless-refused.js";
import { ConsulBase } from "./base.js";
import * as permission from "./permissions.js";
import {
  Authorizations,
  AutopilotHealth,
  Check,
  Node,
  RaftConfiguration,
  ServiceHealth,
  TokenSelf,
  type RaftServer,
} from "./schemas.js";
import { saveSnapshot } from "../http/snapshot.js";

/** Something that a token may be allowed to do, in the words of a policy. */
export interface Authorization {
  readonly resource: "acl" | "agent" | "node" | "operator" | "service";
  readonly access: "read" | "write";
  /** Whom it is about, by name; the empty name is covered by the rule for all names alone. @default "" */
  readonly segment?: string;
}

/** A raft operation waits for its turn behind an election. */
const OPERATOR_TIMEOUT = 20;

/** Consul answers no more of these in one request. */
const AT_ONCE = 64;

/**
 * The Consul cluster, asked through any of its agents. What only a machine's own agent can do is {@link ConsulAgent}'s;
 * keys are {@link ConsulKv}'s.
 *
 * Every method throws a {@link ClientError} as one of its kinds.
 */
export class ConsulClient extends ConsulBase {
  /**
   * The cluster that `CONSUL_HTTP_ADDR` and Consul's other variables name.
   * @param at in place of the addresses there, where there are any
   * @throws UserError naming the variable that cannot be used
   */
  static async fromEnvironment(env?: Environment, ...at: readonly Endpoint[]): Promise<ConsulClient> {
    return new ConsulClient(await readSettings(CONSUL, env, ...at));
  }

  /**
   * The catalog's nodes with their meta.
   * @throws HiddenByAclError where the token may not see them: the servers are always among them
   */
  async nodes(): Promise<Node[]> {
    const call = { path: "/v1/catalog/nodes", permission: permission.NODE_READ };
    const nodes = await this.ask(call, list(Node));
    if (nodes.length === 0) throw await this.hidden(call);
    return nodes;
  }

  /** Names and tags. */
  async services(): Promise<Record<string, string[]>> {
    const call = { path: "/v1/catalog/services", permission: permission.SERVICE_READ };
    return this.ask(call, z.record(z.string(), z.array(z.string())));
  }

  /** The instances of a service whose checks all pass. */
  async passingInstances(name: string): Promise<ServiceHealth[]> {
    const path = `/v1/health/service/${encodeURIComponent(name)}`;
    const call = { path, query: { passing: true }, permission: permission.SERVICE_READ } as const;
    return this.ask(call, list(ServiceHealth));
  }

  /** The checks of one node and of its services. Empty for a node that is not there, or that the token may not see. */
  async nodeHealth(name: string): Promise<Check[]> {
    const path = `/v1/health/node/${encodeURIComponent(name)}`;
    return this.ask({ path, permission: permission.NODE_READ }, list(Check));
  }

  /**
   * The checks of all nodes and services.
   * @param filter Consul's expression, such as `Node == "broker-0-0"`
   */
  async checks(filter?: string): Promise<Check[]> {
    const needed = `${permission.NODE_READ} and ${permission.SERVICE_READ}`;
    const call = { path: "/v1/health/state/any", query: { filter }, permission: needed };
    return this.ask(call, list(Check));
  }

  /** The raft peers. */
  async raftConfiguration(): Promise<RaftServer[]> {
    const call = { path: "/v1/operator/raft/configuration", permission: permission.OPERATOR_READ };
    return (await this.ask({ ...call, timeout: OPERATOR_TIMEOUT }, RaftConfiguration)).Servers;
  }

  /** What autopilot thinks, healthy or not. @throws NoLeaderError without a leader */
  async autopilotHealth(): Promise<AutopilotHealth> {
    const call = { path: "/v1/operator/autopilot/health", permission: permission.OPERATOR_READ };
    return this.ask({ ...call, accepted: [429], timeout: OPERATOR_TIMEOUT }, AutopilotHealth);
  }

  /** Takes a server that is gone out of raft. False where it is not in it. A live one would come back without a vote. */
  async removePeer(id: string): Promise<boolean> {
    return removePeerOf(this.http, id, { timeout: OPERATOR_TIMEOUT, permission: permission.OPERATOR_WRITE });
  }

  /** Hands the leadership over. "not supported" by older versions: the leader's leave then costs an election. */
  async transferLeader(id?: string): Promise<"transferred" | "not supported"> {
    const asked = this.http.tell({
      method: "POST",
      path: "/v1/operator/raft/transfer-leader",
      query: { id },
      timeout: OPERATOR_TIMEOUT,
      permission: permission.OPERATOR_WRITE,
    });
    return (await wasDone(asked, ({ status }) => status === 404)) ? "transferred" : "not supported";
  }

  /** Whether this version can hand the leadership over. A wrong method tells, so that nothing is handed over. */
  async canTransferLeader(): Promise<boolean> {
    const asked = this.http.tell({ path: "/v1/operator/raft/transfer-leader" });
    const there = unlessRefused(asked, ({ status }) => status === 405, undefined);
    return wasDone(there, ({ status }) => status === 404);
  }

  /**
   * Marks a failed member as left. False where nobody knows it. Pruning is not offered: a live server that is pruned
   * vanishes for minutes.
   */
  async forceLeave(node: string): Promise<boolean> {
    const asked = this.http.tell({
      method: "PUT",
      path: `/v1/agent/force-leave/${encodeURIComponent(node)}`,
      repeatable: true,
      timeout: OPERATOR_TIMEOUT,
      permission: permission.OPERATOR_WRITE,
    });
    return wasDone(asked, ({ text }) => text.includes("No node found with name"));
  }

  /** Writes a snapshot of all that the servers hold: whole, or not at all. It holds secrets, so only its owner may read it. */
  async saveSnapshot(file: string, signal?: AbortSignal): Promise<void> {
    const call = { path: "/v1/snapshot", permission: permission.MANAGEMENT };
    await saveSnapshot(this.http, call, file, signal);
  }

  /**
   * Whether the token may do each of these, which needs no right. Nothing is tried.
   * @returns `no ACLs` where everybody may do all; `not supported` by versions before 1.7
   */
  async authorizations(
    wanted: readonly Authorization[],
  ): Promise<readonly boolean[] | "no ACLs" | "not supported"> {
    const batches = Array.from({ length: Math.ceil(wanted.length / AT_ONCE) }, (_, batch) =>
      wanted.slice(batch * AT_ONCE, (batch + 1) * AT_ONCE),
    );
    const asked = Promise.all(batches.map((batch) => this.#authorize(batch))).then((all) => all.flat());
    const known = unlessRefused(asked, isWithoutAcls, "no ACLs" as const);
    return unlessRefused(known, ({ status }) => status === 404, "not supported" as const);
  }

  async #authorize(wanted: readonly Authorization[]): Promise<boolean[]> {
    const call = {
      method: "POST",
      path: "/v1/internal/acl/authorize",
      body: wanted.map(({ resource, access, segment = "" }) => ({
        Resource: resource,
        Access: access,
        Segment: segment,
      })),
      repeatable: true,
    } as const;
    const allowed = (await this.ask(call, Authorizations)).map(({ Allow }) => Allow);
    if (allowed.includes(false)) await this.needLeader(call);
    return allowed;
  }

  /** The token itself; undefined where ACLs are off. Its rules can be read by a management token only. */
  async tokenSelf(): Promise<TokenSelf | undefined> {
    const asked = this.ask({ path: "/v1/acl/token/self", permission: "a token of its own" }, TokenSelf);
    return unlessRefused(asked, isWithoutAcls, undefined);
  }
}

const isWithoutAcls = ({ text }: { readonly text: string }): boolean => text.includes("ACL support disabled");
