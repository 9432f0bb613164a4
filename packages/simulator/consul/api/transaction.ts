import * as z from "zod";
import { json, text, type Reply } from "../../answer.js";
import type { Entry, Kv } from "../kv.js";
import { denied } from "../access.js";
import { atLeader, bodyJson, type ConsulCall, type ConsulRoute } from "./context.js";
import { entryView } from "./kv-routes.js";

const operation = z.object({
  Verb: z.string(),
  Key: z.string(),
  Value: z.string().default(""),
  Flags: z.number().default(0),
  Index: z.number().default(0),
  Session: z.string().default(""),
});

type Operation = z.infer<typeof operation>;

/** All of a transaction's operations are done, or none: 409 says which could not be. */
export const transactionRoute: ConsulRoute = {
  methods: ["PUT"],
  path: "/v1/txn",
  handle: (call: ConsulCall): Reply => {
    const body = bodyJson(call.request.body, (reason) => text(400, `Failed to parse body: ${reason}`));
    if (!("value" in body)) return body;
    const parsed = z.array(z.object({ KV: operation })).safeParse(body.value);
    if (!parsed.success) return text(400, "Failed to parse body: json: cannot unmarshal value");
    const operations = parsed.data.map(({ KV }) => KV);
    if (operations.some(({ Value }) => !/^[A-Za-z0-9+/]*={0,2}$/.test(Value)))
      return text(400, "Failed to parse body: illegal base64 data at input byte 0");
    const { rights, consul } = call.agent;
    return atLeader(call, () => {
      if (!operations.every((each) => rights.may("keyPrefix", each.Key, isRead(each) ? "read" : "write")))
        return denied();
      return run(consul.kv, operations);
    });
  },
};

const isRead = ({ Verb }: Operation): boolean => Verb.startsWith("get") || Verb.startsWith("check");

function run(kv: Kv, operations: readonly Operation[]): Reply {
  const before = new Map(kv.entries);
  const results: { KV: unknown }[] = [];
  for (const [index, each] of operations.entries()) {
    const done = apply(kv, each);
    if (typeof done === "string") {
      kv.entries.clear();
      for (const [key, entry] of before) kv.entries.set(key, entry);
      return json({ Results: null, Errors: [{ OpIndex: index, What: done }] }, {}, 409);
    }
    for (const entry of done)
      results.push({ KV: { ...entryView(entry), ...(each.Verb.startsWith("get") ? {} : { Value: null }) } });
  }
  return json({ Results: results, Errors: null });
}

/** The entries to report, or what is wrong. */
function apply(kv: Kv, { Verb, Key, Value, Flags, Index, Session }: Operation): readonly Entry[] | string {
  const entry = kv.entries.get(Key);
  const present = (): Entry[] => {
    const now = kv.entries.get(Key);
    return now ? [now] : [];
  };
  switch (Verb) {
    case "set":
      return [kv.put(Key, Value, Flags)];
    case "cas":
      return kv.putIf(Key, Value, Flags, Index) ? present() : `failed to set key "${Key}", index is stale`;
    case "lock":
      return kv.acquire(Key, Value, Flags, Session)
        ? present()
        : `failed to lock key "${Key}", lock is already held`;
    case "unlock":
      return kv.release(Key, Value, Flags, Session)
        ? present()
        : `failed to unlock key "${Key}", lock isn't held, or is held by another session`;
    case "get":
      return entry ? [entry] : `key "${Key}" doesn't exist`;
    case "get-tree":
      return kv.under(Key);
    case "delete":
      kv.delete(Key);
      return [];
    case "delete-cas":
      if (entry && entry.modifyIndex !== Index) return `failed to delete key "${Key}", index is stale`;
      kv.delete(Key);
      return [];
    case "check-index":
      return entry?.modifyIndex === Index
        ? [entry]
        : `failed index check for key "${Key}", current modify index ${String(entry?.modifyIndex ?? 0)} != ${String(Index)}`;
    case "check-session":
      return entry?.session === Session
        ? [entry]
        : `failed session check for key "${Key}", current session "${entry?.session ?? ""}" != "${Session}"`;
    case "check-not-exists":
      return entry ? `key "${Key}" exists` : [];
    default:
      return `unknown KV verb "${Verb}"`;
  }
}
