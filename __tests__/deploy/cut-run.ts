import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Case } from "./kill-matrix.js";
import { applyLogs, betweenWrites, killIfThere, processesIn, until } from "./running-deploy.js";
import type { Workspace } from "./workspace.js";

const HOLD_HOOK = new URL("../support/hold-hook.mjs", import.meta.url).href;

/** A hook that is to begin and to do nothing. */
export interface Hold {
  /** Matches its words, its gate after them. */
  readonly words: RegExp;
  /** The same where the roll is cut off once more. @default words */
  readonly again?: RegExp;
  /** From which of those on that match. @default 1 */
  readonly from?: number;
  /** Matches hooks that wait until it is held, so that they end after it has begun. */
  readonly before?: RegExp;
}

export interface CutRunOptions {
  readonly runner: Case["runner"];
  readonly view: string;
  readonly hold?: Hold;
  /** A module that every Node process of it loads, and that can hold a hook; default: that alone. */
  readonly hook?: string;
  /** Whose `.rollout/NAME` the driver's logs are in. */
  readonly runFolder: string;
  /** The program of Terraform. */
  readonly terraform: string;
}

/** A run of one of the three programs that roll a group, for somebody to end it where it hurts. */
export class CutRun {
  #said = "";
  #isOver = false;
  readonly #before: ReadonlySet<string>;

  private constructor(
    private readonly child: ReturnType<Workspace["startApply"]>,
    private readonly folder: string,
    private readonly stateFile: string,
    private readonly holdFolder: string,
    private readonly options: CutRunOptions,
  ) {
    this.#before = new Set(applyLogs(options.runFolder));
    child.all.on("data", (data: Buffer) => (this.#said += data.toString()));
    void child.then(() => (this.#isOver = true));
  }

  /** For plain Terraform, what is applied is synthesized first. */
  static async start(workspace: Workspace, options: CutRunOptions): Promise<CutRun> {
    const { runner, view, hold, hook = HOLD_HOOK } = options;
    const holdFolder = mkdtempSync(join(workspace.folder, "hold-"));
    const env = {
      NODE_OPTIONS: `--import=${hook}`,
      HOLD_FOLDER: holdFolder,
      ...(hold ? { HOLD_HOOK: hold.words.source, HOLD_FROM: String(hold.from ?? 1) } : {}),
      ...(hold?.before ? { HOLD_BEFORE: hold.before.source } : {}),
    };
    if (runner === "apply") {
      const { exitCode, output } = await workspace.synth();
      if (exitCode !== 0) throw new Error(output);
      await workspace.init(view);
    }
    const start = {
      driver: () => workspace.startDeploy(view, env),
      apply: () => workspace.startApply(view, env),
      cdktf: () => workspace.startCdktf(view, env),
    };
    return new CutRun(start[runner](), workspace.folder, workspace.stateFile, holdFolder, options);
  }

  /** Waits until the hook is held. */
  async held(): Promise<void> {
    await this.#until("the hook has begun", () => existsSync(join(this.holdFolder, "held")));
  }

  /** Waits until Terraform, or who runs it, has said all of these. */
  async said(texts: readonly RegExp[]): Promise<void> {
    await this.#until(texts.map(String).join(" and "), () => {
      const said = this.#saidByAll();
      return texts.every((text) => text.test(said));
    });
  }

  /** Ends it as the case says, and waits until nothing of it runs. */
  async cut(signal: Case["signal"]): Promise<void> {
    const killRunner = (): void => {
      killIfThere(this.#pid, "SIGKILL");
    };
    const terraform = this.#terraform();
    switch (signal) {
      case "kill runner":
        await betweenWrites(this.stateFile, terraform, killRunner);
        // The driver's Terraform goes on alone, to its end; that of cdktf ends with its terminal.
        if (this.options.runner === "driver") writeFileSync(join(this.holdFolder, "release"), "");
        break;
      case "kill terraform":
        await betweenWrites(this.stateFile, terraform, () => {
          for (const pid of terraform) killIfThere(pid, "SIGKILL");
        });
        break;
      case "kill all":
      case "kill all twice":
        await betweenWrites(this.stateFile, terraform, () => {
          this.#killAll();
        });
        break;
      case "SIGINT twice": {
        const interrupt = (): void => {
          this.interrupt();
        };
        await betweenWrites(this.stateFile, terraform, interrupt);
        await until("the first is heard", () => this.#isOver || INTERRUPTED.test(this.#saidByAll()));
        // The second one ends Terraform at once, and the first has made it write.
        if (!this.#isOver) await betweenWrites(this.stateFile, this.#terraform(), interrupt);
      }
    }
    await this.#over();
  }

  /** Ends it whatever it does. */
  async kill(): Promise<void> {
    this.#killAll();
    await this.#over();
  }

  async #over(): Promise<void> {
    await this.end();
    await until("nothing runs", () => processesIn(this.folder).length === 0);
  }

  async end(): Promise<{ exitCode: number | undefined; output: string }> {
    const { exitCode, all } = await this.child;
    return { exitCode, output: all };
  }

  /** Ctrl-C at a terminal: reaches all that runs there. Terraform of the driver does not. */
  interrupt(): void {
    if (this.options.runner === "driver") killIfThere(this.#pid, "SIGINT");
    else killIfThere(-this.#pid, "SIGINT");
  }

  #killAll(): void {
    killIfThere(this.#pid, "SIGKILL");
    for (const { pid } of processesIn(this.folder)) killIfThere(pid, "SIGKILL");
  }

  #terraform(): number[] {
    const name = basename(this.options.terraform);
    return processesIn(this.folder).flatMap(({ pid, command }) => {
      const program = basename(command[0] ?? "");
      return program === name || program.startsWith("terraform-provider-") ? [pid] : [];
    });
  }

  get #pid(): number {
    if (this.child.pid === undefined) throw new Error("it did not start");
    return this.child.pid;
  }

  #saidByAll(): string {
    const logs = applyLogs(this.options.runFolder).filter((file) => !this.#before.has(file));
    return [this.#said, ...logs.map((file) => readFileSync(file, "utf8"))].join("\n");
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    await until(what, () => {
      if (isSo()) return true;
      if (this.#isOver) throw new Error(`it ended before: ${what}\n${this.#saidByAll().slice(-5000)}`);
      return false;
    });
  }
}

/** By the driver, by Terraform. */
const INTERRUPTED = /stopping after this step|Interrupt received|[Ii]nterrupted/;
