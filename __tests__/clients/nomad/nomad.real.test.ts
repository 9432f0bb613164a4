import { afterEach, expect, test } from "@jest/globals";
import { Token } from "../../../clients/http/token.js";
import { NomadClient } from "../../../clients/nomad/nomad-client.js";
import { json, rejection, startServer, text, type LocalServer, type Reply } from "../http/local-server.js";

const id = "c1d11400-136d-9a18-b9c6-cfdd092e0e06";

let open: LocalServer[] = [];

afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

test("a drain's deadline is in nanoseconds, and never below zero", async () => {
  const server = await start(json({}));
  const nomad = clientAt(server);

  await nomad.drain(id, { deadline: 90.5 });
  await nomad.drain(id, { deadline: 0 });
  await nomad.cancelDrain(id, { markEligible: true });
  await nomad.setEligibility(id, "ineligible");

  expect(server.requests).toEqual([
    `PUT /v1/node/${id}/drain`,
    `PUT /v1/node/${id}/drain`,
    `PUT /v1/node/${id}/drain`,
    `PUT /v1/node/${id}/eligibility`,
  ]);
  expect(server.bodies.map((body): unknown => JSON.parse(body))).toEqual([
    {
      DrainSpec: { Deadline: 90_500_000_000, IgnoreSystemJobs: false },
      MarkEligible: false,
      Meta: {},
    },
    { DrainSpec: { Deadline: 0, IgnoreSystemJobs: false }, MarkEligible: false, Meta: {} },
    { DrainSpec: null, MarkEligible: true },
    { Eligibility: "ineligible" },
  ]);
  await expect(nomad.drain(id, { deadline: -1 })).rejects.toThrow("no deadline: -1");
  await expect(nomad.drain(id, { deadline: Number.NaN })).rejects.toThrow("no deadline: NaN");
});

test("allocations and jobs are asked for in all namespaces, one job in its own", async () => {
  const server = await start(json([]));
  const nomad = clientAt(server);

  await nomad.nodeAllocations(id);
  await nomad.jobs();
  await nomad.jobAllocations("a/b", "team");

  expect(server.requests).toEqual([
    `GET /v1/node/${id}/allocations?namespace=*`,
    "GET /v1/jobs?namespace=*",
    "GET /v1/job/a%2Fb/allocations?namespace=team",
  ]);
});

test("the environment names address, region and token", async () => {
  const server = await start(json([]));
  const nomad = await NomadClient.fromEnvironment({
    NOMAD_ADDR: server.url,
    NOMAD_REGION: "eu west",
    NOMAD_TOKEN: "secret",
  });

  await nomad.nodes();

  expect(server.requests).toEqual(["GET /v1/nodes?region=eu%20west"]);
  expect(server.headers[0]?.["x-nomad-token"]).toBe("secret");
});

test.each<[string, (nomad: NomadClient) => Promise<unknown>]>([
  ['node { policy = "read" }', (nomad) => nomad.nodes()],
  ['node { policy = "read" }', (nomad) => nomad.members()],
  [
    'node { policy = "read" } and namespace "*" { capabilities = ["read-job"] }',
    (nomad) => nomad.nodeAllocations(id),
  ],
  ['namespace "team" { capabilities = ["read-job"] }', (nomad) => nomad.job("web", "team")],
  ['namespace "*" { capabilities = ["list-jobs"] }', (nomad) => nomad.jobs()],
  ['namespace "*" { capabilities = ["read-job"] }', (nomad) => nomad.allocations()],
  ['node { policy = "write" }', (nomad) => nomad.setEligibility(id, "eligible")],
  ['node { policy = "write" }', (nomad) => nomad.drain(id, { deadline: 1 })],
  ['node { policy = "write" }', (nomad) => nomad.purge(id)],
  ['operator { policy = "read" }', (nomad) => nomad.autopilotHealth()],
  ["management rights (a token of type management)", (nomad) => nomad.raftConfiguration()],
  ["management rights (a token of type management)", (nomad) => nomad.removePeer(id)],
  ["management rights (a token of type management)", (nomad) => nomad.transferLeadership(id)],
  ["management rights (a token of type management)", (nomad) => nomad.systemGc()],
  ['agent { policy = "read" }', (nomad) => nomad.self()],
])("a token without %s is told that it needs it", async (permission, call) => {
  const server = await start(text("Permission denied", 403));

  const error = await rejection(call(clientAt(server, new Token("secret"))));

  expect(error.message.split("; ").at(-1)).toBe(`the token in NOMAD_TOKEN needs ${permission}`);
});

test("rights are read from the token, its policies, and those of its roles", async () => {
  const role = "11111111-2222-3333-4444-555555555555";
  const rules = {
    Namespaces: [{ Name: "*", Policy: "", Capabilities: ["read-job"] }],
    Node: { Policy: "write" },
  };
  const answers: Readonly<Record<string, unknown>> = {
    "/v1/acl/token/self": { ...token, Policies: ["work"], Roles: [{ ID: role, Name: "roller" }] },
    [`/v1/acl/role/${role}`]: { Policies: [{ Name: "watch" }] },
    "/v1/acl/policy/work": { Name: "work", RulesJSON: rules },
    "/v1/acl/policy/watch": { Name: "watch", RulesJSON: { Operator: { Policy: "read" } } },
  };
  const server = await start((response, request) => {
    json(answers[request.url ?? ""])(response, request);
  });

  expect(await clientAt(server).rights()).toEqual(["node:read", "node:write", "read-job", "operator:read"]);
});

test("rights that the servers do not tell are unknown", async () => {
  const server = await start((response, request) => {
    const reply =
      request.url === "/v1/acl/token/self"
        ? json({ ...token, Policies: ["work"] })
        : text("Permission denied", 403);
    reply(response, request);
  });

  expect(await clientAt(server).rights()).toBeUndefined();
});

test("a token that the cluster does not know is told so", async () => {
  const server = await start(
    text("failed to parse signed token: go-jose/go-jose: compact JWS format must have three parts", 500),
  );

  const error = await rejection(clientAt(server, new Token("secret")).tokenSelf());

  expect(error.message).toBe(
    `Nomad does not allow it: GET /v1/acl/token/self at ${server.url} ` +
      "(500 failed to parse signed token: go-jose/go-jose: compact JWS format must have three parts); " +
      "the cluster does not know this token: correct NOMAD_TOKEN",
  );
});

const token = { AccessorID: id, Name: "rollout", Type: "client", Policies: null, Roles: null };

async function start(replies: Reply | readonly Reply[]): Promise<LocalServer> {
  const server = await startServer(replies);
  open.push(server);
  return server;
}

const clientAt = ({ url }: LocalServer, secret?: Token): NomadClient =>
  new NomadClient({ endpoints: [{ url }], access: secret === undefined ? {} : { token: secret } });
