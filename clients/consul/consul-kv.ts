import * as z from "zod";
import type { Environment } from "../environment.js";
import type { Blocking, Indexed } from "../http/blocking.js";
import type { HttpOptions } from "../http/http-client.js";
import { list } from "../http/parse-answer.js";
import { unlessRefused } from "../http/unless-refused.js";
import { ConsulBase, consulSettings } from "./base.js";
import { keyRule, SESSION_READ, SESSION_WRITE } from "./permissions.js";
import { KvPair, Session } from "./schemas.js";

/** What a new session is to be like. */
export interface NewSession {
  readonly name: string;
  /** Seconds, 10 to 86400. It really ends after up to twice that. */
  readonly ttl: number;
  /** Seconds for which a lock cannot be had again after its session was lost. @default 15 */
  readonly lockDelay?: number;
}

/** Consul's keys, and the sessions that locks hang on. */
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
    return this.#write("PUT", key, { cas }, value);
  }

  /** Deletes a key; true also where there was none. @returns whether it is gone */
  async delete(key: string, { cas }: { readonly cas?: number } = {}): Promise<boolean> {
    return this.#write("DELETE", key, { cas });
  }

  /** Writes a key and takes its lock. False where another session has it, or had it until just now. */
  async acquire(key: string, value: string, session: string): Promise<boolean> {
    return this.#write("PUT", key, { acquire: session }, value);
  }

  /** Gives the lock back, and leaves the key. False where the session does not hold it. */
  async release(key: string, value: string, session: string): Promise<boolean> {
    return this.#write("PUT", key, { release: session }, value);
  }

  /** A session that hangs on no node's health, so that it outlives the machine of the agent that made it. @returns its id */
  async createSession({ name, ttl, lockDelay = 15 }: NewSession): Promise<string> {
    const body = {
      Name: name,
      TTL: `${String(ttl)}s`,
      LockDelay: `${String(lockDelay)}s`,
      Behavior: "release",
      Checks: [],
    };
    const call = { method: "PUT", path: "/v1/session/create", body, permission: SESSION_WRITE } as const;
    return (await this.ask(call, z.object({ ID: z.string() }))).ID;
  }

  /** False where the session is over. */
  async renewSession(id: string): Promise<boolean> {
    const path = `/v1/session/renew/${encodeURIComponent(id)}`;
    const renewed = this.http.tell({ method: "PUT", path, repeatable: true, permission: SESSION_WRITE });
    return unlessRefused(
      renewed.then(() => true),
      ({ status }) => status === 404,
      false,
    );
  }

  async destroySession(id: string): Promise<void> {
    const path = `/v1/session/destroy/${encodeURIComponent(id)}`;
    await this.http.tell({ method: "PUT", path, repeatable: true, permission: SESSION_WRITE });
  }

  /** A session; undefined where it is over. */
  async session(id: string): Promise<Session | undefined> {
    const path = `/v1/session/info/${encodeURIComponent(id)}`;
    return (await this.ask({ path, permission: SESSION_READ }, list(Session)))[0];
  }

  async #write(
    method: "PUT" | "DELETE",
    key: string,
    query: Readonly<Record<string, string | number | undefined>>,
    body?: string,
  ): Promise<boolean> {
    // With a condition, the second time would be refused because the first was done, and nobody could tell.
    const repeatable = Object.values(query).every((value) => value === undefined);
    const call = { method, path: pathOf(key), query, repeatable, permission: keyRule(key, "write") };
    return this.ask(body === undefined ? call : { ...call, body }, z.boolean());
  }
}

const isMissing = ({ status }: { readonly status: number }): boolean => status === 404;

/** A slash is part of a key, everything else is encoded. */
const pathOf = (key: string): string => `/v1/kv/${key.split("/").map(encodeURIComponent).join("/")}`;
