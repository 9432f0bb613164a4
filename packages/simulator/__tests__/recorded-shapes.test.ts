import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import * as z from "zod";
import type { SimulatedCluster } from "../cluster.js";
import { ask, BROKERS, bodyOf, CONSUL_SERVERS, leadership, put, steadyCluster } from "./world.js";

/** Excerpts of what real agents answered, a list cut to its first item. `trimmed` stands for what was left out there. */
const recorded = {
  consul: recordings("consul"),
  nomad: recordings("nomad"),
};

describe("an answer has the keys and the types of the recorded one", () => {
  test.each(Object.keys(recorded.consul))("consul %s", (name) => {
    const cluster = steadyCluster();
    const [broker] = BROKERS;
    put(cluster, broker, "/consul/v1/agent/service/register", {
      Name: "broker",
      ID: "broker-1",
      Port: 9876,
      Tags: ["v1"],
      Meta: { k: "v" },
      Check: { TTL: "60s", Status: "passing" },
    });
    put(cluster, broker, "/consul/v1/kv/lab/a", "v3");
    const [path = "", role] = name.split(" ");
    const asked =
      role === "client" || path.startsWith("/v1/agent/s") || path === "/v1/agent/checks" ? broker : "";
    const server = role === "server" ? leadership(cluster, "consul").leader : CONSUL_SERVERS[0];
    expectShape(
      cluster,
      role === "server" ? server : asked || server,
      `/consul${path}`,
      recorded.consul[name],
    );
  });

  test.each(Object.keys(recorded.nomad))("nomad %s", (name) => {
    const cluster = steadyCluster();
    const { leader } = leadership(cluster, "nomad");
    put(cluster, leader, "/nomad/v1/jobs", { Job: JOB });
    const isSummary = name.includes("allocation") || name.includes("deployments");
    // Running, and not yet healthy, as it was recorded.
    cluster.advance(isSummary ? 400 : 5_000);
    const [broker] = BROKERS;
    const list = bodyOf(
      ask(cluster, leader, "/nomad/v1/job/web/allocations"),
      z.array(z.object({ ID: z.string(), NodeID: z.string() })),
    );
    const id = name.includes("/node/") ? list[0]?.NodeID : list[0]?.ID;
    const [path = "", role] = name.replace("ID", id ?? "").split(" ");
    expectShape(cluster, role === "client" ? broker : leader, `/nomad${path}`, recorded.nomad[name]);
  });

  test("a difference is seen", () => {
    expect(differences({ a: 1, b: [{ c: "" }] }, { a: "1", b: [{ d: "" }] })).toEqual([
      "a is string, not number",
      "b.0.c is missing",
      "b.0.d is not recorded",
    ]);
  });
});

const JOB = {
  ID: "web",
  TaskGroups: [
    {
      Name: "g",
      Count: 2,
      Migrate: { MinHealthyTime: 2e9 },
      Tasks: [{ Name: "t", Resources: { CPU: 20, MemoryMB: 20 } }],
    },
  ],
};

interface Recorded {
  readonly headers: readonly string[];
  readonly body?: unknown;
}

function recordings(product: string): Record<string, Recorded> {
  const file = new URL(`recorded/${product}.json`, import.meta.url);
  const recording = z.object({ headers: z.array(z.string()), body: z.unknown() });
  return z.record(z.string(), recording).parse(JSON.parse(readFileSync(file, "utf8")));
}

function expectShape(
  cluster: SimulatedCluster,
  asked: string,
  path: string,
  expected: Recorded | undefined,
): void {
  const { status, headers, body } = ask(cluster, asked, path);
  expect(status).toBe(200);
  expect(Object.keys(headers).sort()).toEqual([...(expected?.headers ?? [])].sort());
  expect(differences(expected?.body, JSON.parse(String(body)))).toEqual([]);
}

/** Maps whose keys are the user's own. */
const FREE = ["Meta", "NodeMeta", "ServiceMeta"];

function differences(was: unknown, is: unknown, at = ""): string[] {
  if (was === "trimmed") return [];
  if (typeOf(was) !== typeOf(is)) return [`${at} is ${typeOf(is)}, not ${typeOf(was)}`];
  const [before, now] = [entriesOf(was), entriesOf(is)];
  const isList = Array.isArray(was);
  if (isList && before.size > 0 && now.size === 0) return [`${at} is empty`];
  if (FREE.some((name) => at.endsWith(name))) return [];
  const name = (key: string): string => (at === "" ? key : `${at}.${key}`);
  return [
    ...[...before].flatMap(([key, value]) =>
      now.has(key) ? differences(value, now.get(key), name(key)) : [`${name(key)} is missing`],
    ),
    ...(isList
      ? []
      : [...now.keys()].filter((key) => !before.has(key)).map((key) => `${name(key)} is not recorded`)),
  ];
}

const entriesOf = (value: unknown): Map<string, unknown> =>
  typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map<string, unknown>();

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "list" : typeof value;
}
