import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import type { Announcement, MachinesFolder } from "./machines-folder.js";
import { poll } from "./poll.js";

const machinesSchema = z.object({
  machines: z.record(z.string(), z.object({ consul: z.url(), nomad: z.url(), running: z.boolean() })),
});

/** The machines of a simulator by name, with the base URLs of their agents. */
export type SimulatedMachines = z.output<typeof machinesSchema>["machines"];

const START_MS = 20_000;
const END_MS = 10_000;
const ANSWER_MS = 10_000;

/** The one process that speaks for all machines of a simulated cluster. It outlives whoever started it. */
export class SimulatorProcess {
  constructor(private readonly folder: MachinesFolder) {}

  /** Where it is found; undefined where none answers. */
  async find(): Promise<Announcement | undefined> {
    const announcement = this.folder.announcement();
    return announcement && (await answers(announcement.control)) ? announcement : undefined;
  }

  /**
   * Starts it, out of reach of the signals to whoever starts it. Call it under the lock of the folder.
   * @throws UserError with the last that it said, where it does not answer
   */
  async start(speed: number, signal: AbortSignal): Promise<Announcement> {
    const log = join(this.folder.path, "simulator.log");
    rmSync(this.folder.announcementFile, { force: true });
    const output = openSync(log, "w", 0o600);
    const child = spawn(
      process.execPath,
      [program(), "--announce", this.folder.announcementFile, "--factor", String(1 / speed)],
      { cwd: this.folder.path, detached: true, stdio: ["ignore", output, output], env: environment() },
    );
    closeSync(output);
    child.unref();
    let failure: string | undefined;
    child.once("error", ({ message }) => (failure = message));
    child.once("exit", (code, by) => (failure = `it ended with ${String(code ?? by)}`));
    const there = await poll(START_MS, async () => {
      signal.throwIfAborted();
      return failure ?? (await this.find());
    });
    if (typeof there === "object") return there;
    const why = there ?? `no answer within ${String(START_MS / 1000)} s`;
    const said = readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "";
    throw new UserError(
      `the simulator did not start: ${why}${said === "" ? "" : `: ${said}`}; see ${log}, and run this again`,
    );
  }

  /** Ends it: it goes once nobody can find it. @returns false where none ran */
  async end(): Promise<boolean> {
    const there = await this.find();
    rmSync(this.folder.announcementFile, { force: true });
    if (!there) return false;
    const ended = await poll(END_MS, async () => !(await answers(there.control)) || undefined);
    if (ended) return true;
    throw new UserError(
      `the simulator has not ended: process ${String(there.pid)} still answers at ${there.control}; end it by hand`,
    );
  }

  /** Does something by its control, and returns the machines as they are then. */
  async ask(
    control: string,
    method: "POST" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<SimulatedMachines> {
    return machinesSchema.parse(JSON.parse(await this.tell(control, method, path, body))).machines;
  }

  /** @returns its answer */
  async tell(control: string, method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(`${control}${path}`, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new UserError(`the simulator refuses ${method} ${path}: ${text.trim()}`);
  }
}

async function answers(control: string): Promise<boolean> {
  try {
    const response = await fetch(`${control}/machines`, { signal: AbortSignal.timeout(ANSWER_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Beside the bundle, or above that of hooks; in `bin` beside the compiled sources; in `dist/bin` where the sources themselves run. */
function program(): string {
  const places = ["./", "../../", "../../bin/", "../../dist/bin/"].map((path) =>
    fileURLToPath(new URL(`${path}simulator.js`, import.meta.url)),
  );
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new UserError("the simulator is not built; run: npm run build");
  return found;
}

/** Nothing of the environment is its business, and no secret goes into a process that stays. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"] ?? "" });
