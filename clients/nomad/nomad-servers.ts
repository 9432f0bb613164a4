import type * as z from "zod";
import type { AnswerError } from "../http/errors.js";
import { HttpClient, type Call, type HttpOptions } from "../http/http-client.js";
import { NOMAD } from "../http/service.js";
import type { Settings } from "../http/settings.js";
import { removePeerOf } from "../http/raft.js";
import { saveSnapshot } from "../http/snapshot.js";
import { unlessRefused } from "../http/unless-refused.js";
import * as permission from "./permissions.js";
import { rightsOf, type Right } from "./rights.js";
import * as schema from "./schemas.js";
import * as acl from "./acl-schemas.js";

/** What Nomad's client asks of the servers about themselves, and of the token about its rights. */
export abstract class NomadServers {
  protected readonly http: HttpClient;

  constructor(settings: Settings, options?: HttpOptions) {
    this.http = new HttpClient(NOMAD, settings, options);
  }

  /** Ends the connections that are kept open. */
  async close(): Promise<void> {
    await this.http.close();
  }

  /** Lets servers and clients drop what has finished, whatever their thresholds; goes on after this returns. */
  async systemGc(): Promise<void> {
    await this.http.tell({
      method: "PUT",
      path: "/v1/system/gc",
      repeatable: true,
      permission: permission.MANAGEMENT,
    });
  }

  /** What autopilot thinks, healthy or not. @throws NoLeaderError without a leader */
  async autopilotHealth(): Promise<schema.AutopilotHealth> {
    const call = { path: "/v1/operator/autopilot/health", permission: permission.OPERATOR_READ };
    return this.ask({ ...call, accepted: [429] }, schema.AutopilotHealth);
  }

  /** The raft peers. */
  async raftConfiguration(): Promise<schema.RaftServer[]> {
    const call = { path: "/v1/operator/raft/configuration", permission: permission.MANAGEMENT };
    return (await this.ask(call, schema.RaftConfiguration)).Servers;
  }

  /** Takes a server that is gone out of raft. False where it is not in it. A live one would come back without a vote. */
  async removePeer(id: string): Promise<boolean> {
    return removePeerOf(this.http, id, { permission: permission.MANAGEMENT });
  }

  /** Makes another server the leader. @param id its id in raft */
  async transferLeadership(id: string): Promise<void> {
    await this.http.tell({
      method: "PUT",
      path: "/v1/operator/raft/transfer-leadership",
      query: { id },
      // Again it is a transfer to the present leader, which does nothing.
      repeatable: true,
      permission: permission.MANAGEMENT,
    });
  }

  /** Writes a snapshot of all that the servers hold: whole, or not at all. It holds secrets, so only its owner may read it. */
  async saveSnapshot(file: string, signal?: AbortSignal): Promise<void> {
    const call = { path: "/v1/operator/snapshot", permission: permission.MANAGEMENT };
    await saveSnapshot(this.http, call, file, signal);
  }

  /** The servers, as the one that answers sees them, those that left or failed included. */
  async members(): Promise<schema.Member[]> {
    const call = { path: "/v1/agent/members", permission: permission.NODE_READ };
    return (await this.ask(call, schema.Members)).Members;
  }

  /** Who the agent is that answers: meant for a client of one address. */
  async self(): Promise<schema.Self> {
    return this.ask({ path: "/v1/agent/self", permission: permission.AGENT_READ }, schema.Self);
  }

  /** The token itself, which needs no right. */
  async tokenSelf(): Promise<acl.TokenSelf> {
    return this.ask({ path: "/v1/acl/token/self", permission: "to be known to the cluster" }, acl.TokenSelf);
  }

  /**
   * What the token may do, read from itself and its policies, which it may always see; so nothing is tried, and an empty list
   * of allocations can be told from one that may not be seen. Undefined where the servers do not say.
   */
  async rights(): Promise<readonly Right[] | undefined> {
    // Without ACLs, versions before 1.10.1 know no token at all.
    const token = await unlessRefused(this.tokenSelf(), isWithoutAcls, undefined);
    return rightsOf(token, token && (await this.#policiesOf(token)));
  }

  async #policiesOf({ Type, Policies, Roles }: acl.TokenSelf): Promise<acl.Policy[] | undefined> {
    if (Type === "management") return [];
    const read = async (): Promise<acl.Policy[]> => {
      const roles = await Promise.all(
        Roles.map(({ ID }) => this.ask({ path: `/v1/acl/role/${encodeURIComponent(ID)}` }, acl.Role)),
      );
      const names = new Set([...Policies, ...roles.flatMap((role) => role.Policies.map(({ Name }) => Name))]);
      return Promise.all(
        [...names].map((name) =>
          this.ask({ path: `/v1/acl/policy/${encodeURIComponent(name)}` }, acl.Policy),
        ),
      );
    };
    return unlessRefused(read(), ({ status }) => status >= 400 && status < 500, undefined);
  }

  protected async ask<T>(call: Call, shape: z.ZodType<T>): Promise<T> {
    return (await this.http.call(call, shape)).body;
  }
}

const isWithoutAcls = ({ text }: AnswerError): boolean => text.includes("ACL support disabled");
