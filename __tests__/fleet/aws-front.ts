import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands before moto for Terraform and the product: what AWS is known to answer otherwise is answered so. */
export class AwsFront {
  readonly #server = createServer((request, response) => {
    void (async () => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      const headers = Object.entries(request.headers).filter(([name]) => !HOP.has(name));
      const sent = Buffer.concat(body);
      const answer = await fetch(`${this.moto}${request.url ?? "/"}`, {
        method: request.method ?? "POST",
        headers: headers.map(([name, value]) => [name, String(value)] as [string, string]),
        ...(sent.length > 0 && { body: sent }),
      });
      const text = await answer.text();
      // Moto refuses to deregister a target that is not registered. AWS succeeds, and a leave relies on that.
      const isAbsent = sent.includes("Action=DeregisterTargets") && text.includes("InvalidTarget");
      response
        .writeHead(isAbsent ? 200 : answer.status, {
          "content-type": answer.headers.get("content-type") ?? "text/xml",
        })
        .end(isAbsent ? DEREGISTERED : text);
    })().catch((error: unknown) => response.writeHead(502).end(String(error)));
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

/** Of one connection, not of a request. */
const HOP: ReadonlySet<string> = new Set(["host", "connection", "content-length"]);

const DEREGISTERED =
  '<DeregisterTargetsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DeregisterTargetsResult/>' +
  "<ResponseMetadata><RequestId>fleet</RequestId></ResponseMetadata></DeregisterTargetsResponse>";
