import type { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import { UserError } from "../../cluster/user-error.js";
import { codeOf, messageOf } from "../error-code.js";
import { noAnswer, type Connection } from "./connection.js";
import type { Failure } from "./failure.js";
import { readText, TooLong } from "./read-text.js";
import { requestBy } from "./request-by.js";

/** One request, ready to be sent to any address. */
export interface Message {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** With its query: `/v1/agent/members?wan=1`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Statuses beside the 200s whose body is what was asked for. */
  readonly accepted: readonly number[];
  /** Whether sending it twice does no more than sending it once. */
  readonly repeatable: boolean;
  /** For the whole answer, in seconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** A whole answer. */
export interface Answer<T> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: T;
}

type Outcome<T> = { readonly answer: Answer<T> } | { readonly failure: Failure };

/** Turns the body of an accepted answer into what the caller wants. Throws {@link TooLong} for one without end. */
export type BodyReader<T> = (body: Readable) => Promise<T>;

/** Aborts after so many seconds. */
export type Deadline = (seconds: number) => AbortSignal;

/** The texts of errors are short; what comes after this is not read. */
const LONGEST_ERROR = 65_536;

/**
 * Sends one request to one address, once. Redirects are not followed: they would take the token elsewhere.
 * @throws the reason of the caller's signal, once that is aborted, and a UserError of the reader; anything else is an outcome
 */
export async function exchange<T>(
  connection: Connection,
  message: Message,
  read: BodyReader<T>,
  deadlineAfter: Deadline,
): Promise<Outcome<T>> {
  message.signal?.throwIfAborted();
  // A connection that the agent has just closed would look like a lost answer, which a repeatable request gets over.
  let dispatcher: Agent;
  try {
    dispatcher = await connection.agent(message.repeatable);
  } catch (error) {
    if (error instanceof UserError) return { failure: { kind: "unreachable", reason: error.message } };
    throw error;
  }
  const deadline = deadlineAfter(message.timeout);
  const signal = message.signal === undefined ? deadline : AbortSignal.any([deadline, message.signal]);
  try {
    const { method, path, headers, body } = message;
    const response = await requestBy(dispatcher, `${connection.endpoint.url}${path}`, {
      method,
      headers,
      body: body ?? null,
      signal,
    });
    return await judge(response, message, read);
  } catch (error) {
    // Of the reader, about something that is no matter of this connection.
    if (error instanceof UserError) throw error;
    message.signal?.throwIfAborted();
    if (!deadline.aborted) return { failure: failureOf(error) };
    return { failure: { kind: "broken", reason: `no answer within ${String(message.timeout)} s` } };
  } finally {
    if (!message.repeatable) await dispatcher.destroy();
  }
}

async function judge<T>(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  message: Message,
  read: BodyReader<T>,
): Promise<Outcome<T>> {
  if (status >= 300 && status < 400) {
    // Ending it early is an error to the stream, which would end the process if nobody listened.
    body.on("error", () => undefined).destroy();
    const to = String(headers["location"] ?? "").replace(/[?#].*/s, "");
    return {
      failure: { kind: "refused", reason: `a redirect (${String(status)}) to ${to} is not followed` },
    };
  }
  if (status >= 200 && status < 300) return { answer: { status, headers, body: await read(body) } };
  if (!message.accepted.includes(status)) {
    return { failure: { kind: "answer", status, text: await errorText(body) } };
  }
  // Autopilot's 429 carries its JSON as text/plain, a 429 of a rate limit carries a sentence: only the body tells them apart.
  const content = await read(body);
  if (typeof content === "string" && !/^\s*[{[]/.test(content)) {
    return { failure: { kind: "answer", status, text: content } };
  }
  return { answer: { status, headers, body: content } };
}

async function errorText(body: Readable): Promise<string> {
  try {
    return await readText(LONGEST_ERROR)(body);
  } catch (error) {
    if (error instanceof TooLong) return error.start;
    throw error;
  }
}

/** What Node and OpenSSL say before anything has been sent. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENOENT|EACCES|EPROTO|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|SELF_SIGNED_\w+|DEPTH_ZERO_\w+|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/;

function failureOf(error: unknown): Failure {
  if (error instanceof TooLong)
    return { kind: "refused", reason: `it is longer than ${String(error.limit)} bytes` };
  const code = codeOf(error);
  const reason = noAnswer(code) ?? ([...new Set([code, messageOf(error)])].join(": ") || "no answer");
  return { kind: NOT_SENT.test(code) ? "unreachable" : "broken", reason };
}
