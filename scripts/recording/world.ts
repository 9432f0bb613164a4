import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type App, TerraformStack } from "cdktf";
import { execa } from "execa";
import { buildApp, loadProgram } from "../../program/program.js";

/** A `cdk.tf.json`, to be tampered with. */
export interface Stack extends Record<string, unknown> {
  readonly resource: Record<string, Record<string, Block>>;
}

export type Block = Record<string, unknown>;

const STATE = "terraform.demo.tfstate";

type Environment = Readonly<Record<string, string>>;

/** A cluster in a folder of its own: spec, state, and the real Terraform. It remembers what was done to it. */
export class World {
  readonly steps: string[] = [];

  private constructor(
    private readonly folder: string,
    private readonly env: Environment,
  ) {}

  static create(folder: string, spec: string, env: Environment = {}): World {
    mkdirSync(folder, { recursive: true });
    const world = new World(folder, env);
    writeFileSync(world.specFile, spec);
    return world;
  }

  /** The same cluster in another folder. */
  copy(folder: string): World {
    mkdirSync(folder, { recursive: true });
    cpSync(this.folder, folder, { recursive: true, filter: (path) => !path.endsWith("/out") });
    return new World(folder, this.env);
  }

  get spec(): string {
    return readFileSync(this.specFile, "utf8");
  }

  /** The text of the state; that of an empty one where there is none. */
  get state(): string {
    try {
      return readFileSync(join(this.folder, STATE), "utf8");
    } catch {
      return JSON.stringify({
        version: 4,
        terraform_version: "",
        serial: 0,
        lineage: "",
        outputs: {},
        resources: [],
      });
    }
  }

  /** Replaces some text of the spec; a text that is not there is a mistake of the script. */
  edit(from: string, to: string): void {
    const text = this.spec;
    if (!text.includes(from)) throw new Error(`the spec has no ${from}`);
    writeFileSync(
      this.specFile,
      text.replace(from, () => to),
    );
    this.steps.push(`in cluster.yaml: ${from} -> ${to}`);
  }

  /** Synthesizes one view, as `cdktf synth` does. */
  async synth(view: string, add?: (stack: TerraformStack) => void): Promise<void> {
    const app = await this.program(view, [], add);
    app.synth();
    this.steps.push(`synthesize ${view}`);
  }

  /** Synthesizes the view of one batch of a group, as `rollout deploy` does. */
  async synthBatch(view: string, waiting: readonly string[]): Promise<void> {
    const app = await this.program(view, waiting);
    app.synth();
    this.steps.push(`synthesize ${view}, where ${waiting.join(", ")} waits`);
  }

  private async program(
    view: string,
    laterHosts: readonly string[] = [],
    add?: (stack: TerraformStack) => void,
  ) {
    const asked = view === "cluster" ? {} : { ROLLOUT_GROUP: view };
    const loaded = await loadProgram({ CLUSTER: this.specFile, ROLLOUT_CAUSE: "recorded", ...asked });
    const app = buildApp({ ...loaded, views: [view], laterHosts }, join(this.folder, "out"));
    add?.(stackOf(app, view));
    return app;
  }

  /** The synthesized stack of a view. */
  stack(view: string): Stack {
    return JSON.parse(readFileSync(this.stackFile(view), "utf8")) as Stack;
  }

  /** Edits a synthesized stack by hand. */
  tamper(view: string, what: string, edit: (stack: Stack) => void): void {
    const stack = this.stack(view);
    edit(stack);
    writeFileSync(this.stackFile(view), JSON.stringify(stack, null, 2));
    this.steps.push(`in cdk.tf.json: ${what}`);
  }

  /** Puts a file into the folder of a stack. */
  write(view: string, file: string, content: unknown): void {
    mkdirSync(join(this.stackFolder(view), file, ".."), { recursive: true });
    writeFileSync(join(this.stackFolder(view), file), JSON.stringify(content));
  }

  /** What `terraform show -json` prints of a plan that is made with some options. */
  async plan(view: string, ...options: string[]): Promise<string> {
    await this.terraform(view, ["plan", "-out=plan", ...options]);
    return this.show(view);
  }

  /** The plan of a view as it is by now. */
  async synthAndPlan(view: string, ...options: string[]): Promise<string> {
    await this.synth(view);
    return this.plan(view, ...options);
  }

  async show(view: string): Promise<string> {
    return (await this.run(view, ["show", "-json", "plan"])).stdout.trim();
  }

  /** A plan that ends with an error is written all the same. */
  async planFailing(view: string): Promise<string> {
    const { exitCode } = await this.terraform(view, ["plan", "-out=plan"], { mayFail: true });
    if (exitCode === 0) throw new Error("the plan was to fail");
    return this.show(view);
  }

  /** Synthesizes and applies a view. */
  async roll(view: string): Promise<void> {
    await this.synth(view);
    await this.terraform(view, ["apply", "-auto-approve"]);
  }

  /** Applies a view that breaks half-way. */
  async cutOff(view: string): Promise<void> {
    const { exitCode } = await this.terraform(view, ["apply", "-auto-approve"], { mayFail: true });
    if (exitCode === 0) throw new Error("the apply was to fail");
  }

  /** Terraform in the folder of a view. */
  async terraform(view: string, args: readonly string[], { mayFail = false } = {}) {
    await this.run(view, ["init", "-input=false", "-reconfigure"]);
    this.steps.push(`terraform ${args.join(" ")}`);
    return this.run(view, args, mayFail);
  }

  private async run(view: string, args: readonly string[], mayFail = false) {
    const [verb = "", ...rest] = args;
    const quiet = ["init", "plan", "apply"].includes(verb) ? ["-no-color"] : [];
    return execa("terraform", [verb, ...quiet, ...rest], {
      cwd: this.stackFolder(view),
      env: { CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1", TF_INPUT: "0", ...this.env },
      stdin: "ignore",
      reject: !mayFail,
    });
  }

  private get specFile(): string {
    return join(this.folder, "cluster.yaml");
  }

  private stackFolder(view: string): string {
    return join(this.folder, "out", /^name: (\S+)/m.exec(this.spec)?.[1] ?? "", view);
  }

  private stackFile(view: string): string {
    return join(this.stackFolder(view), "cdk.tf.json");
  }
}

function stackOf(app: App, view: string): TerraformStack {
  const stack = app.node.findChild(view);
  if (!(stack instanceof TerraformStack)) throw new Error(`${view} is no stack`);
  return stack;
}
