import { Agent } from "undici";
import type { Environment } from "../../clients/environment.js";
import { codeOf } from "../../clients/error-code.js";
import { noAnswer } from "../../clients/http/connection.js";
import { readText, TooLong } from "../../clients/http/read-text.js";
import { requestBy } from "../../clients/http/request-by.js";
import type { Action } from "../../cluster/gate-settings.js";
import type { CheckResult } from "../../rollout/observation/observation.js";

type Http = Extract<Action, { readonly kind: "http" }>;

export interface ActionDeps {
  /** Merged over the process's own: what an action names of it, it gets. */
  readonly env: Environment;
  /** Ends a try before its time. */
  readonly signal?: AbortSignal;
}

/** How one try of an action ended. */
export type Tried = Pick<CheckResult, "passed" | "value">;

/** Of an answer, in bytes: a page of health is short. */
const MOST = 1024 * 1024;

/** Keeps no connection. */
const agent = new Agent();

/** Asks a URL once. A redirect is not followed: where it leads is not the machine that is checked. */
export async function runHttp(action: Http, url: string, { env, signal }: ActionDeps): Promise<Tried> {
  const given: Environment = { ...process.env, ...env };
  const headers = Object.entries(action.headers).map(([header, name]) => [header, given[name]] as const);
  const missing = headers.flatMap(([header, value]) => (value === undefined ? action.headers[header] : []));
  if (missing.length > 0) return { passed: false, value: `not set: ${missing.join(", ")}` };
  const late = AbortSignal.timeout(action.timeoutSeconds * 1000);
  const ended = signal ? AbortSignal.any([late, signal]) : late;
  try {
    return await tryOnce(action, url, { signal: ended, headers: Object.fromEntries(headers) });
  } catch (error) {
    return { passed: false, value: reasonOf(error) };
  }

  function reasonOf(error: unknown): string {
    if (late.aborted) return `no answer within ${String(action.timeoutSeconds)} s`;
    if (signal?.aborted === true) return "ended before it was done";
    if (error instanceof TooLong) return `the answer is longer than ${String(MOST)} bytes`;
    const code = codeOf(error);
    return noAnswer(code) ?? `no answer (${code})`;
  }
}

async function tryOnce(
  { status, contains }: Http,
  url: string,
  request: { readonly signal: AbortSignal; readonly headers: Readonly<Record<string, string | undefined>> },
): Promise<Tried> {
  const { statusCode, body } = await requestBy(agent, url, { method: "GET", ...request, reset: true });
  const seen = `status ${String(statusCode)}`;
  if (statusCode !== status || contains === undefined) {
    // Ending it early is an error to the stream, which would end the process if nobody listened.
    body.on("error", () => undefined).destroy();
    const passed = statusCode === status;
    return { passed, value: passed ? seen : `${seen}, not ${String(status)}` };
  }
  const passed = (await readText(MOST)(body)).includes(contains);
  return { passed, value: `${seen}, ${passed ? "with" : "without"} ${JSON.stringify(contains)}` };
}
