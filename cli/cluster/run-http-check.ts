import type { Check } from "../../spec/gate-settings.js";
import type { Tried } from "./run-check.js";

type HttpCheck = Extract<Check, { readonly kind: "http" }>;

/** What is read of an answer, in bytes: a page of health is short. */
const MOST = 1024 * 1024;

/** Asks a URL once. A redirect is not followed: where it leads is not the machine that is checked. */
export async function runHttpCheck(check: HttpCheck, url: string, signal?: AbortSignal): Promise<Tried> {
  const late = AbortSignal.timeout(check.timeoutSeconds * 1000);
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: signal ? AbortSignal.any([late, signal]) : late,
    });
    return await judge(check, response);
  } catch (error) {
    const value = late.aborted
      ? `no answer within ${String(check.timeoutSeconds)} s`
      : signal?.aborted === true
        ? "ended before it was done"
        : reasonOf(error);
    return { passed: false, value };
  }
}

async function judge({ status, contains }: HttpCheck, response: Response): Promise<Tried> {
  const seen = `status ${String(response.status)}`;
  if (response.status !== status) {
    await response.body?.cancel();
    return { passed: false, value: `${seen}, not ${String(status)}` };
  }
  if (contains === undefined) {
    await response.body?.cancel();
    return { passed: true, value: seen };
  }
  const { text, isWhole } = await read(response);
  if (text.includes(contains)) return { passed: true, value: `${seen}, with ${quote(contains)}` };
  const where = isWhole ? "" : ` in its first ${String(MOST)} bytes`;
  return { passed: false, value: `${seen}, without ${quote(contains)}${where}` };
}

async function read(response: Response): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) return { text: decode(chunks), isWhole: true };
    chunks.push(part.value);
    length += part.value.length;
    if (length <= MOST) continue;
    await reader?.cancel();
    return { text: decode(chunks).slice(0, MOST), isWhole: false };
  }
}

const decode = (chunks: readonly Uint8Array[]): string => new TextDecoder().decode(Buffer.concat(chunks));

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** `fetch` says no more than that it failed; why stands in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return REASONS.get(code) ?? `no answer${code === "" ? "" : ` (${code})`}`;
}

const REASONS = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["ENOTFOUND", "no such host"],
  ["EHOSTUNREACH", "no way to the host"],
  ["UND_ERR_SOCKET", "the connection ended before the answer"],
]);
