import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { HttpClient, type HttpOptions } from "../../../clients/http/http-client.js";
import { CONSUL, type Service } from "../../../clients/http/service.js";
import type { Access } from "../../../clients/http/settings.js";

/** A server of the test's own on 127.0.0.1, with what was asked of it. */
export interface LocalServer {
  readonly url: string;
  /** `GET /v1/agent/self` */
  readonly requests: readonly string[];
  readonly headers: readonly IncomingMessage["headers"][];
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

export type Reply = (response: ServerResponse, request: IncomingMessage) => void;

export interface LocalServerOptions {
  readonly tls?: ServerOptions;
  /** Listens there and not on a port. */
  readonly socketPath?: string;
}

/** Starts a server that gives these replies one after the other, and the last one for ever. */
export async function startServer(
  replies: Reply | readonly Reply[],
  { tls, socketPath }: LocalServerOptions = {},
): Promise<LocalServer> {
  const requests: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const bodies: string[] = [];
  const list = typeof replies === "function" ? [replies] : replies;
  const listener: RequestListener = (request, response) => {
    const reply = list[Math.min(requests.length, list.length - 1)];
    requests.push(`${request.method ?? ""} ${request.url ?? ""}`);
    headers.push(request.headers);
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      bodies.push(body);
      reply?.(response, request);
    });
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  if (socketPath === undefined) server.listen(0, "127.0.0.1");
  else server.listen(socketPath);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? (address satisfies AddressInfo).port : 0;
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${String(port)}`,
    requests,
    headers,
    bodies,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** An address at which nobody listens: of a server that has just been closed. */
export async function deadUrl(): Promise<string> {
  const server = await startServer(json({}));
  await server.close();
  return server.url;
}

export const json =
  (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };

export const text =
  (value: string, status: number): Reply =>
  (response) => {
    response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(value);
  };

/** The connection is reset before an answer. */
export const reset: Reply = (response) => {
  response.socket?.resetAndDestroy();
};

/** Announces a whole answer, and ends after half of it. */
export const half: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
  response.write('{"half":', () => response.socket?.destroy());
};

/** Never answers. */
export const silence: Reply = () => undefined;

/** A client of these addresses for which no time passes between two tries; what it would have waited is kept. */
export function clientOf(
  urls: readonly [string, ...string[]],
  { access = {}, service = CONSUL, ...options }: HttpOptions & { access?: Access; service?: Service } = {},
): { client: HttpClient; waits: number[] } {
  const waits: number[] = [];
  const [first, ...rest] = urls;
  const client = new HttpClient(
    service,
    { endpoints: [{ url: first }, ...rest.map((url) => ({ url }))], access },
    {
      random: () => 0.5,
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
      ...options,
    },
  );
  return { client, waits };
}

/** What a promise is rejected with. (In Jest, Node's errors are of another realm: no `instanceof`.) */
export async function rejection(promise: Promise<unknown>): Promise<{ readonly message: string }> {
  try {
    await promise;
  } catch (error) {
    if (hasMessage(error)) return error;
  }
  throw new Error("it was not rejected");
}

const hasMessage = (error: unknown): error is { readonly message: string } =>
  typeof error === "object" && error !== null && "message" in error && typeof error.message === "string";
