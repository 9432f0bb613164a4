import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";

/** How a program ended and all that it said, its errors last. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** A folder in which scripts of `docs/` are run, with programs of the test's own in place of those that they call. */
export class Scratch {
  private constructor(readonly folder: string) {}

  static async create(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), "rollout-scratch-")));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async write(path: string, content: string): Promise<string> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  /** Puts a shell script of this name before everything else on the PATH of what `run` starts. */
  program(name: string, script: string): Promise<void> {
    return this.script(`bin/${name}`, script);
  }

  async script(path: string, script: string): Promise<void> {
    await chmod(await this.write(path, `#!/bin/sh\n${script}\n`), 0o755);
  }

  async run(
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    const { exitCode, stdout, stderr } = await execa(program, args, {
      env: { PATH: `${join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`, ...env },
      reject: false,
    });
    return { exitCode, output: [stdout, stderr].filter((text) => text !== "").join("\n") };
  }
}
