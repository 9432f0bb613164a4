import type { Environment } from "../environment.js";
import type { Endpoint } from "../http/endpoint.js";
import type { AnswerError } from "../http/errors.js";
import type { Call } from "../http/http-client.js";
import { list } from "../http/parse-answer.js";
import { NOMAD } from "../http/service.js";
import { readSettings } from "../http/settings.js";
import { unlessRefused, wasDone } from "../http/unless-refused.js";
import { NomadServers } from "./nomad-servers.js";
import * as permission from "./permissions.js";
import * as schema from "./schemas.js";

/** Every call that reads jobs or allocations names all namespaces: one that is left out would look like an empty one. */
const ALL_NAMESPACES = { namespace: "*" } as const;

interface WithResources {
  readonly resources?: boolean;
}

/**
 * The Nomad cluster, asked through any of its agents.
 *
 * Every method throws a {@link ClientError} as one of its kinds. No read is ever a stale one: a server that has just been
 * replaced answers those as if the cluster were empty.
 */
export class NomadClient extends NomadServers {
  /**
   * The cluster that `NOMAD_ADDR` and Nomad's other variables name.
   * @param at in place of the addresses there, where there are any: one agent, such as one behind a tunnel, or several
   * @throws UserError naming the variable that cannot be used
   */
  static async fromEnvironment(env?: Environment, ...at: readonly Endpoint[]): Promise<NomadClient> {
    return new NomadClient(await readSettings(NOMAD, env, ...at));
  }

  /**
   * All clients, dead records included: a machine that was replaced has two of one name for a while.
   * @param options `resources` asks for those, too
   */
  async nodes({ resources }: WithResources = {}): Promise<schema.NodeStub[]> {
    const query = resources === true ? { resources: "true" } : {};
    const call = { path: "/v1/nodes", query, permission: permission.NODE_READ };
    return this.ask(call, list(schema.NodeStub));
  }

  /** One client; undefined where there is none of that id. */
  async node(id: string): Promise<schema.Node | undefined> {
    const call = { path: `/v1/node/${encodeURIComponent(id)}`, permission: permission.NODE_READ };
    return unlessRefused(this.ask(call, schema.Node), isMissing, undefined);
  }

  /**
   * The allocations of a node, in all namespaces, finished ones included. An empty list proves nothing: it is also the answer
   * for an unknown node and for a token that may not read jobs. See {@link rights}.
   */
  async nodeAllocations(id: string): Promise<schema.Allocation[]> {
    const path = `/v1/node/${encodeURIComponent(id)}/allocations`;
    const call = {
      path,
      query: ALL_NAMESPACES,
      permission: `${permission.NODE_READ} and ${permission.READ_JOBS}`,
    };
    return this.ask(call, list(schema.Allocation));
  }

  /**
   * All allocations of all namespaces that the token may see, finished ones included, without the states of their tasks.
   * @param options `resources` asks for those, too
   */
  async allocations({ resources }: WithResources = {}): Promise<schema.Allocation[]> {
    const query = {
      ...ALL_NAMESPACES,
      task_states: "false",
      ...(resources === true ? { resources: "true" } : {}),
    };
    const call = { path: "/v1/allocations", query, permission: permission.READ_JOBS };
    return this.ask(call, list(schema.Allocation));
  }

  /** The jobs of all namespaces that the token may see. */
  async jobs(): Promise<schema.JobStub[]> {
    const call = { path: "/v1/jobs", query: ALL_NAMESPACES, permission: permission.LIST_JOBS };
    return this.ask(call, list(schema.JobStub));
  }

  /** One job; undefined where there is none. */
  async job(id: string, namespace: string): Promise<schema.Job | undefined> {
    return unlessRefused(this.ask(jobCall(id, namespace), schema.Job), isMissing, undefined);
  }

  /** The CSI volumes of all namespaces that the token may see. */
  async csiVolumes(): Promise<schema.CsiVolume[]> {
    const query = { ...ALL_NAMESPACES, type: "csi" };
    const call = { path: "/v1/volumes", query, permission: permission.LIST_VOLUMES };
    return this.ask(call, list(schema.CsiVolume));
  }

  /** The allocations of a job, finished ones included. */
  async jobAllocations(id: string, namespace: string): Promise<schema.Allocation[]> {
    return this.ask(jobCall(id, namespace, "/allocations"), list(schema.Allocation));
  }

  /** Registers a job in Nomad's own JSON, or its next version. */
  async register(job: { readonly ID: string; readonly Namespace?: string }): Promise<void> {
    await this.http.tell({
      method: "PUT",
      path: "/v1/jobs",
      body: { Job: job },
      repeatable: true,
      permission: `namespace ${JSON.stringify(job.Namespace ?? "default")} { capabilities = ["submit-job"] }`,
    });
  }

  /**
   * Lets work be placed on a node, or not.
   * @throws AnswerError when a node that is draining is to be eligible
   */
  async setEligibility(id: string, eligibility: "eligible" | "ineligible"): Promise<void> {
    await this.#tellNode(id, "eligibility", { Eligibility: eligibility });
  }

  /**
   * Begins to move work off a node, or gives the drain that runs a new deadline, counted from now.
   * @param order its deadline: seconds after which what still runs is stopped by force; 0: never
   */
  async drain(id: string, { deadline }: { readonly deadline: number }): Promise<void> {
    // Below 0 would stop everything at once.
    if (!(deadline >= 0)) throw new RangeError(`no deadline: ${String(deadline)}`);
    await this.#tellNode(id, "drain", {
      DrainSpec: { Deadline: Math.round(deadline * 1e9), IgnoreSystemJobs: false },
      MarkEligible: false,
      Meta: {},
    });
  }

  /** Ends a drain; nothing happens where none runs. @param markEligible else the node stays ineligible */
  async cancelDrain(id: string, { markEligible }: { readonly markEligible: boolean }): Promise<void> {
    await this.#tellNode(id, "drain", { DrainSpec: null, MarkEligible: markEligible });
  }

  /** Forgets a node. False where it was not known. A node that lives loses its work at once and comes back, eligible. */
  async purge(id: string): Promise<boolean> {
    return wasDone(this.#tellNode(id, "purge"), ({ text }) => text.endsWith("node not found"));
  }

  async #tellNode(id: string, what: string, body?: object): Promise<void> {
    await this.http.tell({
      method: "PUT",
      path: `/v1/node/${encodeURIComponent(id)}/${what}`,
      body,
      // The same once more changes nothing, but for a drain's deadline, which moves by as much as the first took.
      repeatable: true,
      permission: permission.NODE_WRITE,
    });
  }
}

const isMissing = ({ status, text }: AnswerError): boolean => status === 404 && text.endsWith("not found");

const jobCall = (id: string, namespace: string, what = ""): Call => ({
  path: `/v1/job/${encodeURIComponent(id)}${what}`,
  query: { namespace },
  permission: `namespace ${JSON.stringify(namespace)} { capabilities = ["read-job"] }`,
});
