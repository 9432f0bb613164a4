import { stripVTControlCharacters } from "node:util";
import { withoutSecrets } from "../../clients/terraform/error.js";
import type { Action } from "../../cluster/gate-settings.js";
import type { ActionDeps, Tried } from "./run-http.js";

type Command = Extract<Action, { readonly kind: "command" }>;

/** What is kept of a program's output, in characters. */
const MOST = 1_000_000;

const LONGEST_VALUE = 200;

/** What every program gets; more than that it has to name. Tokens of the roll are not among it, and one that fails likes to print them. */
const COMMON = /^(PATH|HOME|LANG|LC_[A-Z]+|TMPDIR|(HTTP|HTTPS|ALL|NO)_PROXY)$/i;

/** Runs a program once, without a shell. Time up, it is ended with all that it has started. */
export async function runCommand(
  { exitCode: expected, contains, timeoutSeconds, env: names }: Command,
  [program = "", ...args]: readonly string[],
  { env, signal }: ActionDeps,
): Promise<Tried> {
  const { execa } = await import("execa");
  const given = { ...process.env, ...env };
  const all = Object.entries(given);
  const own = Object.fromEntries(all.filter(([name]) => COMMON.test(name) || names.includes(name)));
  const child = execa(program, args, {
    env: own,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    // A group of its own: a script's Java machine would outlive the script.
    detached: true,
    maxBuffer: MOST,
  });
  const kill = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const late = AbortSignal.timeout(timeoutSeconds * 1000);
  const ended = signal ? AbortSignal.any([late, signal]) : late;
  ended.addEventListener("abort", kill);
  if (ended.aborted) kill();
  process.once("exit", kill);
  try {
    const { code, exitCode, signal: by, stdout, stderr, isMaxBuffer } = await child;
    if (isMaxBuffer) kill();
    // It may read from a file what it does not get, as AWS's credentials.
    const clean = (text: string): string => lastLine(withoutSecrets(text, given, names));
    const said = clean(stdout) || clean(stderr);
    const fail = (why: string): Tried => ({ passed: false, value: said === "" ? why : `${why}: ${said}` });
    if (code === "ENOENT") return fail(`no such program: ${program}`);
    if (late.aborted) return fail(`not done within ${String(timeoutSeconds)} s`);
    if (signal?.aborted === true) return fail("ended before it was done");
    if (isMaxBuffer) return fail(`more than ${String(MOST)} characters of output`);
    if (exitCode === undefined)
      return fail(by === undefined ? `could not be run (${code ?? ""})` : `ended by ${by}`);
    if (exitCode !== expected) return fail(`exit code ${String(exitCode)}, not ${String(expected)}`);
    if (contains !== undefined && !stdout.includes(contains))
      return fail(`its output is without ${JSON.stringify(contains)}`);
    return { passed: true, value: said === "" ? `exit code ${String(exitCode)}` : said };
  } finally {
    ended.removeEventListener("abort", kill);
    process.removeListener("exit", kill);
  }
}

function lastLine(text: string): string {
  const lines = stripVTControlCharacters(text).split(/\r?\n/);
  const last =
    lines.map((line) => line.replace(/\p{Cc}/gu, " ").trim()).findLast((line) => line !== "") ?? "";
  return last.length > LONGEST_VALUE ? `${last.slice(0, LONGEST_VALUE)}…` : last;
}
