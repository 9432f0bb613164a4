import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** What happens to a write: S3 calls it a conflict, it is stored and nobody hears of it, S3 is busy, or the condition is dropped. */
export type Fault = "conflict" | "lost" | "busy" | "unconditional";

/** Stands before moto and does what moto never does. */
export class S3Front {
  /** What happens to the next writes, one each. */
  faults: Fault[] = [];
  /** `PUT /states/key if-none-match: *` */
  readonly asked: string[] = [];
  /** Of the last write. */
  written: IncomingMessage["headers"] = {};

  readonly #server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const { method = "GET", url = "/", headers } = request;
      const condition = ["if-none-match", "if-match"].flatMap((name) => {
        const value = headers[name];
        return value === undefined ? [] : [`${name}: ${String(value)}`];
      });
      this.asked.push([method, url.split("?")[0], ...condition].join(" "));
      if (method === "PUT") this.written = headers;
      const fault = method === "PUT" ? this.faults.shift() : undefined;
      if (fault === "conflict" || fault === "busy") {
        const [status, code] = fault === "busy" ? [503, "SlowDown"] : [409, "ConditionalRequestConflict"];
        response.writeHead(status, { "content-type": "application/xml" });
        response.end(`<Error><Code>${code}</Code><Message>try again</Message></Error>`);
        return;
      }
      const dropped = new Set([
        "host",
        "connection",
        "content-length",
        ...(fault === "unconditional" ? ["if-match", "if-none-match"] : []),
      ]);
      const answer = await fetch(`${this.moto}${url}`, {
        method,
        headers: Object.entries(headers).flatMap(([name, value]): [string, string][] =>
          dropped.has(name) ? [] : [[name, String(value)]],
        ),
        ...(method === "PUT" && { body }),
      });
      const text = await answer.text();
      if (fault === "lost") {
        request.socket.destroy();
        return;
      }
      const sent = [...answer.headers].filter(([name]) => !["content-length", "connection"].includes(name));
      response.writeHead(answer.status, Object.fromEntries(sent)).end(text);
    })();
  });

  constructor(private readonly moto: string) {}

  /** @returns its URL */
  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
