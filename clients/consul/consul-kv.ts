import * as z from "zod";
import type { Environment } from "../environment.js";
import { list } from "../http/parse-answer.js";
import { CONSUL } from "../http/service.js";
import { readSettings } from "../http/settings.js";
import { unlessRefused } from "../http/unless-refused.js";
import { ConsulBase } from "./base.js";
import { keyRule } from "./permissions.js";
import { KvPair } from "./schemas.js";

/** Consul's keys. */
export class ConsulKv extends ConsulBase {
  /** @throws UserError naming the variable that cannot be used */
  static async fromEnvironment(env?: Environment): Promise<ConsulKv> {
    return new ConsulKv(await readSettings(CONSUL, env));
  }

  /** One key; undefined where there is none. */
  async get(key: string): Promise<KvPair | undefined> {
    const call = { path: pathOf(key), permission: keyRule(key, "read") };
    return (await unlessRefused(this.ask(call, list(KvPair)), isMissing, []))[0];
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

  /** Writes a key. @returns whether it was written */
  async put(key: string, value: string): Promise<boolean> {
    const call = {
      method: "PUT",
      path: pathOf(key),
      body: value,
      repeatable: true,
      permission: keyRule(key, "write"),
    } as const;
    return this.ask(call, z.boolean());
  }
}

const isMissing = ({ status }: { readonly status: number }): boolean => status === 404;

/** A slash is part of a key, everything else is encoded. */
const pathOf = (key: string): string => `/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`;
