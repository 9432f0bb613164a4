import { existsSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import type { Status } from "../../rollout/status/status.js";
import type { RealEnvironment } from "../support/environment.js";
import type { StateFile } from "./state-file.js";
import { readRun, type TerraformRun } from "./terraform-run.js";

/** How a command ended and what it said, on both outputs, without colours. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

type Environment = Readonly<Record<string, string>>;

/** A `cdk.tf.json` as far as the tests look at it or tamper with it. */
export interface Stack {
  readonly resource: Record<string, Record<string, StackResource>>;
}

interface StackResource {
  provisioner?: { readonly "local-exec": { command: string; readonly when?: "destroy" } }[];
  [attribute: string]: unknown;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "dist", "main.js");
const cli = join(root, "dist", "bin", "rollout.js");
const cdktf = join(root, "node_modules", ".bin", "cdktf");
const RUN_HOOKS = join(root, "__tests__", "support", "run-hooks.mjs");

/** For a cluster without agents: a hook leaves its mark and no more, without a process of Node's, which takes longest. */
export const QUIET_HOOKS: Environment = {
  PATH: [join(root, "__tests__", "support", "node-stand-in"), process.env["PATH"]].join(delimiter),
};

/** The hooks as they are. */
export const REAL_HOOKS: Environment = { PATH: process.env["PATH"] ?? "" };

/**
 * A user's spec in a folder of its own, and the programs that a user runs on it: as they were built from this repository, which
 * `npm test` does first.
 */
export class Workspace {
  private constructor(
    private readonly real: Pick<RealEnvironment, "terraform" | "env">,
    /** Absolute and real. */
    readonly folder: string,
    /** The name of the cluster, of its spec and of its state: `demo`, `demo.yaml`, `terraform.demo.tfstate`. */
    private readonly cluster: string,
    private readonly env: Environment,
  ) {}

  /** @param env added to that of every program */
  static async create(
    real: Pick<RealEnvironment, "terraform" | "env">,
    spec: string,
    env: Environment = {},
  ): Promise<Workspace> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "rollout-deploy-")));
    const workspace = new Workspace(real, folder, "demo", env);
    await workspace.write(spec);
    return workspace;
  }

  /** Another cluster, whose spec lies in the same folder and whose stacks go to the same output folder. */
  async sibling(cluster: string, spec: string): Promise<Workspace> {
    const workspace = new Workspace(this.real, this.folder, cluster, this.env);
    await workspace.write(spec);
    return workspace;
  }

  /** The same, with more in the environment of every program. */
  with(env: Environment): Workspace {
    return new Workspace(this.real, this.folder, this.cluster, { ...this.env, ...env });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The text of the spec. */
  read(): Promise<string> {
    return readFile(this.specFile, "utf8");
  }

  async write(spec: string): Promise<void> {
    await writeFile(this.specFile, spec);
  }

  /** Replaces some text of the spec; a text that is not there is a mistake of the test. */
  async edit(...replacements: readonly (readonly [from: string, to: string])[]): Promise<void> {
    const text = replacements.reduce(
      (spec, [from, to]) => {
        if (!spec.includes(from)) throw new Error(`the spec does not contain ${from}`);
        return spec.replace(from, () => to);
      },
      await this.read(),
    );
    await this.write(text);
  }

  /**
   * `npx cdktf …` in the repository itself, as its users run it; but nothing is built. It asks `node` for its version, so its hooks
   * are as they are.
   */
  cdktf(args: readonly string[], env: Environment = {}): Promise<Outcome> {
    return this.run(cdktf, [...args, ...this.appWords()], { ...REAL_HOOKS, ...env }, root);
  }

  /** `npx cdktf deploy VIEW`, without asking. */
  deploy(view: string, env: Environment = {}): Promise<Outcome> {
    return this.cdktf(deployWords(view), env);
  }

  /** `npx cdktf destroy VIEW`, without asking. */
  destroy(view: string, env: Environment = {}): Promise<Outcome> {
    return this.cdktf(["destroy", view, "--auto-approve", "--skip-provider-lock"], env);
  }

  /** The stacks that `npx cdktf list` shows. */
  async list(): Promise<string[]> {
    const { output } = await this.cdktf(["list"]);
    return [...output.matchAll(/^(\S+) +\S*\/cdktf\.out\/\S+$/gm)].map(([, name = ""]) => name);
  }

  /** `rollout …` */
  rollout(args: readonly string[], env: Environment = {}): Promise<Outcome> {
    return this.run(process.execPath, [cli, ...args], env, this.folder);
  }

  /** The same, with what it prints and what it tells apart. Fails if it fails. */
  async rolloutApart(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    const { exitCode, stdout, stderr } = await this.startRollout(args);
    if (exitCode !== 0) throw new Error(stderr);
    return { stdout, stderr };
  }

  /** The same, to be ended by a signal. */
  startRollout(args: readonly string[], env: Environment = {}) {
    return this.start(process.execPath, [cli, ...args], env, this.folder);
  }

  /** `rollout deploy GROUP`, for its own to be ended: nobody is asked. */
  startDeploy(group: string, env: Environment = {}) {
    const args = [cli, "deploy", group, "--yes", "--confirm", group];
    return this.start(process.execPath, args, { CDKTF_OUTDIR: this.output, ...env }, this.folder);
  }

  /** Terraform's own apply of a view as it lies there, for its own to be ended. Call {@link init} first. */
  startApply(view: string, env: Environment = {}) {
    const args = ["apply", "-auto-approve", "-json"];
    return this.start(this.real.terraform, args, env, this.stackFolder(view), { detached: true });
  }

  /** `npx cdktf deploy VIEW`, for its own to be ended. */
  startCdktf(view: string, env: Environment = {}) {
    return this.start(cdktf, [...deployWords(view), ...this.appWords()], env, root, { detached: true });
  }

  /** `rollout status --format json` */
  async status(env: Environment = {}): Promise<Status> {
    const { output } = await this.rollout(["status", "--format", "json"], env);
    return JSON.parse(output) as Status;
  }

  /** The program that cdktf runs, alone: one second instead of five. Writes the stacks. */
  synth(env: Environment = {}): Promise<Outcome> {
    return this.run(process.execPath, [program], { ...env, CDKTF_OUTDIR: this.output }, this.folder);
  }

  /** Synthesizes and applies a view as `cdktf deploy` does. Fails if that fails. */
  async roll(view: string, env: Environment = {}): Promise<TerraformRun> {
    const { exitCode, output } = await this.synth(env);
    if (exitCode !== 0) throw new Error(output);
    const run = await this.apply(view);
    if (run.exitCode !== 0) throw new Error(run.errors.join("\n"));
    return run;
  }

  /**
   * Creates a cluster of simulated agents as `roll("cluster")` does, but runs its hooks after the apply, in one process: those of
   * each machine take longer to start than all the rest.
   */
  async createSimulated(): Promise<void> {
    await this.with(QUIET_HOOKS).roll("cluster");
    const hooks = await this.run(process.execPath, [RUN_HOOKS], {}, this.stackFolder("cluster"));
    if (hooks.exitCode !== 0) throw new Error(hooks.output);
  }

  /** Terraform's own apply of a view as it lies there. */
  apply(view: string, ...options: readonly string[]): Promise<TerraformRun> {
    return this.terraform(view, ["apply", "-auto-approve", ...options]);
  }

  /** Any command of Terraform that makes or applies a plan. */
  async terraform(view: string, args: readonly string[]): Promise<TerraformRun> {
    await this.init(view);
    const { exitCode, stdout } = await this.startTerraform(view, args);
    return readRun(exitCode ?? -1, stdout);
  }

  /** `Terraform v1.11.4` */
  async terraformVersion(): Promise<string> {
    const { output } = await this.run(this.real.terraform, ["version"], {}, this.folder);
    return output.split("\n")[0] ?? "";
  }

  /** Any other command of Terraform in the folder of a view. */
  async terraformText(view: string, args: readonly string[]): Promise<Outcome> {
    await this.init(view);
    return this.run(this.real.terraform, args, {}, this.stackFolder(view));
  }

  /** Terraform's own apply of a view, ended by Ctrl-C once a hook of it has said something. */
  async interrupt(view: string, said: string): Promise<TerraformRun> {
    await this.init(view);
    const running = this.startTerraform(view, ["apply", "-auto-approve"]);
    for await (const line of running.iterable({ from: "stdout" })) {
      if (readRun(0, line).hooks.includes(said)) running.kill("SIGINT");
    }
    const { exitCode, stdout } = await running;
    return readRun(exitCode ?? -1, stdout);
  }

  /** Ctrl-C at a terminal, which reaches Terraform and its hooks alike, once a hook has said something. */
  async interruptAll(view: string, said: RegExp): Promise<TerraformRun> {
    await this.init(view);
    const args = ["apply", "-auto-approve", "-json"];
    const running = this.start(this.real.terraform, args, {}, this.stackFolder(view), { detached: true });
    for await (const line of running.iterable({ from: "stdout" })) {
      if (readRun(0, line).hooks.some((each) => said.test(each)) && running.pid !== undefined)
        process.kill(-running.pid, "SIGINT");
    }
    const { exitCode, stdout } = await running;
    return readRun(exitCode ?? -1, stdout);
  }

  /** Edits a synthesized stack by hand. */
  async tamper(view: string, change: (stack: Stack) => void): Promise<void> {
    const file = join(this.stackFolder(view), "cdk.tf.json");
    const stack = JSON.parse(await readFile(file, "utf8")) as Stack;
    change(stack);
    await writeFile(file, JSON.stringify(stack));
  }

  /** The state file beside the spec, as Terraform wrote it. */
  async state(): Promise<StateFile> {
    return JSON.parse(await readFile(this.stateFile, "utf8")) as StateFile;
  }

  /** Puts a state there, as if all of it had been deployed from this folder. */
  async putState(state: StateFile): Promise<void> {
    await writeFile(this.stateFile, JSON.stringify(state));
  }

  get stateFile(): string {
    return join(this.folder, `terraform.${this.cluster}.tfstate`);
  }

  /** Where the stacks are written. */
  get output(): string {
    return join(this.folder, "cdktf.out");
  }

  /** Where a view is written. */
  stackFolder(view: string): string {
    return join(this.output, this.cluster, view);
  }

  /** Does nothing where it has been done for the present backend. */
  async init(view: string): Promise<void> {
    const folder = this.stackFolder(view);
    if (existsSync(join(folder, ".terraform", "terraform.tfstate"))) return;
    const { exitCode, output } = await this.run(this.real.terraform, ["init", "-no-color"], {}, folder);
    if (exitCode !== 0) throw new Error(output);
  }

  private appWords(): string[] {
    return ["--app", `"${process.execPath}" "${program}"`, "--output", this.output];
  }

  private startTerraform(view: string, args: readonly string[]) {
    return this.start(this.real.terraform, [...args, "-json"], {}, this.stackFolder(view));
  }

  private async run(file: string, args: readonly string[], env: Environment, cwd: string): Promise<Outcome> {
    const { exitCode, all } = await this.start(file, args, env, cwd);
    const output = stripVTControlCharacters(all).replaceAll(this.folder, "<folder>");
    return { exitCode: exitCode ?? -1, output };
  }

  private start(
    file: string,
    args: readonly string[],
    env: Environment,
    cwd: string,
    options: { readonly detached?: boolean } = {},
  ) {
    return execa(file, args, {
      ...options,
      cwd,
      env: { ...this.real.env, CLUSTER: this.specFile, ...this.env, ...env },
      stdin: "ignore",
      reject: false,
      all: true,
    });
  }

  /** The spec, absolute. */
  get specFile(): string {
    return join(this.folder, `${this.cluster}.yaml`);
  }
}

const deployWords = (view: string): string[] => [
  ...["deploy", view],
  ...["--auto-approve", "--skip-provider-lock", "--terraform-parallelism", "30"],
];

/** Why cdktf's synth was refused: what the program said on standard error. */
export function refusalOf({ exitCode, output }: Outcome): string {
  const said = output.split("Command output on stderr:\n\n")[1]?.split("\n\n")[0];
  if (exitCode !== 1 || said === undefined) throw new Error(`it was not refused at synth: ${output}`);
  return said.trim().replace(/^ +/gm, "");
}
