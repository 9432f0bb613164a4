import { afterEach, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import {
  AnswerError,
  MalformedAnswerError,
  NoLeaderError,
  PermissionError,
  RefusedAnswerError,
  UnreachableError,
} from "../../../clients/http/errors.js";
import { HttpClient } from "../../../clients/http/http-client.js";
import { CONSUL } from "../../../clients/http/service.js";
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

const shape = z.object({ ok: z.boolean() });
const yes = json({ ok: true, unknown: { fields: "are allowed" } });
const read = { path: "/v1/thing" } as const;
const write = { method: "PUT", path: "/v1/thing", body: { a: 1 } } as const;

let open: LocalServer[] = [];

afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

test("an answer is read, checked, and stripped of what is not asked for", async () => {
  const server = await start(yes);
  const { client } = clientOf([server.url]);

  expect(await client.call(read, shape)).toMatchObject({ status: 200, body: { ok: true } });
  expect((await client.call(read, shape)).body).toEqual({ ok: true });
  expect(server.requests).toEqual(["GET /v1/thing", "GET /v1/thing"]);
});

test("a query is encoded, and what is undefined is left out", async () => {
  const server = await start(yes);

  await clientOf([server.url]).client.tell({
    path: "/v1/thing",
    query: { passing: true, name: "a b&c", none: undefined, n: 0 },
  });

  expect(server.requests).toEqual(["GET /v1/thing?passing&name=a%20b%26c&n=0"]);
});

test("a path in front of the API is kept", async () => {
  const server = await start(yes);

  await clientOf([`${server.url}/consul`]).client.tell(read);

  expect(server.requests).toEqual(["GET /consul/v1/thing"]);
});

test("bodies are JSON, or text as it stands", async () => {
  const server = await start(yes);
  const { client } = clientOf([server.url]);

  await client.tell(write);
  await client.tell({ ...write, body: "a value" });

  expect(server.bodies).toEqual(['{"a":1}', "a value"]);
});

test("an address that is dead is passed over, for writes too, and the one that answered is asked first from then on", async () => {
  const server = await start(yes);
  const { client, waits } = clientOf([await deadUrl(), server.url]);

  await client.tell(write);
  await client.tell(write);

  expect(server.requests).toEqual(["PUT /v1/thing", "PUT /v1/thing"]);
  expect(waits).toEqual([]);
});

test.each<[string, Reply]>([
  ["a reset", reset],
  ["half an answer", half],
  ["No cluster leader", text("No cluster leader", 500)],
  ["503", text("", 503)],
])("a read goes on to the next address after %s", async (_name, reply) => {
  const [first, second] = [await start(reply), await start(yes)];

  const answer = await clientOf([first.url, second.url]).client.call(read, shape);

  expect(answer.body).toEqual({ ok: true });
  expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
});

test.each<[string, Reply]>([
  ["a reset", reset],
  ["half an answer", half],
  ["No cluster leader", text("No cluster leader", 500)],
])("a write that must not be done twice is not sent again after %s", async (_name, reply) => {
  const [first, second] = [await start(reply), await start(yes)];

  await rejection(clientOf([first.url, second.url]).client.tell(write));

  expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
});

test("a write that says so is sent again, and the waits grow", async () => {
  const server = await start([reset, reset, yes]);
  const { client, waits } = clientOf([server.url]);

  await client.tell({ ...write, repeatable: true });

  expect(server.requests.length).toBe(3);
  expect(waits).toEqual([188, 375]);
});

test("a 429 of a rate limit is waited out, for writes too", async () => {
  const server = await start([text("Too many requests", 429), yes]);
  const { client, waits } = clientOf([server.url]);

  await client.tell(write);

  expect(server.requests.length).toBe(2);
  expect(waits).toEqual([188]);
});

test("a 429 with JSON is the answer where that is how the API says no", async () => {
  const server = await start(json({ ok: false }, 429, { "content-type": "text/plain" }));

  const answer = await clientOf([server.url]).client.call({ ...read, accepted: [429] }, shape);

  expect(answer).toMatchObject({ status: 429, body: { ok: false } });
});

test("a 429 with a sentence is none", async () => {
  const server = await start([text("Too many requests", 429), json({ ok: true }, 429)]);

  const answer = await clientOf([server.url]).client.call({ ...read, accepted: [429] }, shape);

  expect(answer.body).toEqual({ ok: true });
  expect(server.requests.length).toBe(2);
});

test("gives up after three tries, and names every address and why", async () => {
  const [first, second] = [await deadUrl(), await start(reset)];

  const error = await rejection(clientOf([first, second.url]).client.tell(read));

  expect(error).toBeInstanceOf(UnreachableError);
  expect(error.message).toBe(
    `Consul did not answer: GET /v1/thing at ${first} (connection refused), ${second.url} (${endedEarly(error)}); ` +
      "see that the agent runs, and check CONSUL_HTTP_ADDR",
  );
});

test("says of a write whose answer was lost that it may have been done", async () => {
  const server = await start(half);

  const error = await rejection(clientOf([server.url]).client.tell({ ...write, path: "/v1/agent/leave" }));

  expect(error).toMatchObject({ wasSent: true });
  expect(error.message).toContain("; it may have been done all the same; see that the agent runs");
});

test("says of a write that was never sent nothing of the kind", async () => {
  const url = await deadUrl();

  const error = await rejection(clientOf([url]).client.tell(write));

  expect(error).toMatchObject({ wasSent: false });
  expect(error.message).toBe(
    `Consul did not answer: PUT /v1/thing at ${url} (connection refused); see that the agent runs, and check CONSUL_HTTP_ADDR`,
  );
});

test("an answer that says no tells more than an address that is dead", async () => {
  const server = await start(text("rpc error making call: No cluster leader", 500));
  const url = await deadUrl();

  const error = await rejection(clientOf([server.url, url]).client.tell(read));

  expect(error).toBeInstanceOf(NoLeaderError);
  expect(error.message).toBe(
    `Consul has no leader: GET /v1/thing at ${server.url} (500 rpc error making call: No cluster leader); ` +
      "wait for an election, or bring the missing servers back",
  );
});

test("an answer that does not come in time ends the try, and the next address is asked", async () => {
  const late = new AbortController();
  const [first, second] = [
    await start(() => {
      late.abort();
    }),
    await start(yes),
  ];
  const never = new AbortController().signal;
  const deadlines = [late.signal, never];
  const asked: number[] = [];
  const deadline = (seconds: number) => {
    asked.push(seconds);
    return deadlines.shift() ?? never;
  };

  const { client } = clientOf([first.url, second.url], { deadline });
  await client.tell({ ...read, timeout: 30 });

  expect(asked).toEqual([30, 30]);
  expect(second.requests.length).toBe(1);
});

test("says how long it waited for an answer", async () => {
  const late = new AbortController();
  const server = await start(() => {
    late.abort();
  });

  const error = await rejection(clientOf([server.url], { deadline: () => late.signal }).client.tell(write));

  expect(error.message).toBe(
    `Consul did not answer: PUT /v1/thing at ${server.url} (no answer within 15 s); it may have been done all the same; ` +
      "see that the agent runs, and check CONSUL_HTTP_ADDR",
  );
});

test("the caller's own signal ends it with the caller's own reason, and nothing is tried again", async () => {
  const stop = new AbortController();
  const reason = new Error("interrupted");
  const server = await start((...call) => {
    silence(...call);
    stop.abort(reason);
  });

  const error = await rejection(clientOf([server.url]).client.tell({ ...read, signal: stop.signal }));

  expect(error).toBe(reason);
  expect(server.requests.length).toBe(1);
});

test("a signal that was given before sends nothing", async () => {
  const server = await start(yes);
  const reason = new Error("interrupted");

  const error = await rejection(
    clientOf([server.url]).client.tell({ ...read, signal: AbortSignal.abort(reason) }),
  );

  expect(error).toBe(reason);
  expect(server.requests).toEqual([]);
});

test("a wait between two tries ends with the caller's reason, too", async () => {
  const stop = new AbortController();
  const reason = new Error("interrupted");
  const server = await start((response) => {
    response.writeHead(503).end(() => {
      stop.abort(reason);
    });
  });
  const client = new HttpClient(CONSUL, { endpoints: [{ url: server.url }], access: {} });

  expect(await rejection(client.tell({ ...read, signal: stop.signal }))).toBe(reason);
  expect(server.requests.length).toBe(1);
});

test("refuses a redirect, and the token does not follow it", async () => {
  const target = await start(yes);
  const server = await start((response) => {
    response.writeHead(307, { location: `${target.url}/v1/thing?token=stolen` }).end();
  });

  const error = await rejection(clientOf([server.url]).client.tell(read));

  expect(error).toBeInstanceOf(RefusedAnswerError);
  expect(error.message).toBe(
    `Consul's answer is refused: GET /v1/thing at ${server.url}: a redirect (307) to ${target.url}/v1/thing is not followed`,
  );
  expect(target.requests).toEqual([]);
});

test("refuses an answer over the limit while it is read, without waiting for its end", async () => {
  const server = await start((response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(`"${"x".repeat(2000)}`);
  });

  const error = await rejection(clientOf([server.url], { limit: 1000 }).client.tell(read));

  expect(error).toBeInstanceOf(RefusedAnswerError);
  expect(error.message).toBe(
    `Consul's answer is refused: GET /v1/thing at ${server.url}: it is longer than 1000 bytes`,
  );
  expect(server.requests.length).toBe(1);
});

test("an answer of exactly the limit is read", async () => {
  const content = JSON.stringify("x".repeat(998));
  const server = await start((response) => {
    response.end(content);
  });

  const answer = await clientOf([server.url], { limit: 1000 }).client.call(read, z.string());

  expect(answer.body.length).toBe(998);
});

test("refuses an answer of another shape, naming where it differs and no value of it", async () => {
  const server = await start(json([{ ok: "secret" }, { ok: true }, {}]));

  const error = await rejection(clientOf([server.url]).client.call(read, z.array(shape)));

  expect(error).toBeInstanceOf(MalformedAnswerError);
  expect(error.message).toBe(
    `Consul's answer cannot be understood: GET /v1/thing at ${server.url}: [0].ok: Invalid input: expected boolean, received string; ` +
      "[2].ok: Invalid input: expected boolean, received undefined; see that CONSUL_HTTP_ADDR names a Consul agent",
  );
});

test("refuses an answer that is no JSON", async () => {
  const server = await start((response) => {
    response.end("<html>welcome</html>");
  });

  const error = await rejection(clientOf([server.url]).client.call(read, shape));

  expect(error.message).toBe(
    `Consul's answer cannot be understood: GET /v1/thing at ${server.url}: it is no JSON (20 characters); ` +
      "see that CONSUL_HTTP_ADDR names a Consul agent",
  );
});

test("an agent's error is one line, cut, without control characters", async () => {
  const server = await start(text(`broken\n\u001b[31mred\u0000${"y".repeat(400)}`, 500));

  const error = await rejection(clientOf([server.url]).client.tell(read));

  expect(error).toBeInstanceOf(AnswerError);
  expect(error.message).toBe(
    `Consul answered 500 broken [31mred ${"y".repeat(285)}…: GET /v1/thing at ${server.url}`,
  );
});

test("a 403 names the permission that is missing", async () => {
  const server = await start(text("Permission denied", 403));

  const error = await rejection(
    clientOf([server.url]).client.tell({ ...write, permission: 'operator = "write"' }),
  );

  expect(error).toBeInstanceOf(PermissionError);
  expect(error.message).toBe(
    `Consul does not allow it: PUT /v1/thing at ${server.url} (403 Permission denied); ` +
      'CONSUL_HTTP_TOKEN is not set: set it to a token that has operator = "write"',
  );
});

describe("an agent that has found no leader", () => {
  const refusing =
    (leader: Reply): Reply =>
    (response, request) => {
      (request.url === "/v1/status/leader" ? leader : text("ACL not found", 403))(response, request);
    };

  test.each<[string, Reply]>([
    ["names none", json("")],
    ["has no servers", text("No known Consul servers", 500)],
    ["has no servers, in Nomad's words", text("no servers", 500)],
    ["waits for an election", text("rpc error: No cluster leader", 500)],
  ])("says nothing of a token where it %s, and is asked once", async (_title, leader) => {
    const server = await start(refusing(leader));

    const error = await rejection(clientOf([server.url]).client.tell(write));

    expect(error).toBeInstanceOf(NoLeaderError);
    expect(error.message).toBe(
      `Consul has no leader: PUT /v1/thing at ${server.url} (403 ACL not found); ` +
        "an agent that has found no leader knows no token; wait until it has",
    );
    expect(server.requests).toEqual(["PUT /v1/thing", "GET /v1/status/leader"]);
  });

  test("is passed over for the next one, even where a request may not be repeated", async () => {
    const [first, second] = [await start(refusing(json(""))), await start(json({}))];

    await clientOf([first.url, second.url]).client.tell(write);

    expect(second.requests).toEqual(["PUT /v1/thing"]);
  });

  test("is told from one whose token lacks a right, and from a proxy that refuses all", async () => {
    for (const leader of [json("10.0.0.1:8300"), text("Forbidden", 403), text("ACL not found", 500)]) {
      const server = await start(refusing(leader));
      expect(await rejection(clientOf([server.url]).client.tell(read))).toBeInstanceOf(PermissionError);
    }
  });
});

async function start(replies: Reply | readonly Reply[]): Promise<LocalServer> {
  const server = await startServer(replies);
  open.push(server);
  return server;
}

/** Which of the two it is depends on what the system noticed first. */
function endedEarly({ message }: { readonly message: string }): string {
  return /connection reset|the connection ended before the answer/.exec(message)?.[0] ?? "no reason";
}
