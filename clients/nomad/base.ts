import type * as z from "zod";
import { blockingCall, indexed, type Blocking, type Indexed } from "../http/blocking.js";
import { HttpClient, type Call, type HttpOptions } from "../http/http-client.js";
import { NOMAD } from "../http/service.js";
import type { Settings } from "../http/settings.js";
import { unlessRefused } from "../http/unless-refused.js";

/** What the parts of Nomad's client are made of. */
export abstract class NomadBase {
  protected readonly http: HttpClient;

  constructor(settings: Settings, options?: HttpOptions) {
    this.http = new HttpClient(NOMAD, settings, options);
  }

  /** Ends the connections that are kept open. */
  async close(): Promise<void> {
    await this.http.close();
  }

  protected async ask<T>(call: Call, shape: z.ZodType<T>): Promise<T> {
    return (await this.http.call(call, shape)).body;
  }

  protected async readIndexed<T>(
    { query, ...call }: Call,
    shape: z.ZodType<T>,
    blocking?: Blocking,
  ): Promise<Indexed<T>> {
    const { query: waiting, ...rest } = blockingCall(blocking);
    const answer = await this.http.call({ ...call, ...rest, query: { ...query, ...waiting } }, shape);
    return indexed(NOMAD, answer, answer.body, blocking?.index);
  }

  protected async find<T>(
    call: Call,
    shape: z.ZodType<T>,
    blocking?: Blocking,
  ): Promise<Indexed<T | undefined>> {
    return unlessRefused<Indexed<T | undefined>, Indexed<undefined>>(
      this.readIndexed(call, shape, blocking),
      ({ status, text }) => status === 404 && text.endsWith("not found"),
      { value: undefined, index: 0 },
    );
  }
}
