import { execa } from "execa";
import type { AccountProps } from "./account.js";

/** How long Terraform may take to end what it has begun. */
const PATIENCE_MS = 60_000;

/** The scenarios, in processes of their own: none of these may start a machine once it is taken down. */
export class Scenarios {
  #isStopped = false;

  private constructor(private readonly child: ReturnType<typeof startJest>) {}

  static start(props: AccountProps, only: string | undefined): Scenarios {
    return new Scenarios(startJest(props, only));
  }

  /** As Ctrl-C does; what has not ended then is killed. */
  stop(): void {
    this.#isStopped = true;
    this.#signal("SIGINT");
    setTimeout(() => this.#signal("SIGKILL"), PATIENCE_MS).unref();
  }

  /** @returns the exit code, once the last of the processes has ended */
  async ended(): Promise<number> {
    const { exitCode = 1 } = await this.child;
    while (this.#signal(this.#isStopped ? 0 : "SIGKILL"))
      await new Promise((resolve) => setTimeout(resolve, 200));
    return exitCode;
  }

  /** @returns whether there was a process that could get it */
  #signal(signal: NodeJS.Signals | 0): boolean {
    const { pid } = this.child;
    try {
      // It leads a group of its own, to which all belong that it starts.
      return pid !== undefined && process.kill(-pid, signal);
    } catch {
      return false;
    }
  }
}

function startJest(props: AccountProps, only: string | undefined) {
  // The first two make what the others roll.
  const titles = only === undefined ? [] : ["-t", `is created|runs work|${only}`];
  return execa(
    process.execPath,
    ["node_modules/.bin/jest", "--config", "jest.acceptance.config.js", "--runInBand", ...titles],
    {
      detached: true,
      reject: false,
      // Open for as long as this one lives.
      stdin: "pipe",
      stdout: "inherit",
      stderr: "inherit",
      env: {
        NODE_OPTIONS: "--experimental-vm-modules",
        ROLLOUT_ACCEPTANCE: JSON.stringify(props),
        ROLLOUT_TEST_REQUIRE: "all",
      },
    },
  );
}
