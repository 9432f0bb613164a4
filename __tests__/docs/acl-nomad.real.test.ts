import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { NOMAD_RIGHTS } from "../../rollout/observation/observation.js";
import { rejection } from "../clients/http/local-server.js";
import { readRepository } from "../support/consul-agent.js";
import { describeReal } from "../support/environment.js";
import { NomadAgent, type Answer } from "../support/nomad-agent.js";

const NOBODY = "00000000-0000-0000-0000-000000000000";

/** What rollout asks of Nomad, and how the answer looks when the token may. An empty list is how a refusal looks, too. */
type Asked = readonly [method: string, path: string, may: (answer: Answer) => boolean, body?: unknown];

const TASK = { Name: "web", Driver: "raw_exec", Config: { command: "/bin/sleep", args: ["600"] } };

const JOB = {
  ID: "web",
  Name: "web",
  Namespace: "team",
  Datacenters: ["*"],
  TaskGroups: [{ Name: "web", Tasks: [TASK] }],
};

const callsOn = (node: string): readonly Asked[] => [
  ["GET", "/v1/status/leader", ok],
  ["GET", "/v1/acl/token/self", ok],
  ["GET", "/v1/agent/self", ok],
  ["GET", "/v1/agent/members", ok],
  ["GET", "/v1/nodes?resources=true", notEmpty],
  ["GET", `/v1/node/${node}`, ok],
  ["PUT", `/v1/node/${node}/eligibility`, ok, { Eligibility: "eligible" }],
  ["PUT", `/v1/node/${node}/drain`, ok, { DrainSpec: null, MarkEligible: true }],
  ["PUT", `/v1/node/${NOBODY}/purge`, says("node not found")],
  ["GET", "/v1/operator/autopilot/health", ok],
  ["GET", "/v1/jobs?namespace=*", notEmpty],
  ["GET", "/v1/job/web?namespace=team", ok],
  ["GET", "/v1/allocations?namespace=*&task_states=false&resources=true", notEmpty],
];

const FOR_MANAGEMENT: readonly Asked[] = [
  ["GET", "/v1/operator/raft/configuration", ok],
  ["DELETE", `/v1/operator/raft/peer?id=${NOBODY}`, says("was not found in the Raft configuration")],
  [
    "PUT",
    `/v1/operator/raft/transfer-leadership?id=${NOBODY}`,
    says("was not found in the Raft configuration"),
  ],
  ["PUT", "/v1/system/gc", ok],
];

const REFUSED = [
  ["PUT", "/v1/jobs", { Job: { ...JOB, ID: "other" } }],
  ["DELETE", "/v1/job/web?namespace=team"],
  ["GET", "/v1/acl/tokens"],
  ["PUT", "/v1/acl/policy/more", { Name: "more", Rules: 'namespace "*" { policy = "write" }' }],
  ["PUT", "/v1/operator/autopilot/configuration", { CleanupDeadServers: false }],
  ["PUT", "/v1/namespace/other", { Name: "other" }],
  ["GET", "/v1/var/any?namespace=team"],
  ["PUT", "/v1/agent/force-leave?node=nobody"],
] as const;

describeReal("The policy for Nomad on a real agent with ACLs", ["nomad"], ({ nomad: binary }) => {
  let rules = { whole: "", blocks: [] as string[] };
  let agent: NomadAgent;
  let calls: readonly Asked[] = [];
  let token: string;

  /** A token that has a policy of these rules and nothing else. */
  const tokenWith = async (text: string): Promise<string> => {
    const name = `p-${randomUUID()}`;
    const { management } = agent;
    const policy = await agent.call("PUT", `/v1/acl/policy/${name}`, management, { Name: name, Rules: text });
    expect(policy.status).toBe(200);
    const body = { Name: name, Type: "client", Policies: [name] };
    const made = await agent.call("PUT", "/v1/acl/token", management, body);
    return z.object({ SecretID: z.string() }).parse(made.body).SecretID;
  };
  /** The calls whose answer is not what somebody gets who may. */
  const refusedOf = async (asked: string, of = calls): Promise<string[]> => {
    const refused: string[] = [];
    for (const [method, path, may, body] of of) {
      if (!may(await agent.call(method, path, asked, body)))
        refused.push(`${method} ${path.replace(/[0-9a-f-]{36}/, "ID")}`);
    }
    return refused;
  };
  const clientWith = (secret: string): Promise<NomadClient> =>
    NomadClient.fromEnvironment({ NOMAD_ADDR: agent.url, NOMAD_TOKEN: secret });

  beforeAll(async () => {
    const whole = await readRepository("docs/acl/nomad-rollout.hcl");
    rules = { whole, blocks: whole.split(/\n\n(?=#)/).filter((block) => /^[a-z]/m.test(block)) };
    agent = await NomadAgent.begin(binary);
    const { management } = agent;
    const nodes = await agent.until("GET", "/v1/nodes", management, (answer) =>
      JSON.stringify(answer.body).includes('"ready"'),
    );
    const [node] = z.array(z.object({ ID: z.string() })).parse(nodes.body);
    calls = callsOn(node?.ID ?? "");
    await agent.call("PUT", "/v1/namespace/team", management, { Name: "team" });
    await agent.call("PUT", "/v1/jobs", management, { Job: JOB });
    await agent.until("GET", "/v1/allocations?namespace=*", management, notEmpty);
    token = await tokenWith(whole);
  });

  afterAll(async () => {
    await agent.close();
  });

  test("allows every call that rollout makes, and says so when it is asked for its rights", async () => {
    expect(await refusedOf(token)).toEqual([]);
    const client = await clientWith(token);
    expect(await client.rights()).toEqual(NOMAD_RIGHTS.filter((right) => right !== "management"));
    await client.close();
  });

  test("refuses what it does not need: jobs, tokens, policies, variables, settings of servers", async () => {
    const answers = [];
    for (const [method, path, body] of REFUSED)
      answers.push([method, path, (await agent.call(method, path, token, body)).status]);
    expect(answers).toEqual(REFUSED.map(([method, path]) => [method, path, 403]));
  });

  test("has no rule and no capability too many: without any one of them a call is refused", async () => {
    const fewer = [
      ...rules.blocks.map((block) => rules.whole.replace(block, "")),
      rules.whole.replace('"list-jobs", ', ""),
      rules.whole.replace(', "read-job"', ""),
    ];
    expect(new Set(fewer).size).toBe(6);
    const missed = [];
    for (const text of fewer) {
      const secret = await tokenWith(text);
      const client = await clientWith(secret);
      const rights = await client.rights();
      await client.close();
      missed.push({
        lacks: NOMAD_RIGHTS.filter((right) => right !== "management" && !rights?.includes(right)),
        refused: await refusedOf(secret),
      });
    }
    expect(missed).toMatchInlineSnapshot(`
     [
       {
         "lacks": [
           "node:read",
           "node:write",
         ],
         "refused": [
           "GET /v1/agent/members",
           "GET /v1/nodes?resources=true",
           "GET /v1/node/ID",
           "PUT /v1/node/ID/eligibility",
           "PUT /v1/node/ID/drain",
           "PUT /v1/node/ID/purge",
         ],
       },
       {
         "lacks": [
           "operator:read",
         ],
         "refused": [
           "GET /v1/operator/autopilot/health",
         ],
       },
       {
         "lacks": [
           "agent:read",
         ],
         "refused": [
           "GET /v1/agent/self",
         ],
       },
       {
         "lacks": [
           "list-jobs",
           "read-job",
         ],
         "refused": [
           "GET /v1/jobs?namespace=*",
           "GET /v1/job/web?namespace=team",
           "GET /v1/allocations?namespace=*&task_states=false&resources=true",
         ],
       },
       {
         "lacks": [
           "list-jobs",
         ],
         "refused": [
           "GET /v1/jobs?namespace=*",
         ],
       },
       {
         "lacks": [
           "read-job",
         ],
         "refused": [
           "GET /v1/job/web?namespace=team",
           "GET /v1/allocations?namespace=*&task_states=false&resources=true",
         ],
       },
     ]
    `);
  });

  test("has no rule too strong: read alone is refused where write is asked for", async () => {
    const weaker = await tokenWith(rules.whole.replace('"write"', '"read"'));
    expect(await refusedOf(weaker)).toMatchInlineSnapshot(`
     [
       "PUT /v1/node/ID/eligibility",
       "PUT /v1/node/ID/drain",
       "PUT /v1/node/ID/purge",
     ]
    `);
  });

  test("what is said to be a management token's is refused to every policy, and allowed to it", async () => {
    const rule = (name: string): string => `${name} { policy = "write" }\n`;
    const strongest = await tokenWith(["node", "operator", "agent", 'namespace "*"'].map(rule).join(""));
    expect(await refusedOf(strongest)).toEqual([]);
    expect(await refusedOf(strongest, FOR_MANAGEMENT)).toHaveLength(FOR_MANAGEMENT.length);
    expect(await refusedOf(agent.management, FOR_MANAGEMENT)).toEqual([]);
  });

  test("a server that waits for the others refuses every token, and nothing is said of yours", async () => {
    const alone = await NomadAgent.begin(binary, 3);
    const refused = await alone.until("GET", "/v1/agent/self", agent.management, ({ status }) => status > 0);
    const client = await NomadClient.fromEnvironment({
      NOMAD_ADDR: alone.url,
      NOMAD_TOKEN: agent.management,
    });
    const error = await rejection(client.self());
    await client.close();
    const { url } = alone;
    await alone.close();
    expect(refused).toEqual({ status: 403, body: "Permission denied" });
    expect(error.message).toBe(
      `Nomad has no leader: GET /v1/agent/self at ${url} (403 Permission denied); ` +
        "an agent that has found no leader knows no token; wait until it has",
    );
  });
});

function ok({ status }: Answer): boolean {
  return status === 200;
}

function notEmpty({ status, body }: Answer): boolean {
  return status === 200 && Array.isArray(body) && body.length > 0;
}

function says(text: string): (answer: Answer) => boolean {
  return ({ body }) => typeof body === "string" && body.includes(text);
}
