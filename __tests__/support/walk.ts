import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { localMachines } from "../../clients/local-machines/machines.js";
import type { RealEnvironment } from "./environment.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A folder like a user's clone of this repository, in which the commands of a page are typed one after the other. */
export class Walk {
  private constructor(
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async create(real: Pick<RealEnvironment, "env">): Promise<Walk> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "rollout-how-to-")));
    cpSync(join(ROOT, "docs"), join(folder, "docs"), { recursive: true });
    mkdirSync(join(folder, "bin"));
    const programs = { rollout: "dist/bin/rollout.js", cdktf: "node_modules/.bin/cdktf" };
    const cases = Object.entries(programs).map(
      ([name, file]) => `${name}) shift; exec "${process.execPath}" "${join(ROOT, file)}" "$@";;`,
    );
    writeFileSync(join(folder, "bin/npx"), `#!/bin/sh\ncase $1 in\n${cases.join("\n")}\nesac\nexit 127\n`);
    chmodSync(join(folder, "bin/npx"), 0o755);
    const app = `"${process.execPath}" "${join(ROOT, "dist/main.js")}"`;
    writeFileSync(join(folder, "cdktf.json"), JSON.stringify({ language: "typescript", app }));
    writeFileSync(join(folder, ".gitignore"), "*\n!cluster.yaml\n");
    const env = {
      ...real.env,
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      GIT_AUTHOR_NAME: "ops",
      GIT_AUTHOR_EMAIL: "ops@example.org",
      GIT_COMMITTER_NAME: "ops",
      GIT_COMMITTER_EMAIL: "ops@example.org",
    };
    const walk = new Walk(folder, env);
    await walk.run(
      "git init -q -b main . && git add .gitignore && git commit -qm begin -f 2>/dev/null; true",
    );
    return walk;
  }

  /** Runs a line as a shell does; what it says on both outputs comes in its order. */
  async run(command: string): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
    const { exitCode, stdout } = await execa("bash", ["-c", `exec 2>&1\n${command}`], {
      cwd: this.folder,
      env: this.env,
      stdin: "ignore",
      reject: false,
    });
    return { exitCode, output: stripVTControlCharacters(stdout) };
  }

  async end(): Promise<void> {
    await localMachines(join(this.folder, ".rollout", "demo")).stopAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
