import type { Environment } from "../environment.js";
import type { Endpoint } from "../http/endpoint.js";
import { HttpClient, type Call, type HttpOptions } from "../http/http-client.js";
import { CONSUL } from "../http/service.js";
import { readSettings, type Settings } from "../http/settings.js";
import type * as z from "zod";
import { HiddenByAclError } from "./errors.js";

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

  protected async ask<T>(call: Call, schema: z.ZodType<T>): Promise<T> {
    const { headers, body } = await this.http.call(call, schema);
    if (headers["x-consul-results-filtered-by-acls"] === "true") throw this.hidden(call);
    return body;
  }

  /** A list that is never empty in truth: the agent that answers is in it. */
  protected hidden({ method = "GET", path, permission = "more rights" }: Call): HiddenByAclError {
    const where = this.settings.endpoints.map(({ url }) => url).join(", ");
    return new HiddenByAclError(
      { service: CONSUL, method, path, where, hasToken: this.settings.access.token !== undefined },
      permission,
    );
  }
}

/** What the environment says; `at` goes in the place of its addresses. */
export function consulSettings(env?: Environment, at?: Endpoint): Promise<Settings> {
  return readSettings(CONSUL, env, at);
}
