import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Metadata } from "./metadata.js";

export interface ServicesProps {
  /** Where the certificate and the authority of host keys are. */
  readonly cache: string;
  /** Moto's address. */
  readonly aws: string;
  readonly instanceAt: (address: string) => Metadata | undefined;
  /** The host that an instance is. */
  readonly hostOf: (instance: string) => string | undefined;
}

/** What machines reach by TLS under a name that their /etc/hosts has: AWS's SSM, which is moto's, and the signer of host keys. */
export class Services {
  readonly #server: Server;

  constructor(private readonly props: ServicesProps) {
    const { cache } = props;
    const [cert, key] = [readFileSync(join(cache, "fleet.crt")), readFileSync(join(cache, "fleet.key"))];
    this.#server = createServer({ cert, key }, (request, response) => {
      const answer = request.headers.host === "signer.fleet" ? this.#sign(request) : this.#pass(request);
      answer.then(
        ({ status, body }) => response.writeHead(status).end(body),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  async start(): Promise<void> {
    this.#server.listen(443, "169.254.169.253");
    await once(this.#server, "listening");
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #pass(request: IncomingMessage): Promise<Answer> {
    const headers = Object.fromEntries(
      ["authorization", "content-type", "x-amz-target", "x-amz-date"].map((name) => [
        name,
        String(request.headers[name]),
      ]),
    );
    const answer = await fetch(this.props.aws, { method: "POST", headers, body: await bodyOf(request) });
    return { status: answer.status, body: await answer.text() };
  }

  /** Signs for a machine only the names that are its own. */
  async #sign(request: IncomingMessage): Promise<Answer> {
    const names = (request.url ?? "").split("/").filter((name) => name !== "");
    const instance = this.props.instanceAt(request.socket.remoteAddress ?? "");
    if (instance === undefined) return { status: 403, body: "not a machine of the fleet" };
    const own = [this.props.hostOf(instance.id), instance.address, instance.id];
    if (names.join() !== own.join()) return { status: 403, body: `not yours: ${names.join(", ")}` };
    const folder = await mkdtemp(join(tmpdir(), "fleet-sign-"));
    try {
      const key = join(folder, "key.pub");
      await writeFile(key, await bodyOf(request));
      await execa("ssh-keygen", [
        "-q",
        "-s",
        join(this.props.cache, "host-authority"),
        "-I",
        instance.id,
        "-h",
        "-n",
        names.join(),
        key,
      ]);
      return { status: 200, body: await readFile(join(folder, "key-cert.pub"), "utf8") };
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
