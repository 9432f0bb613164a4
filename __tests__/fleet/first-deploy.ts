import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { readRepository } from "../support/consul-agent.js";

/** What a person has who follows docs/how-to/10-first-deploy-with-acls.md: its commands are run as they stand there. */
export class FirstDeploy {
  private constructor(
    /** Where demo-secrets is. */
    readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
    /** The blocks of commands of each step. */
    private readonly steps: ReadonlyMap<string, readonly string[]>,
  ) {}

  static async in(parent: string, env: Readonly<Record<string, string>>): Promise<FirstDeploy> {
    const folder = join(parent, "page");
    const programs = join(folder, "bin");
    await mkdir(programs, { recursive: true });
    const put = async (name: string, command: string): Promise<void> => {
      await writeFile(join(programs, name), `#!/bin/sh\nexec ${command}\n`);
      await chmod(join(programs, name), 0o755);
    };
    // What ~/.ssh/config is to a person.
    await put("ssh", `/usr/bin/ssh -F ${env["ROLLOUT_SSH_CONFIG"] ?? ""} "$@"`);
    await put("uuidgen", "cat /proc/sys/kernel/random/uuid");
    const page = await readRepository("docs/how-to/10-first-deploy-with-acls.md");
    // As the page says of Consul before 1.11.
    const steps = page.replaceAll("initial_management", "master").split(/^## /m).slice(1);
    const PATH = `${programs}:${process.env["PATH"] ?? ""}`;
    return new FirstDeploy(
      folder,
      { ...env, PATH },
      new Map(steps.map((step) => [step.slice(0, 1), blocksOf(step)])),
    );
  }

  /** The commands of a step, in the folder that the step before has left. */
  run(step: string): Promise<string> {
    const folder = step === "1" ? "" : "cd demo-secrets\n";
    return this.bash(`${folder}${this.#block(step)}`);
  }

  /** The commands of a step in a terminal of its own, with the address of the server that it goes to. */
  meanwhile(step: string, address: string): Promise<string> {
    const block = this.#block(step).replace(/\b(CONSUL|NOMAD)_SERVER\b/, address);
    return this.bash(`${this.#block("3", 0)}${block}`);
  }

  /** What the deploy of step 3 finds in its environment. */
  async variables(): Promise<Record<string, string>> {
    const exports = this.#block("3", 1)
      .split("\n")
      .filter((line) => line.startsWith("export "))
      .join("\n");
    const said = await this.bash(`${this.#block("3", 0)}${exports}\nenv`);
    const lines = said.split("\n").map((line) => /^((?:ROLLOUT|CONSUL|NOMAD)_\w+)=(.*)$/.exec(line));
    return Object.fromEntries(
      lines.flatMap((found) => (found ? [[found[1] ?? "", found[2] ?? ""] as const] : [])),
    );
  }

  /** Not by a pipe, which what a command leaves in the background would hold. */
  async bash(script: string): Promise<string> {
    const log = join(this.folder, "said");
    const { exitCode } = await execa("bash", ["-euo", "pipefail", "-c", `exec > '${log}' 2>&1\n${script}`], {
      cwd: this.folder,
      // Empty it is no profile to AWS's own program.
      env: { ...this.env, AWS_PROFILE: undefined },
      stdin: "ignore",
      reject: false,
    });
    const said = await readFile(log, "utf8");
    if (exitCode !== 0) throw new Error(`${script}\nended with ${String(exitCode)}: ${said}`);
    return said;
  }

  #block(step: string, number = 0): string {
    const block = this.steps.get(step)?.[number];
    if (block === undefined) throw new Error(`step ${step} of the page has no block ${String(number)}`);
    return block;
  }
}

const blocksOf = (step: string): string[] =>
  [...step.matchAll(/^```\n(.*?)^```$/gms)].map(([, block = ""]) => block);
