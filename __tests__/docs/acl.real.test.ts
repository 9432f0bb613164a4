import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readRepository, startConsul, type Answer, type ConsulAgent } from "../support/consul-agent.js";
import { describeReal } from "../support/environment.js";

const SERVICE = "any-service";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** What rollout asks of Consul: how the answer looks when the token may. An empty list is how a refusal looks, too. */
const CALLS: readonly (readonly [
  method: string,
  path: string,
  may: (answer: Answer) => boolean,
  body?: unknown,
])[] = [
  ["GET", "/v1/status/leader", ok],
  ["GET", "/v1/status/peers", ok],
  ["GET", "/v1/agent/self", ok],
  ["GET", "/v1/agent/members", notEmpty],
  ["GET", "/v1/catalog/nodes", notEmpty],
  [
    "GET",
    `/v1/health/state/any?filter=${encodeURIComponent('Node matches "^consul-server-0-[0-9]+$"')}`,
    shows,
  ],
  ["POST", "/v1/internal/acl/authorize", ok, [{ Resource: "node", Access: "read" }]],
  ["GET", "/v1/operator/autopilot/health", ok],
  ["GET", "/v1/operator/raft/configuration", ok],
  ["DELETE", `/v1/operator/raft/peer?id=${NOBODY}`, says("was not found in the Raft configuration")],
  ["PUT", "/v1/agent/force-leave/nobody", says("No node found with name 'nobody'")],
  ["PUT", "/v1/agent/reload", ok],
  ["PUT", "/v1/agent/join/127.0.0.1:1", says("connection refused")],
];

const REFUSED = [
  ["PUT", "/v1/kv/any"],
  ["PUT", "/v1/session/create"],
  ["GET", "/v1/acl/tokens"],
  ["PUT", "/v1/acl/policy", { Name: "more", Rules: 'acl = "write"' }],
  ["GET", "/v1/snapshot"],
  ["PUT", "/v1/agent/service/register", { Name: "any" }],
  ["PUT", "/v1/event/fire/any"],
] as const;

describeReal("The policy for Consul on a real agent that denies by default", ["consul"], () => {
  const management = randomUUID();
  const rules = { whole: "", blocks: [] as string[] };
  let server: ConsulAgent;
  let token: string;

  /** A token that has a policy of these rules and nothing else. */
  const tokenWith = async (text: string): Promise<string> => {
    const name = `p-${randomUUID()}`;
    const policy = await server.call("PUT", "/v1/acl/policy", management, { Name: name, Rules: text });
    expect(policy.status).toBe(200);
    const made = await server.call("PUT", "/v1/acl/token", management, { Policies: [{ Name: name }] });
    return textOf(made.body, "SecretID");
  };
  /** The calls whose answer is not what somebody gets who may. */
  const refusedOf = async (asked: string): Promise<string[]> => {
    const refused: string[] = [];
    for (const [method, path, may, body] of CALLS) {
      if (!may(await server.call(method, path, asked, body))) refused.push(`${method} ${path}`);
    }
    return refused;
  };

  beforeAll(async () => {
    rules.whole = await readRepository("docs/acl/consul-rollout.hcl");
    rules.blocks = rules.whole.split(/\n\n(?=#)/).filter((block) => /^[a-z]/m.test(block));
    server = await startConsul(
      { pool: "consul-server", name: "consul-server-0-0" },
      { acl: { tokens: { master: management, agent: management } } },
    );
    await server.until("/v1/health/service/consul", management, notEmpty);
    const check = { Name: SERVICE, Check: { TTL: "1h", Status: "passing" } };
    await server.call("PUT", "/v1/agent/service/register", management, check);
    await server.until("/v1/health/state/any", management, shows);
    await server.until("/v1/operator/autopilot/health", management, ok);
    token = await tokenWith(rules.whole);
  });

  afterAll(async () => {
    await server.stop();
  });

  test("allows every call that rollout makes", async () => {
    expect(await refusedOf(token)).toEqual([]);
  });

  test("refuses what it does not need: keys, sessions, tokens, snapshots, services", async () => {
    const answers = [];
    for (const [method, path, body] of REFUSED)
      answers.push([method, path, (await server.call(method, path, token, body)).status]);
    expect(answers).toEqual(REFUSED.map(([method, path]) => [method, path, 403]));
  });

  test("has no rule too many: without any one of them a call is refused", async () => {
    expect(rules.blocks).toHaveLength(4);
    const missed = [];
    for (const block of rules.blocks) {
      const fewer = await tokenWith(rules.whole.replace(block, ""));
      missed.push({
        without: /^\w+/m.exec(block.replaceAll(/^#.*\n/gm, ""))?.[0],
        refused: await refusedOf(fewer),
      });
    }
    expect(missed).toMatchInlineSnapshot(`
     [
       {
         "refused": [
           "GET /v1/operator/autopilot/health",
           "GET /v1/operator/raft/configuration",
           "DELETE /v1/operator/raft/peer?id=00000000-0000-0000-0000-000000000000",
           "PUT /v1/agent/force-leave/nobody",
         ],
         "without": "operator",
       },
       {
         "refused": [
           "GET /v1/agent/self",
           "PUT /v1/agent/reload",
           "PUT /v1/agent/join/127.0.0.1:1",
         ],
         "without": "agent_prefix",
       },
       {
         "refused": [
           "GET /v1/agent/members",
           "GET /v1/catalog/nodes",
           "GET /v1/health/state/any?filter=Node%20matches%20%22%5Econsul-server-0-%5B0-9%5D%2B%24%22",
         ],
         "without": "node_prefix",
       },
       {
         "refused": [
           "GET /v1/health/state/any?filter=Node%20matches%20%22%5Econsul-server-0-%5B0-9%5D%2B%24%22",
         ],
         "without": "service_prefix",
       },
     ]
    `);
  });

  test("has no rule too strong: read alone is refused where write is asked for", async () => {
    const missed: string[] = [];
    for (const block of rules.blocks.filter((each) => each.includes('"write"'))) {
      const weaker = await tokenWith(rules.whole.replace(block, block.replace('"write"', '"read"')));
      missed.push(...(await refusedOf(weaker)));
    }
    expect(missed).toMatchInlineSnapshot(`
     [
       "DELETE /v1/operator/raft/peer?id=00000000-0000-0000-0000-000000000000",
       "PUT /v1/agent/force-leave/nobody",
       "PUT /v1/agent/reload",
       "PUT /v1/agent/join/127.0.0.1:1",
     ]
    `);
  });

  test("without a token lists are empty, which is no answer", async () => {
    expect(await server.call("GET", "/v1/agent/members")).toEqual({ status: 200, body: [] });
  });

  test("a machine that has just been created has an agent that runs without servers and lets nobody make it join", async () => {
    const machine = { pool: "broker", name: "broker-0-0" };
    const client = await startConsul(machine, { acl: { tokens: { agent: management } } });
    const known = await client.call("GET", "/v1/status/peers");
    const joined = await client.call("PUT", `/v1/agent/join/${server.gossip}`, management);
    const runs = client.runs();
    await client.stop();
    // No server to look the token up at: so the image restarts such an agent when its list arrives.
    expect({ known, joined, runs }).toEqual({
      known: { status: 500, body: "No known Consul servers" },
      joined: { status: 403, body: "Permission denied" },
      runs: true,
    });
  });

  test("a Consul server that waits for the others has no peers and looks up no token", async () => {
    const alone = await startConsul(
      { pool: "consul-server", name: "consul-server-1-0" },
      { acl: { tokens: { agent: management } }, bootstrap_expect: 3 },
    );
    const peers = await alone.call("GET", "/v1/status/peers");
    const reloaded = await alone.call("PUT", "/v1/agent/reload", token);
    await alone.stop();
    expect({ peers, reloaded }).toEqual({
      peers: { status: 200, body: [] },
      reloaded: { status: 403, body: "ACL not found" },
    });
  });

  describe("a machine whose list of servers has arrived", () => {
    let client: ConsulAgent;

    beforeAll(async () => {
      client = await startConsul(
        { pool: "broker", name: "broker-0-1" },
        { acl: { tokens: { agent: management } } },
        [server.gossip],
      );
    });

    afterAll(async () => {
      await client.stop();
    });

    test("is in the catalog by its name, with the metadata of machine.env", async () => {
      const { body } = await server.until("/v1/catalog/node/broker-0-1", token, ({ body: node }) =>
        JSON.stringify(node).includes("rollout_"),
      );
      expect(body).toMatchObject({
        Node: {
          Node: "broker-0-1",
          Meta: {
            rollout_cluster: "demo",
            rollout_pool: "broker",
            rollout_group: "broker-0",
            rollout_host: "broker-0-1",
            rollout_image: "ami-0aaa",
            rollout_template_hash: "0123456789abcdef",
          },
        },
      });
    });

    test("may be made to reload, to join and to leave with the token, and stays away then", async () => {
      const answers = [];
      for (const path of ["reload", `join/${server.gossip}`, "leave"])
        answers.push((await client.call("PUT", `/v1/agent/${path}`, token)).status);
      expect(answers).toEqual([200, 200, 200]);
      await client.ended();
      expect(client.runs()).toBe(false);
    });
  });
});

test("Nomad's policy asks for no more than is written down", async () => {
  const text = await readRepository("docs/acl/nomad-rollout.hcl");
  const rules = [...text.matchAll(/^(\w+)(?: "(.*)")? \{\n {2}(\w+) = (.*)\n\}$/gm)].map((match) =>
    match.slice(1),
  );
  expect(rules).toEqual([
    ["node", undefined, "policy", '"write"'],
    ["operator", undefined, "policy", '"read"'],
    ["agent", undefined, "policy", '"read"'],
    ["namespace", "*", "capabilities", '["list-jobs", "read-job"]'],
  ]);
});

function ok({ status }: Answer): boolean {
  return status === 200;
}

function notEmpty({ status, body }: Answer): boolean {
  return status === 200 && Array.isArray(body) && body.length > 0;
}

/** The checks of the node and of its service: each is left out, silently, without a rule of its own. */
function shows({ body }: Answer): boolean {
  const text = JSON.stringify(body);
  return text.includes(SERVICE) && text.includes("serfHealth");
}

function says(text: string): (answer: Answer) => boolean {
  return ({ body }) => typeof body === "string" && body.includes(text);
}

function textOf(body: unknown, key: string): string {
  if (typeof body === "object" && body !== null && key in body) {
    const value: unknown = Reflect.get(body, key);
    if (typeof value === "string") return value;
  }
  throw new Error(`no ${key} in ${JSON.stringify(body)}`);
}
