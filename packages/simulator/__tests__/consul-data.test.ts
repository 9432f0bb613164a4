import { describe, expect, test } from "@jest/globals";
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import type { SimulatedCluster } from "../cluster.js";
import { ask, askLater, bodyOf, BROKERS, CONSUL_SERVERS, put, steadyCluster, until } from "./world.js";

const [A, B] = BROKERS;

describe("keys", () => {
  test("cas=0 creates only, a wrong index is refused with 200 false, and the same value moves no index", () => {
    const cluster = steadyCluster();
    expect(write(cluster, "a?cas=0", "v1")).toBe("true");
    expect(write(cluster, "a?cas=0", "v2")).toBe("false");
    const { ModifyIndex } = entry(cluster, "a");
    expect(write(cluster, `a?cas=${String(ModifyIndex)}`, "v1")).toBe("true");
    // So a later one with the same index wins too.
    expect(write(cluster, `a?cas=${String(ModifyIndex)}`, "v2")).toBe("true");
    expect(write(cluster, `a?cas=${String(ModifyIndex)}`, "v3")).toBe("false");
  });

  test.each([
    ["PUT", "/v1/kv/a?cas=abc", 500, 'strconv.ParseUint: parsing "abc": invalid syntax'],
    ["PUT", "/v1/kv/", 400, "Missing key name"],
    ["PUT", "/v1/kv//x", 301, ""],
    ["GET", "/v1/kv/missing", 404, ""],
    ["GET", "/v1/kv/missing/?recurse", 404, ""],
    ["POST", "/v1/kv/a", 405, "method POST not allowed"],
    ["GET", "/v1/agent/leave", 405, "method GET not allowed"],
    ["GET", "/v1/nope", 404, ""],
    ["GET", "/nope", 404, ""],
    ["GET", "/v1/kv/a?index=x", 400, "Invalid index"],
    [
      "GET",
      "/v1/kv/a?stale&consistent",
      400,
      "Cannot specify ?stale with ?consistent, conflicting semantics.",
    ],
    ["GET", "/v1/catalog/nodes?dc=nope", 500, "rpc error making call: No path to datacenter"],
    ["PUT", "/v1/agent/maintenance", 400, "Missing value for enable"],
    [
      "DELETE",
      "/v1/operator/raft/peer",
      400,
      "Bad request: Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    ],
  ])("%s %s answers %d", (method, path, status, body) => {
    expect(ask(steadyCluster(), CONSUL_SERVERS[0], `/consul${path}`, { method, body: "x" })).toMatchObject({
      status,
      body,
    });
  });

  test("a value of 524288 bytes passes, one more is 413", () => {
    const cluster = steadyCluster();
    expect(write(cluster, "big", "x".repeat(524_288))).toBe("true");
    const { status, body } = put(cluster, A, "/consul/v1/kv/big", "x".repeat(524_289));
    expect(status).toBe(413);
    expect(body).toContain("Request body(524289 bytes) too large, max size: 524288 bytes.");
  });

  test("a blocking query fires at a change and else answers 404 after its wait, with the same index", () => {
    const cluster = steadyCluster();
    const index = ask(cluster, A, "/consul/v1/kv/new").headers["X-Consul-Index"] ?? "";
    const pending = askLater(cluster, A, `/consul/v1/kv/new?index=${index}&wait=60s`);
    write(cluster, "new", "x");
    expect(pending[0]?.status).toBe(200);
    const { ModifyIndex } = entry(cluster, "new");
    const waited = ask(cluster, A, `/consul/v1/kv/new?index=${String(ModifyIndex)}&wait=2s`);
    expect(waited.tookMs).toBeGreaterThanOrEqual(2_000);
    expect(waited.tookMs).toBeLessThan(2_100);
  });
});

describe("services and maintenance", () => {
  test("maintenance takes a service out of the passing ones; a second reason changes nothing, autopilot does not look", () => {
    const cluster = steadyCluster();
    put(cluster, A, "/consul/v1/agent/service/register", { Name: "broker", Port: 1 });
    const passing = (): string => String(ask(cluster, B, "/consul/v1/health/service/broker?passing").body);
    expect(passing()).toContain(A);
    put(cluster, A, "/consul/v1/agent/maintenance?enable=true&reason=first");
    put(cluster, A, "/consul/v1/agent/maintenance?enable=true&reason=second");
    expect(passing()).toBe("[]");
    expect(ask(cluster, B, `/consul/v1/health/node/${A}`).body).toContain('"Notes":"first"');
    put(cluster, A, "/consul/v1/agent/maintenance?enable=false");
    expect(passing()).toContain(A);
  });

  test("a client that leaves takes its node and services along within 0.4 s and answers after 3.4 s", () => {
    const cluster = steadyCluster();
    put(cluster, A, "/consul/v1/agent/service/register", { Name: "broker", Port: 1 });
    const answers = askLater(cluster, A, "/consul/v1/agent/leave", "PUT");
    cluster.advance(450);
    expect(ask(cluster, B, `/consul/v1/catalog/node/${A}`).body).toBe("null");
    expect(ask(cluster, B, "/consul/v1/health/service/broker").body).toBe("[]");
    until(cluster, () => answers.length > 0, 4_000);
    expect(cluster.timeline.now - 31_000).toBeCloseTo(3_400, -3);
  });

  test("a snapshot is gzip, and without a leader it is refused at once unless it may be stale", () => {
    const cluster = steadyCluster();
    const { body, headers } = ask(cluster, A, "/consul/v1/snapshot");
    expect(headers["Content-Type"]).toBe("application/x-gzip");
    expect(gunzipSync(body).toString()).toBe("snapshot");
    cluster.consul.raft.leaderless = true;
    expect(ask(cluster, CONSUL_SERVERS[0], "/consul/v1/snapshot")).toMatchObject({
      status: 500,
      body: "No cluster leader",
      tookMs: 0,
    });
    expect(ask(cluster, CONSUL_SERVERS[0], "/consul/v1/snapshot?stale").status).toBe(200);
  });
});

describe("tokens", () => {
  const cluster = steadyCluster({
    consul: {
      tokens: new Map([
        ["master", { management: true }],
        ["nodes", { nodePrefix: { "": "read" } }],
        ["roller", { operator: "write", agentPrefix: { "": "write" }, keyPrefix: { "rollout/": "write" } }],
      ]),
    },
    nomad: {
      tokens: new Map([
        ["master", { management: true }],
        ["nodes", { node: "read" }],
        ["roller", { node: "write", operator: "write", agent: "write", namespaces: { "*": ["read-job"] } }],
      ]),
    },
  });
  cluster.runJob({ ID: "web", TaskGroups: [{ Count: 3 }] });
  cluster.advance(5_000);
  const nodeId = [...cluster.nomad.nodes.records.keys()][0] ?? "";

  test.each([
    ["GET", "/consul/v1/agent/members", undefined, 200, "[]"],
    ["GET", "/consul/v1/catalog/nodes", undefined, 200, "[]"],
    ["GET", "/consul/v1/kv/?recurse", undefined, 404, ""],
    ["GET", "/consul/v1/agent/self", undefined, 403, "Permission denied"],
    ["GET", "/consul/v1/agent/members", "unknown", 403, "ACL not found"],
    ["PUT", "/consul/v1/agent/leave", "nodes", 403, "Permission denied"],
    ["GET", "/consul/v1/operator/autopilot/health", "nodes", 403, "Permission denied"],
    ["PUT", "/consul/v1/agent/force-leave/nobody", "roller", 500, "agent: No node found with name 'nobody'"],
    ["PUT", "/consul/v1/kv/rollout/x", "roller", 200, "true"],
    ["PUT", "/consul/v1/kv/other", "roller", 403, "Permission denied"],
    ["GET", "/consul/v1/snapshot", "roller", 403, "Permission denied"],
    ["GET", "/nomad/v1/nodes", undefined, 403, "Permission denied"],
    ["GET", "/nomad/v1/nodes", "unknown", 403, "Permission denied"],
    ["GET", "/nomad/v1/operator/raft/configuration", "roller", 403, "Permission denied"],
    ["PUT", "/nomad/v1/system/gc", "roller", 403, "Permission denied"],
    ["GET", "/nomad/v1/jobs", "roller", 403, "Permission denied"],
    // What looks like a finished drain is a token that may not look.
    ["GET", `/nomad/v1/node/${nodeId}/allocations`, "nodes", 200, "[]"],
  ])("%s %s with the token %s is %d", (method, path, token, status, body) => {
    const machine = BROKERS[0];
    expect(ask(cluster, machine, path, { method, ...(token === undefined ? {} : { token }) })).toMatchObject({
      status,
      body,
    });
  });

  test("show what they may see", () => {
    expect(ask(cluster, A, "/consul/v1/agent/members", { token: "nodes" }).body).toContain(A);
    expect(ask(cluster, A, `/nomad/v1/node/${nodeId}/allocations`, { token: "roller" }).body).toContain(
      '"JobID":"web"',
    );
    expect(ask(cluster, A, "/nomad/v1/operator/autopilot/health", { token: "roller" }).status).toBe(200);
    expect(ask(cluster, A, "/nomad/v1/system/gc", { method: "PUT", token: "master" }).status).toBe(200);
  });
});

const write = (cluster: SimulatedCluster, key: string, value: string): string =>
  String(put(cluster, A, `/consul/v1/kv/${key}`, value).body);

function entry(cluster: SimulatedCluster, key: string) {
  const schema = z.object({ ModifyIndex: z.number() });
  const [found] = bodyOf(ask(cluster, A, `/consul/v1/kv/${key}`), z.tuple([schema]));
  return found;
}
