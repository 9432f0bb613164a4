import { describe, expect, test } from "@jest/globals";
import { ConsulAgent } from "../../clients/consul/consul-agent.js";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import { ConsulKv } from "../../clients/consul/consul-kv.js";
import { HiddenByAclError } from "../../clients/consul/errors.js";
import type { Endpoint } from "../../clients/http/endpoint.js";
import { NoLeaderError } from "../../clients/http/errors.js";
import type { HttpOptions } from "../../clients/http/http-client.js";
import { json, rejection, startServer, text } from "../clients/http/local-server.js";
import { readRecordings, type Recording } from "./recording.js";
import { replay, type Route } from "./replay.js";

const quick: HttpOptions = { attempts: 1, sleep: () => Promise.resolve() };

class Clients {
  readonly cluster: ConsulClient;
  readonly kv: ConsulKv;
  readonly agent: ConsulAgent;

  constructor(url: string) {
    const endpoint: Endpoint = { url };
    const settings = { endpoints: [endpoint], access: {} } as const;
    this.cluster = new ConsulClient(settings, quick);
    this.kv = new ConsulKv(settings, quick);
    this.agent = new ConsulAgent(endpoint, {}, quick);
  }
}

const query = ({ request }: Recording, name: string): string | undefined =>
  new URL(request.path, "http://agent").searchParams.get(name) ?? undefined;

const noPeer = /was not found in the Raft configuration/;

const routes: readonly Route<Clients>[] = [
  { method: "GET", path: /^\/v1\/agent\/self$/, call: ({ agent }) => agent.self() },
  {
    method: "GET",
    path: /^\/v1\/agent\/members$/,
    call: ({ cluster }) => cluster.members(),
  },
  { method: "PUT", path: /^\/v1\/agent\/reload$/, call: ({ agent }) => agent.reload() },
  { method: "PUT", path: /^\/v1\/agent\/join\/(.+)$/, call: ({ agent }, [to = ""]) => agent.join(to) },
  {
    method: "PUT",
    path: /^\/v1\/agent\/force-leave\/(.+)$/,
    call: ({ cluster }, [node = ""]) => cluster.forceLeave(node),
    settled: { text: /No node found with name/, value: false },
  },
  { method: "GET", path: /^\/v1\/catalog\/nodes$/, call: ({ cluster }) => cluster.nodes() },
  { method: "GET", path: /^\/v1\/catalog\/services$/, call: ({ cluster }) => cluster.services() },
  {
    method: "GET",
    path: /^\/v1\/health\/service\/(.+)$/,
    call: ({ cluster }, [name = ""]) => cluster.passingInstances(name),
  },
  {
    method: "GET",
    path: /^\/v1\/health\/node\/(.+)$/,
    call: ({ cluster }, [name = ""]) => cluster.nodeHealth(name),
  },
  { method: "GET", path: /^\/v1\/status\/leader$/, call: ({ cluster }) => cluster.leader() },
  {
    method: "GET",
    path: /^\/v1\/operator\/raft\/configuration$/,
    call: ({ cluster }) => cluster.raftConfiguration(),
  },
  {
    method: "GET",
    path: /^\/v1\/operator\/autopilot\/health$/,
    call: ({ cluster }) => cluster.autopilotHealth(),
  },
  {
    method: "DELETE",
    path: /^\/v1\/operator\/raft\/peer$/,
    call: ({ cluster }, _parts, recording) => cluster.removePeer(query(recording, "id") ?? ""),
    settled: { text: noPeer, value: false },
  },
  {
    method: "POST",
    path: /^\/v1\/operator\/raft\/transfer-leader$/,
    call: ({ cluster }) => cluster.transferLeader(),
    settled: { text: /^404/, value: "not supported" },
  },
  {
    method: "GET",
    path: /^\/v1\/kv\/(.+)$/,
    call: ({ kv }, [key = ""]) => kv.get(key),
    settled: { text: /^404/, value: undefined },
  },
  { method: "PUT", path: /^\/v1\/kv\/(.+)$/, call: ({ kv }, [key = ""]) => kv.put(key, "value") },
];

const recordings = readRecordings("consul");
/** Answered without rights: these have tests of their own. A leave asks who the agent is, first. */
const isSpecial = ({ request: { path }, response: { body } }: Recording): boolean =>
  path === "/v1/agent/leave" ||
  (Array.isArray(body) && body.length === 0 && /^\/v1\/(agent\/members|catalog\/nodes)/.test(path));

describe("What Consul answered when it was recorded", () => {
  replay(
    recordings.filter((recording) => !isSpecial(recording)),
    routes,
    (url) => new Clients(url),
  );

  test("an empty list of members or nodes is taken for what it is: rights that are missing", async () => {
    const server = await startServer((response, request) => {
      json(request.url === "/v1/status/leader" ? "10.0.0.1:8300" : [])(response, request);
    });
    const { cluster } = new Clients(server.url);
    const errors = [await rejection(cluster.members()), await rejection(cluster.nodes())];
    await server.close();

    expect(errors.every((error) => error instanceof HiddenByAclError)).toBe(true);
    expect(errors[0]?.message).toBe(
      `Consul shows this token less than there is: GET /v1/agent/members at ${server.url}; ` +
        'the token in CONSUL_HTTP_TOKEN needs node_prefix "" { policy = "read" }',
    );
  });

  test("a list that newer versions say is cut is taken for that, too", async () => {
    const server = await startServer(json([], 200, { "X-Consul-Results-Filtered-By-ACLs": "true" }));
    const error = await rejection(new Clients(server.url).cluster.nodeHealth("broker-0-0"));
    await server.close();

    expect(error).toBeInstanceOf(HiddenByAclError);
  });

  test("an agent without servers shows empty lists, which say nothing of the token", async () => {
    const server = await startServer((response, request) => {
      const reply =
        request.url === "/v1/status/leader" ? text("No known Consul servers", 500) : json([{ Allow: false }]);
      (request.url === "/v1/agent/members" ? json([]) : reply)(response, request);
    });
    const { cluster } = new Clients(server.url);
    const errors = [
      await rejection(cluster.members()),
      await rejection(cluster.authorizations([{ resource: "node", access: "read" }])),
    ];
    await server.close();

    expect(errors.map(({ message }) => message)).toEqual(
      ["GET /v1/agent/members", "POST /v1/internal/acl/authorize"].map(
        (asked) =>
          `Consul has no leader: ${asked} at ${server.url}; an agent that has found no leader knows no token; wait until it has`,
      ),
    );
    expect(errors.every((error) => error instanceof NoLeaderError)).toBe(true);
  });
});
