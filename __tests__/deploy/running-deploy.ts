import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import type { Workspace } from "./workspace.js";

/** Something that shows how far a roll is. */
export interface Sight {
  /** In what the driver says, or in what Terraform and its hooks say. */
  readonly in: "driver" | "terraform";
  readonly text: RegExp;
}

/** Who of a roll is to be ended; a hook by its name. */
export type Victim = "driver" | "terraform" | { readonly hook: string };

export interface DeployEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly output: string;
}

interface Place {
  /** The folder of the workspace, which nothing but its own roll runs in. */
  readonly folder: string;
  readonly runFolder: string;
  readonly stateFile: string;
  /** The program of Terraform. */
  readonly terraform: string;
}

/** A `rollout deploy` that runs, for somebody to end it where it hurts. */
export class RunningDeploy {
  #said = "";
  #isOver = false;
  readonly #before: ReadonlySet<string>;

  constructor(
    private readonly child: ReturnType<Workspace["startDeploy"]>,
    private readonly place: Place,
  ) {
    this.#before = new Set(applyLogs(place.runFolder));
    child.all.on("data", (data: Buffer) => (this.#said += data.toString()));
    void child.then(() => (this.#isOver = true));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error("the driver did not start");
    return this.child.pid;
  }

  /** Waits until something has been said. A run that ends before is a failure of the test, and tells what it said. */
  async see({ in: where, text }: Sight): Promise<void> {
    await until(`${String(text)} is said`, () => {
      const said = where === "driver" ? this.#said : this.#terraformSaid();
      if (text.test(said)) return true;
      if (this.#isOver) throw new Error(`${String(text)} was never said:\n${this.#said}`);
      return false;
    });
  }

  /** Sends a signal to one of the roll's processes as soon as there is such a one. @returns its id */
  async send(victim: Victim, signal: NodeJS.Signals): Promise<number> {
    let found = victim === "driver" ? this.pid : undefined;
    await until(`a process of ${JSON.stringify(victim)}`, () => {
      if (victim !== "driver")
        found = processesIn(this.place.folder).find((each) => this.#is(each, victim))?.pid;
      if (found !== undefined) return true;
      if (this.#isOver) throw new Error(`no process of ${JSON.stringify(victim)}:\n${this.#said}`);
      return false;
    });
    if (found === undefined) throw new Error("unreachable");
    const pid = found;
    const act = (): void => void process.kill(pid, signal);
    if (victim === "terraform" && signal === "SIGKILL") await betweenWrites(this.place.stateFile, [pid], act);
    else act();
    return pid;
  }

  async end(): Promise<DeployEnd> {
    const { exitCode, signal, all } = await this.child;
    return { exitCode, signal, output: all.replaceAll(this.place.folder, "<folder>") };
  }

  #is({ command }: Running, victim: Exclude<Victim, "driver">): boolean {
    const [program = "", ...args] = command;
    if (victim === "terraform") return basename(program) === basename(this.place.terraform);
    return args.includes("hook") && args.includes(victim.hook);
  }

  #terraformSaid(): string {
    return applyLogs(this.place.runFolder)
      .filter((file) => !this.#before.has(file))
      .map((file) => readFileSync(file, "utf8"))
      .join("");
  }
}

/** What Terraform has said of each apply of a run folder, a file each. */
export const applyLogs = (runFolder: string): string[] =>
  existsSync(runFolder)
    ? readdirSync(runFolder)
        .filter((name) => /-(apply|record)\.jsonl$/.test(name))
        .map((name) => join(runFolder, name))
    : [];

interface Running {
  readonly pid: number;
  readonly command: readonly string[];
}

/** The processes that run in a folder or below it, Linux only; the simulator's is not one of a roll. */
export function processesIn(folder: string): Running[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => {
      try {
        const cwd = readlinkSync(`/proc/${String(pid)}/cwd`);
        const command = readFileSync(`/proc/${String(pid)}/cmdline`, "utf8")
          .split("\0")
          .slice(0, -1);
        const isMine = (cwd === folder || cwd.startsWith(`${folder}/`)) && command.length > 0;
        return isMine && !command.some((part) => part.endsWith("simulator.js")) ? [{ pid, command }] : [];
      } catch {
        // It has ended, or is somebody else's.
        return [];
      }
    });
}

/** Whether a state beside the spec is whole: Terraform writes in place, and OpenTofu ends it with an empty line. */
const isWhole = (file: string): boolean => !existsSync(file) || /\}\n+$/.test(readFileSync(file, "utf8"));

const isStopped = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) [TZ]/.test(readFileSync(`/proc/${String(pid)}/stat`, "utf8"));
  } catch {
    // It has ended.
    return true;
  }
};

/**
 * Does something to processes at a moment at which they have not written half of a state: what becomes of such a one is no
 * matter of ours. They are stopped first, and go on where they were in the middle of it, and afterwards where they live.
 */
export async function betweenWrites(
  stateFile: string,
  pids: readonly number[],
  act: () => void,
): Promise<void> {
  await until("the state is whole", async () => {
    for (const pid of pids) killIfThere(pid, "SIGSTOP");
    await until("they are stopped", () => pids.every(isStopped));
    const isTime = isWhole(stateFile);
    if (isTime) act();
    for (const pid of pids) killIfThere(pid, "SIGCONT");
    return isTime;
  });
}

export function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Looks again and again, for two minutes at most. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 120_000;
  while (performance.now() < end) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`within two minutes it did not come to this: ${what}`);
}
