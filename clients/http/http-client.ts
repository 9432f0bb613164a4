import { setTimeout as wait } from "node:timers/promises";
import type * as z from "zod";
import { connectionTo, type Connection } from "./connection.js";
import { formatEndpoint } from "./endpoint.js";
import { isOfToken, refusalOf, RefusedAnswerError, UnreachableError, type Subject } from "./errors.js";
import { exchange, type Answer, type BodyReader, type Deadline, type Message } from "./exchange.js";
import { delayBefore, isPassing, mayRepeat, type Failure } from "./failure.js";
import { parseAnswer } from "./parse-answer.js";
import { readText } from "./read-text.js";
import { sanitise } from "./sanitise.js";
import type { Service } from "./service.js";
import type { Settings } from "./settings.js";

/** One call of an agent's HTTP API. */
export interface Call {
  /** @default GET */
  readonly method?: Message["method"];
  /** From `/v1`, each part encoded. */
  readonly path: string;
  /** Undefined values are left out; true stands for a name alone, as in `?passing`. */
  readonly query?: Readonly<Record<string, string | number | true | undefined>>;
  /** A string is sent as it stands, anything else as JSON. */
  readonly body?: unknown;
  /** Statuses beside the 200s that carry what was asked for. */
  readonly accepted?: readonly number[];
  /** Whether it may be sent again when nobody knows whether it was done. @default true for GET, else false */
  readonly repeatable?: boolean;
  /** For the whole answer, in seconds. @default 15 */
  readonly timeout?: number;
  /** What a token needs for it, in the terms of a policy. */
  readonly permission?: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a test puts in place of the clock and of chance, and limits. */
export interface HttpOptions {
  /** Of an answer, in bytes. @default 64 MiB */
  readonly limit?: number;
  /** Requests for one call; every address gets at least one. @default 3 */
  readonly attempts?: number;
  readonly random?: () => number;
  /** Waits so many milliseconds. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly deadline?: Deadline;
}

/** For a connection to stand, in milliseconds. */
const CONNECT_TIMEOUT = 5000;

/** Without a leader an answer takes up to 7.4 s (maintenance: 14 s), which must not look like a dead agent. */
const USUAL_TIMEOUT = 15;

/**
 * Calls one service through one or several addresses. Each call goes to the address that answered last, and on to the next
 * where that one fails, as far as repeating is harmless.
 */
export class HttpClient {
  readonly #connections: readonly Connection[];
  readonly #options: Required<HttpOptions>;
  #current = 0;

  constructor(
    readonly service: Service,
    readonly settings: Settings,
    options: HttpOptions = {},
  ) {
    this.#options = {
      limit: 64 * 1024 * 1024,
      attempts: 3,
      random: Math.random,
      sleep: waitAbortably,
      deadline: (seconds) => AbortSignal.timeout(seconds * 1000),
      ...options,
    };
    const { tls = {} } = settings.access;
    this.#connections = settings.endpoints.map((endpoint) => connectionTo(endpoint, tls, CONNECT_TIMEOUT));
  }

  /**
   * Makes a call and reads its answer.
   * @param schema of the JSON; fields that it does not name are allowed
   * @throws ClientError as one of its kinds
   */
  async call<T>(call: Call, schema: z.ZodType<T>): Promise<Answer<T>> {
    const { answer, subject } = await this.#send(call, readText(this.#options.limit));
    return { ...answer, body: parseAnswer(answer.body, schema, subject) };
  }

  /** Makes a call whose answer holds nothing of interest. */
  async tell(call: Call): Promise<void> {
    await this.#send(call, readText(this.#options.limit));
  }

  /** Makes a call whose answer is no JSON. */
  async download<T>(call: Call, read: BodyReader<T>): Promise<T> {
    return (await this.#send(call, read)).answer.body;
  }

  /** Ends the connections that are kept open, and tunnels. Not needed at the end of a process. */
  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  async #send<T>(call: Call, read: BodyReader<T>): Promise<{ answer: Answer<T>; subject: Subject }> {
    const message = this.#message(call);
    const { attempts, random, sleep, deadline } = this.#options;
    const most = Math.max(attempts, this.#connections.length);
    const failures: Failed[] = [];
    for (;;) {
      const index = (this.#current + failures.length) % this.#connections.length;
      const connection = this.#connections[index];
      if (connection === undefined) throw new Error("a client without addresses");
      const subject = this.#subject(message, connection);
      const outcome = await exchange(connection, message, read, deadline);
      if ("answer" in outcome) {
        this.#current = index;
        return { answer: outcome.answer, subject };
      }
      const failure = await this.#judged(outcome.failure, connection, call.signal);
      failures.push({ failure, subject });
      // An agent without a leader takes 5 s to say so: that is asked of each once.
      const limit = failure.kind === "leaderless" ? this.#connections.length : most;
      if (failures.length >= limit || !mayRepeat(failure, message.repeatable)) {
        throw this.#errorOf(failures, subject, call);
      }
      const rounds = failures.length / this.#connections.length;
      if (Number.isInteger(rounds)) await sleep(delayBefore(rounds - 1, random()), call.signal);
    }
  }

  async #judged(failure: Failure, connection: Connection, signal: Call["signal"]): Promise<Failure> {
    if (failure.kind !== "answer" || !isOfToken(failure.status, failure.text)) return failure;
    return (await this.knowsLeader(connection, signal)) ? failure : { ...failure, kind: "leaderless" };
  }

  /** False where an agent says that it has found no leader, so that what it says of a token is of no worth. */
  async knowsLeader(connection = this.#connections[this.#current], signal?: AbortSignal): Promise<boolean> {
    if (connection === undefined) throw new Error("a client without addresses");
    const question = this.#message({ path: "/v1/status/leader", signal });
    const outcome = await exchange(connection, question, readText(1000), this.#options.deadline);
    if ("answer" in outcome) return outcome.answer.body.trim() !== '""';
    return outcome.failure.kind !== "answer" || !isPassing(outcome.failure.status, outcome.failure.text);
  }

  #message(call: Call): Message {
    const { method = "GET", path, query = {}, body, accepted = [], timeout = USUAL_TIMEOUT, signal } = call;
    const { token, region } = this.settings.access;
    const headers = {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { [this.service.tokenHeader]: token.reveal() }),
    };
    return {
      method,
      path: `${path}${formatQuery({ ...query, region })}`,
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
      accepted,
      repeatable: call.repeatable ?? method === "GET",
      timeout,
      signal,
    };
  }

  #subject({ method, path }: Message, { endpoint }: Connection): Subject {
    const { variable: addressVariable = this.service.addressVariable } = this.settings;
    return {
      service: { ...this.service, addressVariable },
      method,
      path,
      where: formatEndpoint(endpoint),
      machine: endpoint.machine,
      hasToken: this.settings.access.token !== undefined,
    };
  }

  /** What an agent said tells more than that another one could not be reached. */
  #errorOf(failures: readonly Failed[], last: Subject, { permission }: Call): Error {
    const { token } = this.settings.access;
    for (const { failure, subject } of failures.toReversed()) {
      if (failure.kind === "answer" || failure.kind === "leaderless") {
        return refusalOf(subject, { ...failure, text: sanitise(failure.text, token) }, permission);
      }
      if (failure.kind === "refused") return new RefusedAnswerError(subject, sanitise(failure.reason, token));
    }
    const tries = failures.flatMap(({ failure, subject: { where } }) =>
      "reason" in failure ? [{ where, reason: sanitise(failure.reason, token) }] : [],
    );
    // Three times the same says no more than once.
    const distinct = new Map(tries.map((each) => [JSON.stringify(each), each]));
    const wasSent = failures.some(({ failure }) => failure.kind !== "unreachable");
    return new UnreachableError(last, [...distinct.values()], wasSent);
  }
}

/** Ends by the signal's own reason, as everything else here does. */
async function waitAbortably(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

interface Failed {
  readonly failure: Failure;
  readonly subject: Subject;
}

function formatQuery(query: NonNullable<Call["query"]>): string {
  const parts = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return value === true ? [name] : [`${name}=${encodeURIComponent(value)}`];
  });
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
