import * as z from "zod";
import { json, text, type Reply } from "../../answer.js";
import { goDuration } from "../../blocking.js";
import { denied } from "../access.js";
import { SERF_HEALTH } from "../catalog.js";
import type { Session } from "../sessions.js";
import { atLeader, bodyJson, read, type ConsulCall, type ConsulRoute } from "./context.js";

export const sessionRoutes: readonly ConsulRoute[] = [
  { methods: ["PUT"], path: "/v1/session/create", handle: create },
  {
    methods: ["PUT"],
    path: "/v1/session/destroy/:id",
    handle: (call) =>
      atLeader(call, () => {
        const session = call.agent.consul.sessions.all.get(call.part("id"));
        if (session && !call.agent.rights.may("sessionPrefix", session.node, "write")) return denied();
        call.agent.consul.sessions.destroy(call.part("id"));
        return json(true);
      }),
  },
  { methods: ["PUT"], path: "/v1/session/renew/:id", handle: renew },
  {
    methods: ["GET"],
    path: "/v1/session/info/:id",
    handle: (call) => list(call, ({ id }) => id === call.part("id")),
  },
  { methods: ["GET"], path: "/v1/session/list", handle: (call) => list(call, () => true) },
  {
    methods: ["GET"],
    path: "/v1/session/node/:name",
    handle: (call) => list(call, ({ node }) => node === call.part("name")),
  },
];

const LEAST_TTL_MS = 10_000;
const MOST_TTL_MS = 86_400_000;

const request = z.object({
  Name: z.string().default(""),
  Node: z.string().optional(),
  /** A number counts seconds when it is small and nanoseconds when it is not. */
  LockDelay: z.union([z.string(), z.number()]).default("15s"),
  Behavior: z.string().default("release"),
  TTL: z.string().default(""),
  Checks: z.array(z.string()).default([SERF_HEALTH]),
});

function create(call: ConsulCall): Reply {
  const { consul, agent, rights } = call.agent;
  const body = bodyJson(call.request.body || "{}", (reason) => text(400, `Request decode failed: ${reason}`));
  if (!("value" in body)) return body;
  const parsed = request.safeParse(body.value);
  if (!parsed.success) return text(400, "Request decode failed: json: cannot unmarshal value");
  const settings = parsed.data;
  const node = settings.Node ?? agent.name;
  return atLeader(call, () => {
    if (!rights.may("sessionPrefix", node, "write")) return denied();
    const ttlMs = settings.TTL === "" ? undefined : goDuration(settings.TTL);
    const problem = problemOf(call, settings, node, ttlMs);
    if (problem !== undefined) return text(500, `rpc error making call: ${problem}`);
    const session = consul.sessions.create({
      name: settings.Name,
      node,
      lockDelayMs: lockDelayMs(settings.LockDelay),
      behavior: settings.Behavior,
      ttl: settings.TTL,
      ttlMs,
      nodeChecks: settings.Checks,
    });
    return json({ ID: session.id });
  });
}

function problemOf(
  call: ConsulCall,
  settings: z.infer<typeof request>,
  node: string,
  ttlMs: number | undefined,
): string | undefined {
  if (!["release", "delete"].includes(settings.Behavior))
    return `Invalid Behavior setting '${settings.Behavior}'`;
  if (settings.TTL !== "" && ttlMs === undefined)
    return `Session TTL '${settings.TTL}' invalid: time: invalid duration "${settings.TTL}"`;
  if (ttlMs !== undefined && ttlMs !== 0 && (ttlMs < LEAST_TTL_MS || ttlMs > MOST_TTL_MS))
    return `Invalid Session TTL '${String(ttlMs * 1e6)}', must be between [10s=24h0m0s]`;
  const entered = call.agent.consul.catalog.nodes.get(node);
  if (!entered) return "Missing node registration";
  const missing = settings.Checks.find((check) => !entered.checks.has(check));
  if (missing !== undefined) return `Missing check '${missing}' registration`;
  const critical = settings.Checks.find((check) => entered.checks.get(check)?.status === "critical");
  return critical === undefined ? undefined : `Check '${critical}' is in critical state`;
}

function lockDelayMs(value: string | number): number {
  if (typeof value === "string") return goDuration(value) ?? 15_000;
  return value < 1_000 ? value * 1_000 : value / 1e6;
}

function renew(call: ConsulCall): Reply {
  const id = call.part("id");
  return atLeader(call, () => {
    if (id.length !== 36)
      return text(
        500,
        "rpc error making call: failed session lookup: index error: UUID must be 36 characters",
      );
    const session = call.agent.consul.sessions.all.get(id);
    if (session && !call.agent.rights.may("sessionPrefix", session.node, "write")) return denied();
    if (!call.agent.consul.sessions.renew(id)) return text(404, `Session id '${id}' not found`);
    return json(session ? [sessionView(session)] : []);
  });
}

const list = (call: ConsulCall, wanted: (session: Session) => boolean): Reply =>
  read(
    call,
    () => call.agent.consul.sessions.index,
    () =>
      [...call.agent.consul.sessions.all.values()]
        .filter((session) => wanted(session) && call.agent.rights.may("sessionPrefix", session.node, "read"))
        .map(sessionView),
  );

const sessionView = (session: Session) => ({
  ID: session.id,
  Name: session.name,
  Node: session.node,
  LockDelay: session.lockDelayMs * 1e6,
  Behavior: session.behavior,
  TTL: session.ttl,
  NodeChecks: session.nodeChecks,
  ServiceChecks: null,
  CreateIndex: session.createIndex,
  ModifyIndex: session.createIndex,
});
