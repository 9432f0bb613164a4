import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  AnswerError,
  ClientError,
  NoLeaderError,
  PermissionError,
  RefusedAnswerError,
} from "../../clients/http/errors.js";
import { startServer, type LocalServer } from "../clients/http/local-server.js";
import { bodyOf, type Recording } from "./recording.js";

/** How the clients make the request that was recorded. */
export interface Route<Client> {
  readonly method: string;
  /** Its groups are what the call is given. */
  readonly path: RegExp;
  call(client: Client, parts: readonly string[], recording: Recording): Promise<unknown>;
  /** What the method makes of a refusal that says that there is nothing to do or to find. */
  readonly settled?: { readonly text: RegExp; readonly value: unknown };
}

/** Declares one test for each recording: the same request, and the answer parsed or the right error thrown. */
export function replay<Client>(
  recordings: readonly Recording[],
  routes: readonly Route<Client>[],
  clientOf: (url: string) => Client,
): void {
  let server: LocalServer;
  let current: Recording;

  beforeAll(async () => {
    server = await startServer((response) => {
      response.writeHead(current.response.status, current.response.headers).end(bodyOf(current));
    });
  });

  afterAll(async () => {
    await server.close();
  });

  test.each(recordings.map((recording) => [titleOf(recording), recording] as const))(
    "%s",
    async (_title, recording) => {
      const { method, path } = recording.request;
      const { pathname } = new URL(path, "http://agent");
      const [route, parts] = find(routes, method, pathname);
      current = recording;
      const before = server.requests.length;

      const outcome = await outcomeOf(route.call(clientOf(server.url), parts, recording));

      const asked = server.requests[before] ?? "";
      expect(asked.split("?")[0]).toBe(`${method} ${pathname}`);
      expect(outcome).toEqual(expected(recording, route));
    },
  );

  test("every route is there in the recordings", () => {
    const unused = routes.filter(
      ({ method, path }) =>
        !recordings.some(
          ({ request }) =>
            request.method === method && path.test(new URL(request.path, "http://agent").pathname),
        ),
    );
    expect(unused).toEqual([]);
  });
}

function find<Client>(
  routes: readonly Route<Client>[],
  method: string,
  pathname: string,
): [Route<Client>, string[]] {
  for (const route of routes) {
    const match = route.method === method ? route.path.exec(pathname) : null;
    if (match !== null) return [route, match.slice(1).map(decodeURIComponent)];
  }
  throw new Error(`no client asks ${method} ${pathname}`);
}

interface Outcome {
  readonly kind: string;
  readonly value?: unknown;
}

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    const value = await call;
    return typeof value === "boolean" || typeof value === "string" || value === undefined
      ? { kind: "value", value }
      : { kind: "value" };
  } catch (error) {
    if (error instanceof AnswerError) return { kind: error.name, value: error.status };
    if (error instanceof ClientError) return { kind: error.name };
    throw error;
  }
}

/** Worked out from the recording alone. */
function expected<Client>({ response: { status, body } }: Recording, route: Route<Client>): unknown {
  const text = typeof body === "string" ? body : "";
  if (route.settled?.text.test(`${String(status)} ${text}`) === true) {
    return { kind: "value", value: route.settled.value };
  }
  if (status < 300 || (status === 429 && typeof body === "object"))
    return expect.objectContaining({ kind: "value" });
  if (status < 400) return { kind: RefusedAnswerError.name };
  if (status === 403 || /ACL token not found|signed token/.test(text))
    return { kind: PermissionError.name, value: status };
  if (text.includes("No cluster leader")) return { kind: NoLeaderError.name, value: status };
  return { kind: AnswerError.name, value: status };
}

function titleOf({ request, response }: Recording): string {
  const text = typeof response.body === "string" ? response.body.slice(0, 70) : "";
  return `${request.method} ${request.path}: ${String(response.status)} ${text}`.trim();
}
