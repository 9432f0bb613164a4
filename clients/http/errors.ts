import { UserError } from "../../cluster/user-error.js";
import { isPassing, type Failure } from "./failure.js";
import type { Service } from "./service.js";

/** A request and where it was sent, for messages. It holds no header, so no token. */
export interface Subject {
  readonly service: Service;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly where: string;
  /** Whether a token was sent. */
  readonly hasToken: boolean;
  /** Whose agent it is alone, which no variable names. */
  readonly machine?: string | undefined;
}

const formatSubject = ({ method, path, where }: Subject): string => `${method} ${path} at ${where}`;

/** An agent was asked and did not give what it was asked for. It never carries a cause: those of the HTTP library hold requests. */
export abstract class ClientError extends UserError {}

/** No whole answer came from any address. */
export class UnreachableError extends ClientError {
  override readonly name = "UnreachableError";

  /**
   * @param tries each address and why it was of no use
   * @param wasSent at least one address may have got the request, so that it may have been done
   */
  constructor(
    subject: Subject,
    readonly tries: readonly { readonly where: string; readonly reason: string }[],
    readonly wasSent: boolean,
  ) {
    const { service, method, path, machine } = subject;
    const check = machine === undefined ? `, and check ${service.addressVariable}` : ` on ${machine}`;
    const list = [...new Set(tries.map(({ where, reason }) => `${where} (${reason})`))].join(", ");
    const doubt = wasSent && method !== "GET" ? "; it may have been done all the same" : "";
    super(
      `${service.name} did not answer: ${method} ${path} at ${list}${doubt}; see that the agent runs${check}`,
    );
  }
}

/** An answer that says no. */
export class AnswerError extends ClientError {
  override readonly name: string = "AnswerError";

  constructor(
    message: string,
    readonly status: number,
    /** What the agent said: one line, cut. */
    readonly text: string,
  ) {
    super(message);
  }
}

/** The servers have no leader: an election runs, the quorum is lost, or the agent has not found them yet. */
export class NoLeaderError extends AnswerError {
  override readonly name = "NoLeaderError";
}

/** The token may not do that, or is none. */
export class PermissionError extends AnswerError {
  override readonly name: string = "PermissionError";
}

function remedyFor({ service, hasToken }: Subject, text: string, permission = "more rights"): string {
  const { tokenVariable } = service;
  if (isOfUnknownToken(text)) return `the cluster does not know this token: correct ${tokenVariable}`;
  if (!hasToken) return `${tokenVariable} is not set: set it to a token that has ${permission}`;
  return `the token in ${tokenVariable} needs ${permission}`;
}

/** Consul tells a token that it does not know from one without rights; Nomad only one that is no UUID. */
export function isOfUnknownToken(text: string): boolean {
  return /ACL (token )?not found|failed to parse signed token/i.test(text);
}

/** Whether a token was refused, be it unknown or without the right. */
export const isOfToken = (status: number, text: string): boolean => status === 403 || isOfUnknownToken(text);

/** What says nothing of a token, since whoever answered cannot look it up. */
export function leaderlessError(name: string, asked: string, status: number, text: string): NoLeaderError {
  const why = "an agent that has found no leader knows no token; wait until it has";
  return new NoLeaderError(`${name} has no leader: ${asked}; ${why}`, status, text);
}

/**
 * The error for an answer that says no.
 * @param failure its text is one line, cut, without the token
 * @param permission what the token needs, in the terms of a policy
 */
export function refusalOf(
  subject: Subject,
  { kind, status, text }: Extract<Failure, { readonly status: number }>,
  permission: string | undefined,
): AnswerError {
  const { name } = subject.service;
  const asked = `${formatSubject(subject)} (${String(status)} ${text})`;
  if (kind === "leaderless") return leaderlessError(name, asked, status, text);
  if (isOfToken(status, text)) {
    const remedy = remedyFor(subject, text, permission);
    return new PermissionError(`${name} does not allow it: ${asked}; ${remedy}`, status, text);
  }
  if (/No cluster leader/i.test(text)) {
    const remedy = "wait for an election, or bring the missing servers back";
    return new NoLeaderError(`${name} has no leader: ${asked}; ${remedy}`, status, text);
  }
  if (status === 500 && isPassing(status, text))
    return new AnswerError(`${name} finds no servers yet, or they change just now: ${asked}`, status, text);
  const said = text === "" ? "" : ` ${text}`;
  return new AnswerError(
    `${name} answered ${String(status)}${said}: ${formatSubject(subject)}`,
    status,
    text,
  );
}

/** An answer of another shape than the agent's API has. */
export class MalformedAnswerError extends ClientError {
  override readonly name = "MalformedAnswerError";

  /** @param problems `[0].Status: …` */
  constructor(subject: Subject, problems: readonly string[]) {
    const { service } = subject;
    super(
      `${service.name}'s answer cannot be understood: ${formatSubject(subject)}: ${problems.join("; ")}; see that ${service.addressVariable} names a ${service.name} agent`,
    );
  }
}

/** An answer that is not read: it leads elsewhere, or has no end. */
export class RefusedAnswerError extends ClientError {
  override readonly name = "RefusedAnswerError";

  constructor(subject: Subject, why: string) {
    super(`${subject.service.name}'s answer is refused: ${formatSubject(subject)}: ${why}`);
  }
}
