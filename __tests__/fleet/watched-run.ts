import { stripVTControlCharacters } from "node:util";
import { processesIn } from "../deploy/running-deploy.js";
import type { Outcome, Workspace } from "../deploy/workspace.js";
import { until } from "./until.js";

/** A run of the program that is looked at while it goes on. */
export class WatchedRun {
  #said = "";
  #end: Outcome | undefined;
  readonly #ended: Promise<Outcome>;

  constructor(
    private readonly workspace: Workspace,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    const child = workspace.startRollout(args, env);
    child.all.on("data", (data: Buffer) => (this.#said += data.toString()));
    this.#ended = child.then(({ exitCode, all }) => {
      this.#end = { exitCode: exitCode ?? -1, output: stripVTControlCharacters(all) };
      return this.#end;
    });
  }

  get said(): string {
    return this.#said;
  }

  /** Waits until it has said something. */
  async see(text: RegExp): Promise<void> {
    await this.#until(`${String(text)} is said`, () => text.test(this.#said));
  }

  /** Waits until one of the processes that it has started has such an argument. */
  async seeProcess(word: string): Promise<void> {
    await this.#until(`a process of ${word}`, () =>
      processesIn(this.workspace.folder).some(({ command }) => command.includes(word)),
    );
  }

  /** SIGKILL to the driver and to all that it has started: Terraform, its hooks, ssh. */
  async kill(): Promise<void> {
    await until("nothing runs any more", () => {
      const left = processesIn(this.workspace.folder);
      for (const { pid } of left) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended by itself.
        }
      }
      return left.length === 0;
    });
    await this.#ended;
  }

  end(): Promise<Outcome> {
    return this.#ended;
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    await until(`${what}, or the run has ended`, () => isSo() || this.#end !== undefined, {
      seconds: 600,
      tell: () => this.#said,
    });
    if (!isSo()) throw new Error(`the run has ended before ${what}:\n${this.#said}`);
  }
}
