import * as z from "zod";
import type { Answer, Request } from "../answer.js";
import { SimulatedCluster, type ClusterOptions } from "../cluster.js";
import type { MachineSettings } from "../machine.js";

export const CONSUL_SERVERS = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"] as const;
export const NOMAD_SERVERS = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"] as const;
export const BROKERS = ["broker-0-0", "broker-1-0", "broker-2-0"] as const;

const RETRY_JOIN = ["10.0.1.1", "10.0.1.2", "10.0.1.3"];

/** The settings of a machine by its name: its role and an address of its own. */
export function machine(name: string, more: Partial<MachineSettings> = {}): MachineSettings {
  const [pool, group] = /^(.*)-(\d)-\d$/.exec(name)?.slice(1) ?? ["broker", "0"];
  const role = pool === "consul-server" || pool === "nomad-server" ? pool : "client";
  const network = { "consul-server": 1, "nomad-server": 2, client: 3 }[role];
  return {
    name,
    role,
    address: `10.0.${String(network)}.${String(Number(group) + 1)}`,
    retryJoin: RETRY_JOIN,
    meta: { rollout_group: `${pool ?? ""}-${group ?? ""}`, rollout_host: name, rollout_image: "image-1" },
    ...more,
  };
}

/** Three Consul servers, three Nomad servers and three brokers, all well and stable. */
export function steadyCluster(
  options: ClusterOptions = {},
  more: Partial<MachineSettings> = {},
): SimulatedCluster {
  const cluster = new SimulatedCluster(options);
  for (const name of [...CONSUL_SERVERS, ...NOMAD_SERVERS, ...BROKERS])
    cluster.startMachine(machine(name, more));
  cluster.advance(31_000 * cluster.timeline.factor);
  return cluster;
}

export interface Asking {
  readonly method?: string;
  readonly body?: string;
  readonly token?: string;
}

/** Asks an agent, and lets time pass until it answers. */
export function ask(
  cluster: SimulatedCluster,
  name: string,
  path: string,
  { method = "GET", body = "", token }: Asking = {},
): Answer & { readonly tookMs: number } {
  const { pathname, searchParams } = new URL(path, "http://agent");
  const headers = token === undefined ? {} : { "x-consul-token": token, "x-nomad-token": token };
  const request: Request = { method, path: pathname, query: searchParams, headers, body };
  const answers: Answer[] = [];
  cluster.ask(name, request, (answer) => answers.push(answer));
  const from = cluster.timeline.now;
  while (answers.length === 0) cluster.advance(cluster.timeline.nextIn ?? 1_000);
  const tookMs = cluster.timeline.now - from;
  const [answer] = answers;
  if (!answer) throw new Error("the agent did not answer");
  return { ...answer, tookMs };
}

/** Asks without waiting; the answers arrive in the list as time passes. */
export function askLater(
  cluster: SimulatedCluster,
  name: string,
  path: string,
  method = "GET",
  body = "",
): Answer[] {
  const { pathname, searchParams } = new URL(path, "http://agent");
  const answers: Answer[] = [];
  cluster.ask(name, { method, path: pathname, query: searchParams, headers: {}, body }, (answer) => {
    answers.push(answer);
  });
  return answers;
}

export const put = (cluster: SimulatedCluster, name: string, path: string, body: unknown = "") =>
  ask(cluster, name, path, { method: "PUT", body: typeof body === "string" ? body : JSON.stringify(body) });

/** The JSON of an answer. */
export function bodyOf<Schema extends z.ZodType>(answer: Answer, schema: Schema): z.output<Schema> {
  return schema.parse(JSON.parse(String(answer.body)));
}

const STEP_MS = 100;

/** Lets time pass until something holds, and answers how many simulated milliseconds that took: to within 100. */
export function until(cluster: SimulatedCluster, holds: () => boolean, atMostMs: number): number {
  const from = cluster.timeline.now;
  while (!holds()) {
    if (cluster.timeline.now - from >= atMostMs) throw new Error(`not within ${String(atMostMs)} ms`);
    cluster.timeline.advance(STEP_MS * cluster.timeline.factor);
  }
  return cluster.timeline.now - from;
}

const consulHealth = z.object({
  Healthy: z.boolean(),
  FailureTolerance: z.number(),
  Servers: z
    .array(
      z.object({
        ID: z.string(),
        Name: z.string(),
        Voter: z.boolean(),
        Healthy: z.boolean(),
        StableSince: z.string(),
        LastContact: z.string(),
      }),
    )
    .nullable(),
});

export function autopilot(cluster: SimulatedCluster, product: "consul" | "nomad", name: string) {
  const answer = ask(cluster, name, `/${product}/v1/operator/autopilot/health`);
  return { status: answer.status, headers: answer.headers, ...bodyOf(answer, consulHealth) };
}

const raftConfiguration = z.object({
  Servers: z.array(
    z.object({
      ID: z.string(),
      Node: z.string(),
      Address: z.string(),
      Leader: z.boolean(),
      Voter: z.boolean(),
    }),
  ),
});

export function raft(cluster: SimulatedCluster, product: "consul" | "nomad", name: string) {
  return bodyOf(ask(cluster, name, `/${product}/v1/operator/raft/configuration`), raftConfiguration).Servers;
}

const consulMembers = z.array(
  z.object({ Name: z.string(), Status: z.number(), Tags: z.record(z.string(), z.string()) }),
);
const nomadMembers = z.object({ Members: z.array(z.object({ Name: z.string(), Status: z.string() })) });

export const consulStatus = (cluster: SimulatedCluster, asked: string, name: string): number | undefined =>
  bodyOf(ask(cluster, asked, "/consul/v1/agent/members"), consulMembers).find(({ Name }) => Name === name)
    ?.Status;

export const nomadStatus = (cluster: SimulatedCluster, asked: string, name: string): string | undefined =>
  bodyOf(ask(cluster, asked, "/nomad/v1/agent/members"), nomadMembers).Members.find(
    ({ Name }) => Name === `${name}.global`,
  )?.Status;

/** The machine whose agent leads, and the two that do not. */
export function leadership(cluster: SimulatedCluster, product: "consul" | "nomad") {
  const { peers, leader } = product === "consul" ? cluster.consul.raft : cluster.nomad.servers.raft;
  const names = peers.map(({ name }) => name.replace(/\.global$/, ""));
  const leading = leader?.name.replace(/\.global$/, "") ?? "";
  const [first = "", second = ""] = names.filter((name) => name !== leading);
  return { leader: leading, followers: [first, second] as const };
}
