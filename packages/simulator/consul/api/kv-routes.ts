import { empty, json, text, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import type { Entry } from "../kv.js";
import { atLeader, read, readHeaders, type ConsulCall, type ConsulRoute } from "./context.js";

const MOST_BYTES = 524_288;

export const kvRoutes: readonly ConsulRoute[] = [
  { methods: ["GET"], path: "/v1/kv/*key", handle: get },
  { methods: ["PUT"], path: "/v1/kv/*key", handle: put },
  { methods: ["DELETE"], path: "/v1/kv/*key", handle: remove },
];

const base64 = (value: string): string => Buffer.from(value, "utf8").toString("base64");

const entryView = (entry: Entry) => ({
  LockIndex: 0,
  Key: entry.key,
  Flags: entry.flags,
  Value: entry.value === "" ? null : entry.value,
  CreateIndex: entry.createIndex,
  ModifyIndex: entry.modifyIndex,
});

function get(call: ConsulCall): Reply {
  const { consul, rights } = call.agent;
  const { query } = call.request;
  const key = call.part("key");
  const lists = query.has("recurse") || query.has("keys");
  if (key === "" && !lists) return text(400, "Missing key name");
  const { kv } = consul;
  if (lists)
    return read(
      call,
      () => kv.index,
      () => {
        const entries = kv.under(key).filter((entry) => rights.may("keyPrefix", entry.key, "read"));
        if (entries.length === 0) return undefined;
        return query.has("keys")
          ? keysOf(entries, key, query.get("separator") ?? "")
          : entries.map(entryView);
      },
    );
  if (!rights.may("keyPrefix", key, "read")) return denied();
  if (query.has("raw"))
    return atLeader(call, () => {
      const entry = kv.entries.get(key);
      const headers = readHeaders(consul, entry?.modifyIndex ?? kv.index);
      return entry
        ? text(200, Buffer.from(entry.value, "base64").toString("utf8"), headers)
        : empty(404, headers);
    });
  return read(
    call,
    () => kv.entries.get(key)?.modifyIndex ?? kv.index,
    () => {
      const entry = kv.entries.get(key);
      return entry && [entryView(entry)];
    },
  );
}

function keysOf(entries: readonly Entry[], prefix: string, separator: string): string[] {
  const keys = entries.map(({ key }) => {
    const end = separator === "" ? -1 : key.indexOf(separator, prefix.length);
    return end === -1 ? key : key.slice(0, end + separator.length);
  });
  return [...new Set(keys)];
}

function put(call: ConsulCall): Reply {
  const { request, part } = call;
  const { consul, rights } = call.agent;
  const key = part("key");
  const { query, body } = request;
  if (key === "") return text(400, "Missing key name");
  if (key.startsWith("/")) return empty(301, { Location: `/v1/kv/${key.replace(/^\/+/, "")}` });
  const cas = query.get("cas");
  if (cas !== null && !/^\d+$/.test(cas))
    return text(500, `strconv.ParseUint: parsing "${cas}": invalid syntax`);
  const bytes = Buffer.byteLength(body, "utf8");
  if (bytes > MOST_BYTES)
    return text(
      413,
      `Request body(${String(bytes)} bytes) too large, max size: ${String(MOST_BYTES)} bytes. See https://www.consul.io/docs/agent/options.html#kv_max_value_size.`,
    );
  if (!rights.may("keyPrefix", key, "write")) return denied();
  const { kv } = consul;
  const value = base64(body);
  const flags = Number(query.get("flags") ?? 0);
  return atLeader(call, () => {
    if (cas !== null) return json(kv.putIf(key, value, flags, Number(cas)));
    kv.put(key, value, flags);
    return json(true);
  });
}

function remove(call: ConsulCall): Reply {
  const { consul, rights } = call.agent;
  const key = call.part("key");
  const { query } = call.request;
  if (!rights.may("keyPrefix", key, "write")) return denied();
  const cas = query.get("cas");
  return atLeader(call, () => {
    if (query.has("recurse")) for (const entry of consul.kv.under(key)) consul.kv.delete(entry.key);
    else {
      const entry = consul.kv.entries.get(key);
      if (entry && cas !== null && entry.modifyIndex !== Number(cas)) return json(false);
      consul.kv.delete(key);
    }
    return json(true);
  });
}
