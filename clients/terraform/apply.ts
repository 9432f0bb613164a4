import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { UserError } from "../../cluster/user-error.js";
import { type ApplyEvent, Lines, readApplyLine } from "./apply-stream.js";
import { findTerraform, HOW_TO_GET_IT, toolOf } from "./find.js";
import type { Environment } from "../environment.js";
import { codeOf } from "../error-code.js";

export interface ApplyOptions {
  /** The folder of the stack. */
  readonly cwd: string;
  /** The saved plan, absolute. */
  readonly plan: string;
  readonly env: Environment;
  /** Where all that Terraform prints goes, absolute. It is added at the end. */
  readonly log: string;
  readonly onEvent: (event: ApplyEvent) => void;
  /** Asks Terraform to end, once, by SIGINT; it then saves its state, which is waited for. */
  readonly stop: AbortSignal;
}

type Diagnostic = Extract<ApplyEvent, { kind: "error" | "warning" }>;

/** How an apply ended. */
export interface Applied {
  /** Success is 0 and nothing else. */
  readonly exitCode: number;
  readonly errors: readonly Diagnostic[];
  /** The addresses of what failed. */
  readonly failed: readonly string[];
  /** What Terraform said that was no event, such as that its program is broken. */
  readonly texts: readonly string[];
}

const EVERY_MS = 100;

/**
 * Applies a saved plan. Terraform runs in a session of its own, so that no Ctrl-C and no closed terminal reaches it, and
 * writes into a file and not to us, so that it goes on to its end if this process is killed.
 * @throws UserError when it cannot be started, or was ended by a signal
 */
export async function applyPlan(options: ApplyOptions): Promise<Applied> {
  const { cwd, plan, env, log, onEvent, stop } = options;
  stop.throwIfAborted();
  const binary = await findTerraform({ ...process.env, ...env });
  const output = openLog(log);
  const errors: Diagnostic[] = [];
  const failed: string[] = [];
  const texts: string[] = [];
  const reader = new LogReader(log, (line) => {
    const event = readApplyLine(line);
    if (!event) return;
    if (event.kind === "error") errors.push(event);
    if (event.kind === "failed") failed.push(event.address);
    if (event.kind === "text") texts.push(event.text);
    onEvent(event);
  });
  // Not by execa, which would end it with us, and by force in the end.
  const child = spawn(binary, ["apply", "-json", "-input=false", "-no-color", plan], {
    cwd,
    env: { ...process.env, ...env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" },
    stdio: ["ignore", output, output],
    detached: true,
  });
  const ending = endOf(child, binary);
  closeSync(output);
  const onStop = (): void => {
    child.kill("SIGINT");
  };
  stop.addEventListener("abort", onStop, { once: true });
  const timer = setInterval(() => {
    reader.read();
  }, EVERY_MS);
  try {
    const { exitCode, signal } = await ending;
    reader.read();
    reader.end();
    if (exitCode !== null) return { exitCode, errors, failed, texts };
    throw new UserError(
      `${toolOf(binary)} was ended by ${signal ?? "nobody knows what"}: what it said is in ${log}; run it again`,
    );
  } finally {
    clearInterval(timer);
    stop.removeEventListener("abort", onStop);
    reader.close();
  }
}

interface End {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

const endOf = (child: ChildProcess, binary: string): Promise<End> =>
  new Promise((resolve, reject) => {
    child.once("error", (error) => {
      reject(new UserError(`${toolOf(binary)} cannot be started: ${error.message}; ${HOW_TO_GET_IT}`));
    });
    child.once("close", (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });

function openLog(log: string): number {
  try {
    return openSync(log, "a", 0o600);
  } catch (error) {
    throw new UserError(`cannot write ${log}: ${codeOf(error)}; nothing was applied`);
  }
}

/** Reads on in a file that grows. */
class LogReader {
  readonly #file: number;
  readonly #decoder = new StringDecoder("utf8");
  readonly #lines: Lines;
  readonly #buffer = Buffer.alloc(65_536);
  #position: number;

  constructor(path: string, take: (line: string) => void) {
    this.#file = openSync(path, "r");
    this.#lines = new Lines(take);
    this.#position = fstatSync(this.#file).size;
  }

  read(): void {
    for (;;) {
      const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#position);
      if (length === 0) return;
      this.#position += length;
      this.#lines.add(this.#decoder.write(this.#buffer.subarray(0, length)));
    }
  }

  end(): void {
    this.#lines.add(this.#decoder.end());
    this.#lines.end();
  }

  close(): void {
    closeSync(this.#file);
  }
}
