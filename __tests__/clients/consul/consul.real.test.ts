import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { ConsulAgent } from "../../../clients/consul/consul-agent.js";
import { ConsulClient } from "../../../clients/consul/consul-client.js";
import { ConsulKv } from "../../../clients/consul/consul-kv.js";
import type { HttpOptions } from "../../../clients/http/http-client.js";
import {
  half,
  json,
  rejection,
  reset,
  startServer,
  text,
  type LocalServer,
  type Reply,
} from "../http/local-server.js";

const self = {
  Config: { NodeName: "broker-0-0", NodeID: "1", Server: false, Version: "1.8.7", Datacenter: "dc1" },
};
const quick: HttpOptions = { sleep: () => Promise.resolve() };
const never = new AbortController().signal;

let open: LocalServer[] = [];

afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

test("a leave has 30 seconds, and is asked of who is meant", async () => {
  const server = await start([json(self), text("", 200)]);
  const asked: number[] = [];
  const deadline = (seconds: number) => {
    asked.push(seconds);
    return never;
  };

  await new ConsulAgent({ url: server.url }, {}, { ...quick, deadline }).leave("broker-0-0");

  expect(server.requests).toEqual(["GET /v1/agent/self", "PUT /v1/agent/leave"]);
  expect(asked).toEqual([15, 30]);
});

test("refuses to let the agent of another machine leave, before it is asked to", async () => {
  const server = await start(json(self));

  const error = await rejection(new ConsulAgent({ url: server.url }).leave("broker-1-0"));

  expect(error.message).toBe(
    `the agent of another machine: expected broker-1-0 at ${server.url}, found broker-0-0; nothing was done; correct the address of broker-1-0`,
  );
  expect(server.requests).toEqual(["GET /v1/agent/self"]);
});

test("a leave whose answer was lost is not asked for again", async () => {
  const server = await start([json(self), reset, text("", 200)]);

  const error = await rejection(new ConsulAgent({ url: server.url }, {}, quick).leave("broker-0-0"));

  expect(error).toMatchObject({ name: "UnreachableError", wasSent: true });
  expect(server.requests.length).toBe(2);
});

test("a write whose answer was lost is sent again", async () => {
  const server = await start([reset, json(true)]);

  expect(await kvAt(server).put("a", "b")).toBe(true);
  expect(server.requests.length).toBe(2);
});

test("keys are encoded part by part", async () => {
  const server = await start(json(true));

  await kvAt(server).put("rollout/a b/ü?#", "value");

  expect(server.requests).toEqual(["PUT /v1/kv/rollout/a%20b/%C3%BC%3F%23"]);
});

test("force-leave never prunes", async () => {
  const server = await start(text("", 200));

  expect(await clientAt(server).forceLeave("broker-0-0")).toBe(true);
  expect(server.requests).toEqual(["PUT /v1/agent/force-leave/broker-0-0"]);
});

test("a snapshot that ends half-way leaves the old file as it was, and nothing beside it", async () => {
  const server = await start([text("whole", 200), half]);
  const folder = await mkdtemp(join(tmpdir(), "rollout-snapshot-"));
  const file = join(folder, "consul.snap");
  const client = clientAt(server, { attempts: 1 });

  await client.saveSnapshot(file);
  const error = await rejection(client.saveSnapshot(file));

  expect(error).toMatchObject({ name: "UnreachableError" });
  expect(await readFile(file, "utf8")).toBe("whole");
  expect(await readdir(folder)).toEqual(["consul.snap"]);
  await rm(folder, { recursive: true });
});

test("refuses a snapshot for a folder that is not there, in words, before it is asked for", async () => {
  const server = await start(text("whole", 200));

  const error = await rejection(clientAt(server).saveSnapshot("/no/such/folder/consul.snap"));

  expect(error.message).toBe(
    "the snapshot cannot be written: /no/such/folder/consul.snap (ENOENT); name a file in a folder that is there and has space",
  );
  expect(server.requests).toEqual([]);
});

test("a snapshot that was cut off is asked for again, and holds nothing of the first", async () => {
  const server = await start([half, text("whole", 200)]);
  const folder = await mkdtemp(join(tmpdir(), "rollout-snapshot-"));
  const file = join(folder, "consul.snap");

  await clientAt(server).saveSnapshot(file);

  expect(await readFile(file, "utf8")).toBe("whole");
  await rm(folder, { recursive: true });
});

test("where ACLs are off there is no token to ask about", async () => {
  const server = await start(text("ACL support disabled", 401));

  expect(await clientAt(server).tokenSelf()).toBeUndefined();
});

test("the environment names addresses and the token", async () => {
  const server = await start(json("10.0.0.1:8300"));
  const env = { CONSUL_HTTP_ADDR: server.url, CONSUL_HTTP_TOKEN: "secret" };
  const client = await ConsulClient.fromEnvironment(env);

  expect(await client.leader()).toBe("10.0.0.1:8300");
  expect(server.headers[0]?.["x-consul-token"]).toBe("secret");
});

test("another address takes the place of the environment's, and the token stays", async () => {
  const server = await start(json(self));
  const env = { CONSUL_HTTP_ADDR: "http://127.0.0.1:1", CONSUL_HTTP_TOKEN: "secret" };

  await (await ConsulAgent.at({ url: server.url }, env)).self();

  expect(server.headers[0]?.["x-consul-token"]).toBe("secret");
});

test.each<[string, (server: LocalServer) => Promise<unknown>]>([
  ['agent_prefix "" { policy = "read" }', (server) => agentAt(server).self()],
  ['agent_prefix "" { policy = "write" }', (server) => agentAt(server).reload()],
  ['agent_prefix "" { policy = "write" }', (server) => agentAt(server).join("10.0.0.1")],
  ['node_prefix "" { policy = "read" }', (server) => clientAt(server).members()],
  ['node_prefix "" { policy = "read" }', (server) => clientAt(server).nodes()],
  ['service_prefix "" { policy = "read" }', (server) => clientAt(server).passingInstances("a")],
  ['operator = "read"', (server) => clientAt(server).raftConfiguration()],
  ['operator = "read"', (server) => clientAt(server).autopilotHealth()],
  ['operator = "write"', (server) => clientAt(server).removePeer("a")],
  ['operator = "write"', (server) => clientAt(server).forceLeave("a")],
  [
    'acl = "write" (a management token)',
    (server) => clientAt(server).saveSnapshot(join(tmpdir(), "never.snap")),
  ],
  ['key "a/b" { policy = "write" }', (server) => kvAt(server).put("a/b", "")],
  ['key "a/b" { policy = "read" }', (server) => kvAt(server).get("a/b")],
])("a token without %s is told that it needs it", async (permission, call) => {
  const server = await start(text("Permission denied", 403));

  const error = await rejection(call(server));

  expect(error.message.split("; ").at(-1)).toBe(
    `CONSUL_HTTP_TOKEN is not set: set it to a token that has ${permission}`,
  );
});

async function start(replies: Reply | readonly Reply[]): Promise<LocalServer> {
  const server = await startServer(replies);
  open.push(server);
  return server;
}

const settingsOf = ({ url }: LocalServer) => ({ endpoints: [{ url }], access: {} }) as const;
const kvAt = (server: LocalServer) => new ConsulKv(settingsOf(server), quick);
const agentAt = ({ url }: LocalServer) => new ConsulAgent({ url }, {}, quick);
const clientAt = (server: LocalServer, options: HttpOptions = {}) =>
  new ConsulClient(settingsOf(server), { ...quick, ...options });
