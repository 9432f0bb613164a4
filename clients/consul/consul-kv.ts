import * as z from "zod";
import type { Environment } from "../environment.js";
import type { Blocking, Indexed } from "../http/blocking.js";
import type { HttpOptions } from "../http/http-client.js";
import { list } from "../http/parse-answer.js";
import { unlessRefused } from "../http/unless-refused.js";
import { ConsulBase, consulSettings } from "./base.js";
import { keyRule } from "./permissions.js";
import { KvPair } from "./schemas.js";

/** Consul's keys. */
export class ConsulKv extends ConsulBase {
  /** @throws UserError naming the variable that cannot be used */
  static async fromEnvironment(env?: Environment, options?: HttpOptions): Promise<ConsulKv> {
    return new ConsulKv(await consulSettings(env), options);
  }

  /** One key; undefined where there is none, and then without an index to wait for. */
  async get(key: string, blocking?: Blocking): Promise<Indexed<KvPair | undefined>> {
    const call = { path: pathOf(key), permission: keyRule(key, "read") };
    const found = this.askIndexed(call, list(KvPair), blocking);
    const { value, index } = await unlessRefused(found, isMissing, { value: [], index: 0 });
    return { value: value[0], index };
  }

  /** All keys below a prefix, in their order; none where there is none. */
  async list(prefix: string): Promise<KvPair[]> {
    const call = {
      path: pathOf(prefix),
      query: { recurse: true },
      permission: keyRule(prefix, "read"),
    } as const;
    return unlessRefused(this.ask(call, list(KvPair)), isMissing, []);
  }

  /**
   * Writes a key.
   * @param cas the ModifyIndex that it must still have; 0: it must not exist. Writing the value that is there already does not
   *   move the index, so let no two writers write the same
   * @returns whether it was written
   */
  async put(key: string, value: string, { cas }: { readonly cas?: number } = {}): Promise<boolean> {
    const call = {
      method: "PUT",
      path: pathOf(key),
      query: { cas },
      body: value,
      // With a condition, the second time would be refused because the first was done, and nobody could tell.
      repeatable: cas === undefined,
      permission: keyRule(key, "write"),
    } as const;
    return this.ask(call, z.boolean());
  }
}

const isMissing = ({ status }: { readonly status: number }): boolean => status === 404;

/** A slash is part of a key, everything else is encoded. */
const pathOf = (key: string): string => `/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`;
