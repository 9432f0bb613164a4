import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { consulRights } from "../../live/observe/consul-rights.js";
import { ConsulClient, type Authorization } from "../../clients/consul/consul-client.js";
import { PermissionError } from "../../clients/http/errors.js";
import { CONSUL_RIGHTS } from "../../rollout/observation/observation.js";
import { rejection } from "../clients/http/local-server.js";
import { startConsul, type ConsulAgent } from "../support/consul-agent.js";
import { describeReal } from "../support/environment.js";

describeReal("What is relied on of tokens, against a real Consul that denies by default", ["consul"], () => {
  const management = randomUUID();
  let server: ConsulAgent;

  const clientWith = (token?: string): Promise<ConsulClient> =>
    ConsulClient.fromEnvironment({
      CONSUL_HTTP_ADDR: server.url,
      ...(token === undefined ? {} : { CONSUL_HTTP_TOKEN: token }),
    });
  const clientOf = async (rules: string): Promise<ConsulClient> => {
    const [name, secret] = [`p-${randomUUID()}`, randomUUID()];
    await server.call("PUT", "/v1/acl/policy", management, { Name: name, Rules: rules });
    await server.call("PUT", "/v1/acl/token", management, { SecretID: secret, Policies: [{ Name: name }] });
    return clientWith(secret);
  };
  const leave = (segment: string): Authorization => ({ resource: "agent", access: "write", segment });

  beforeAll(async () => {
    server = await startConsul(
      { pool: "consul-server", name: "consul-server-0-0" },
      { acl: { tokens: { master: management, agent: management } } },
    );
    await server.until("/v1/acl/token/self", management, ({ status }) => status === 200);
  });
  afterAll(async () => {
    await server.stop();
  });

  test("a management token may do all, and is told by its policy", async () => {
    const consul = await clientWith(management);
    expect(await consulRights(consul, ["broker-0-0"])).toEqual(CONSUL_RIGHTS);
    expect((await consul.tokenSelf())?.Policies).toEqual([{ ID: "00000000-0000-0000-0000-000000000001" }]);
  });

  test("each answer is for its own question, by name, and nothing is done", async () => {
    const consul = await clientOf(
      'agent "broker-0-1" { policy = "write" } node_prefix "" { policy = "read" }',
    );
    expect(
      await consul.authorizations([
        leave("broker-0-0"),
        leave("broker-0-1"),
        { resource: "node", access: "read" },
        { resource: "node", access: "write" },
      ]),
    ).toEqual([false, true, true, false]);
    expect(await consulRights(consul, ["broker-0-1"])).toEqual(["node:read", "agent:write"]);
    expect(await consulRights(consul, ["broker-0-0", "broker-0-1"])).toEqual(["node:read"]);
  });

  test("a rule for some names is not one for all", async () => {
    const consul = await clientOf('node_prefix "broker" { policy = "read" }');
    expect(await consul.authorizations([{ resource: "node", access: "read" }])).toEqual([false]);
  });

  test("more questions than Consul takes at once are all answered, in their order", async () => {
    const consul = await clientOf('agent "broker-0-100" { policy = "write" }');
    const answers = await consul.authorizations(
      Array.from({ length: 130 }, (_, host) => leave(`broker-0-${String(host)}`)),
    );
    if (typeof answers === "string") throw new Error(answers);
    expect(answers).toHaveLength(130);
    expect(answers.indexOf(true)).toBe(100);
    expect(answers.lastIndexOf(true)).toBe(100);
    // The reason why they are asked in parts.
    const body = Array.from({ length: 65 }, () => ({ Resource: "node", Access: "read" }));
    expect(await server.call("POST", "/v1/internal/acl/authorize", management, body)).toEqual({
      status: 400,
      body: "Bad request: Refusing to process more than 64 authorizations at once",
    });
  });

  test("refuses a token that it does not know, and answers one that is none", async () => {
    const unknown = await rejection((await clientWith(randomUUID())).authorizations([leave("broker-0-0")]));
    expect(unknown).toBeInstanceOf(PermissionError);
    expect(unknown).toMatchObject({ status: 403, text: "ACL not found" });
    expect(await (await clientWith()).authorizations([leave("broker-0-0")])).toEqual([false]);
  });
});
