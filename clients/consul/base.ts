import * as z from "zod";
import { HttpClient, type Call, type HttpOptions } from "../http/http-client.js";
import { list } from "../http/parse-answer.js";
import { CONSUL } from "../http/service.js";
import type { Settings } from "../http/settings.js";
import { HiddenByAclError } from "./errors.js";
import { NODE_READ } from "./permissions.js";
import { Member } from "./schemas.js";

/** What both of Consul's clients are made of. */
export abstract class ConsulBase {
  protected readonly http: HttpClient;

  constructor(
    readonly settings: Settings,
    options?: HttpOptions,
  ) {
    this.http = new HttpClient(CONSUL, settings, options);
  }

  /** Ends the connections that are kept open. */
  async close(): Promise<void> {
    await this.http.close();
  }

  /**
   * All members as the agent that answers sees them, those that left or failed included. Answered without the servers.
   * @throws HiddenByAclError where the token may not see them: the agent itself is always among them
   */
  async members(signal?: AbortSignal): Promise<Member[]> {
    const call = { path: "/v1/agent/members", permission: NODE_READ, signal };
    const members = await this.ask(call, list(Member));
    if (members.length === 0) throw this.hidden(call);
    return members;
  }

  /** `10.0.0.1:8300`; undefined where there is none. It may name a leader that has just gone. */
  async leader(): Promise<string | undefined> {
    return (await this.ask({ path: "/v1/status/leader" }, z.string())) || undefined;
  }

  protected async ask<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const { headers, body } = await this.http.call(call, schema);
    if (headers["x-consul-results-filtered-by-acls"] === "true") throw this.hidden(call);
    return body;
  }

  /** A list that is never empty in truth: the agent that answers is in it. */
  protected hidden(call: Call): HiddenByAclError {
    return new HiddenByAclError(call, [...new Set(this.settings.endpoints.map(({ url }) => url))].join(", "));
  }
}
