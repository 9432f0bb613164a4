import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Moto } from "../support/moto.js";

/** Why EC2 does not do something, as its API has it. */
export interface Ec2Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** @default until it is taken out */
  readonly times?: number;
}

type Reason = Pick<Ec2Error, "code" | "message">;

/**
 * Stands before moto for Terraform and the product: what AWS is known to answer otherwise is answered so, and what EC2 refuses
 * when a test wants that.
 */
export class AwsFront {
  /** What EC2 refuses until it is taken out, by the action: `RunInstances`, and `RunInstances, dry` for a dry run. */
  readonly refusals = new Map<string, Ec2Error>();
  /** How often each action was asked for. */
  readonly asked = new Map<string, number>();
  /** As long as it is there, an instance that is run ends at once, for this reason. */
  launchFailure: Reason | undefined;
  /** The reason of each that has ended so, by its id. */
  readonly #ended = new Map<string, Reason>();

  readonly #server = createServer((request, response) => {
    this.#answer(request).then(
      ({ status, type, text }) => response.writeHead(status, { "content-type": type }).end(text),
      (error: unknown) => response.writeHead(502).end(String(error)),
    );
  });

  /** @param printedBy what a machine has printed on its console, by the instance's id */
  constructor(
    private readonly moto: Pick<Moto, "url">,
    private readonly printedBy: (instance: string) => string | undefined,
  ) {}

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

  async #answer(request: IncomingMessage): Promise<Answer> {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const sent = Buffer.concat(body);
    const query = new URLSearchParams(sent.toString());
    // EC2 does not say by a dry run whether there is room, so what refuses a launch for that does not refuse it.
    const action = `${query.get("Action") ?? ""}${query.get("DryRun") === "true" ? ", dry" : ""}`;
    this.asked.set(action, (this.asked.get(action) ?? 0) + 1);
    const refusal = this.refusals.get(action);
    if (refusal?.times === 1) this.refusals.delete(action);
    else if (refusal?.times !== undefined)
      this.refusals.set(action, { ...refusal, times: refusal.times - 1 });
    if (refusal !== undefined) return { status: refusal.status, type: XML, text: refused(refusal) };
    const printed = action === "GetConsoleOutput" ? this.printedBy(query.get("InstanceId") ?? "") : undefined;
    if (printed !== undefined)
      return { status: 200, type: XML, text: consoleOutput(query.get("InstanceId") ?? "", printed) };

    const headers = Object.entries(request.headers)
      .filter(([name]) => !HOP.has(name))
      .map(([name, value]) => [name, String(value)] as [string, string]);
    const forward = (content: Buffer | URLSearchParams) =>
      fetch(`${this.moto.url}${request.url ?? "/"}`, {
        method: request.method ?? "POST",
        headers,
        ...(String(content) !== "" && { body: content }),
      });
    const answer = await forward(sent);
    const type = answer.headers.get("content-type") ?? XML;
    const text = await answer.text();
    // Moto refuses to deregister a target that is not registered. AWS succeeds, and a leave relies on that.
    if (action === "DeregisterTargets" && text.includes("InvalidTarget"))
      return { status: 200, type: XML, text: DEREGISTERED };
    if (action === "RunInstances" && answer.ok && this.launchFailure !== undefined) {
      const [, id = ""] = /<instanceId>([^<]+)/.exec(text) ?? [];
      this.#ended.set(id, this.launchFailure);
      const end = { Action: "TerminateInstances", Version: "2016-11-15", "InstanceId.1": id };
      await forward(new URLSearchParams(end));
    }
    const told = action === "DescribeInstances" ? withReasons(text, this.#ended) : text;
    return { status: answer.status, type, text: told };
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const XML = "text/xml;charset=UTF-8";

/** Of one connection, not of a request. */
const HOP: ReadonlySet<string> = new Set(["host", "connection", "content-length"]);

const DEREGISTERED =
  '<DeregisterTargetsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DeregisterTargetsResult/>' +
  "<ResponseMetadata><RequestId>fleet</RequestId></ResponseMetadata></DeregisterTargetsResponse>";

/** As EC2's Query API has errors. */
const refused = ({ code, message }: Ec2Error): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>` +
  "<RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>";

/** EC2 keeps 64 KiB. */
const consoleOutput = (id: string, printed: string): string =>
  `<GetConsoleOutputResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>fleet</requestId><instanceId>${id}</instanceId>` +
  `<timestamp>${new Date().toISOString()}</timestamp>` +
  `<output>${Buffer.from(printed).subarray(-65_536).toString("base64")}</output></GetConsoleOutputResponse>`;

/** Moto says of each that ended by its API that the user wanted it. The reason stands before the id. */
const withReasons = (text: string, reasons: ReadonlyMap<string, Reason>): string =>
  [...reasons].reduce((told, [id, { code, message }]) => {
    const to = told.indexOf(`<instanceId>${id}</instanceId><imageId>`);
    const from = told.lastIndexOf("<stateReason>", to);
    const end = told.indexOf("</stateReason>", from);
    if (to === -1 || from === -1 || end > to) return told;
    const reason = `<stateReason><code>${code}</code><message>${code}: ${message}</message>`;
    return `${told.slice(0, from)}${reason}${told.slice(end)}`;
  }, text);
