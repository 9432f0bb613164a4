import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { Token } from "../../../clients/http/token.js";
import { NOMAD } from "../../../clients/http/service.js";
import {
  clientOf,
  deadUrl,
  half,
  json,
  rejection,
  reset,
  silence,
  startServer,
  text,
} from "./local-server.js";
import type { LocalServer, Reply } from "./local-server.js";

const secret = "0c0ffee0-1111-2222-3333-444455556666";
const access = { token: new Token(secret) };

test("the token is sent in its header, and nowhere else", async () => {
  const server = await startServer(json({}));

  await clientOf([server.url], { access, service: NOMAD }).client.tell({ path: "/v1/nodes" });
  await server.close();

  expect(server.headers[0]?.["x-nomad-token"]).toBe(secret);
  expect(server.requests).toEqual(["GET /v1/nodes"]);
});

const aborted = AbortSignal.abort();

describe.each<[string, Reply]>([
  ["a reset", reset],
  ["half an answer", half],
  ["an error that repeats the token", text(`ACL not found: ${secret}`, 500)],
  ["a 403 that repeats the token", text(`token ${secret} lacks permission`, 403)],
  [
    "a redirect that repeats the token",
    (response) => response.writeHead(302, { location: `http://127.0.0.1/${secret}` }).end(),
  ],
  ["JSON that repeats the token", json({ [secret]: secret, ok: secret })],
  ["no JSON that repeats the token", text(secret, 200)],
  ["an answer without end", (response) => response.write(secret.repeat(100))],
])("Whatever is thrown after %s", (_name, reply) => {
  let server: LocalServer;

  beforeAll(async () => {
    server = await startServer(reply);
  });

  afterAll(async () => {
    await server.close();
  });

  test.each(["GET", "PUT"] as const)("holds no token (%s)", async (method) => {
    const { client } = clientOf([server.url], { access, limit: 1000 });
    const error = await rejection(client.call({ method, path: "/v1/thing" }, z.object({ ok: z.boolean() })));

    expect(everythingOf(error)).not.toContain(secret);
    expect(everythingOf(client)).not.toContain(secret);
  });
});

test("what is thrown when nobody listens, or an answer is late, holds no token", async () => {
  const server = await startServer(silence);
  const errors = [
    await rejection(clientOf([await deadUrl()], { access }).client.tell({ path: "/v1/thing" })),
    await rejection(
      clientOf([server.url], { access, deadline: () => aborted }).client.tell({ path: "/v1/thing" }),
    ),
    await rejection(clientOf(["http://no-such-host.invalid"], { access }).client.tell({ path: "/v1/thing" })),
  ];
  await server.close();

  for (const error of errors) expect(everythingOf(error)).not.toContain(secret);
});

function everythingOf(value: unknown): string {
  return [inspect(value, { depth: 20, showHidden: true, maxStringLength: null }), JSON.stringify(value)].join(
    "\n",
  );
}
