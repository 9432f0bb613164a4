import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TerraformStack } from "cdktf";
import { execa } from "execa";
import { TerraformData } from "../../../constructs/terraform-data.js";
import { buildApp, loadProgram } from "../../../program/program.js";
import type { RealEnvironment } from "../../support/environment.js";
import type { Stack } from "./draft.js";
import { SPEC, type Base, type Scenario } from "./scenarios.js";

const STATE = "terraform.demo.tfstate";

/** There are no agents that a hook could ask. */
const NODE_STAND_IN = fileURLToPath(new URL("../../support/node-stand-in", import.meta.url));

/** Clusters that were made by the real Terraform, once for all cases: the texts of their specs and states. */
export class Clusters {
  private readonly states = new Map<Base, string>();
  private readonly stacks = new Map<string, Promise<Stack>>();
  private folders = 0;

  private constructor(
    private readonly real: RealEnvironment,
    private readonly folder: string,
  ) {}

  static async create(real: RealEnvironment): Promise<Clusters> {
    const clusters = new Clusters(real, mkdtempSync(join(tmpdir(), "rollout-search-")));
    // Twice, or a Consul server could not be planned: until the next apply the state remembers how the first one went.
    let state = await clusters.rolled(await clusters.rolled("", SPEC, "cluster"), SPEC, "cluster");
    clusters.states.set("standing", state);
    const spec = specOf({ view: "broker-0", spec: [["[v1, v1, v1] # broker", "[v2, v1, v1] # broker"]] });
    clusters.states.set("rolled", await clusters.rolled(state, spec, "broker-0"));
    const retiring = specOf({
      view: "cluster",
      spec: [["hosts: [2, 1, 1]", "retire: keep-volumes\n    hosts: [2, 1, 1]"]],
    });
    for (const view of ["broker-0", "broker-1", "broker-2"])
      state = await clusters.rolled(state, retiring, view);
    clusters.states.set("emptied", state);
    return clusters;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  stateOf(base: Base = "standing"): string {
    return this.states.get(base) ?? "";
  }

  /** A view of a spec and a state. Not to be changed. */
  stack(state: string, spec: string, view: string, waiting: readonly string[] = []): Promise<Stack> {
    const key = JSON.stringify([state, spec, view, waiting]);
    const known = this.stacks.get(key);
    if (known) return known;
    const made = this.render(this.lay(state, spec), view, waiting);
    this.stacks.set(key, made);
    return made;
  }

  /** Spec and state in a folder of their own. */
  lay(state: string, spec: string): string {
    const folder = join(this.folder, String(this.folders++));
    mkdirSync(folder);
    writeFileSync(join(folder, "cluster.yaml"), spec);
    if (state !== "") writeFileSync(join(folder, STATE), state);
    return folder;
  }

  /** Terraform in a folder, and how it ended. */
  async terraform(folder: string, args: readonly string[]) {
    const { exitCode, stdout, stderr } = await execa(
      this.real.terraform,
      [...args, ...(args[0] === "show" ? [] : ["-no-color"])],
      {
        cwd: folder,
        env: { ...this.real.env, PATH: `${NODE_STAND_IN}:${process.env["PATH"] ?? ""}` },
        stdin: "ignore",
        reject: false,
      },
    );
    return { exitCode, stdout, stderr };
  }

  /** Not by `synth()`, which refuses what is not to be: here Terraform is asked all the same. */
  private async render(folder: string, view: string, waiting: readonly string[]): Promise<Stack> {
    const asked = view === "cluster" ? {} : { ROLLOUT_GROUP: view };
    const program = await loadProgram({
      CLUSTER: join(folder, "cluster.yaml"),
      ROLLOUT_CAUSE: "searched",
      ...asked,
    });
    const app = buildApp({ ...program, views: [view], laterHosts: waiting }, join(folder, "out"));
    const stack = app.node.findChild(view);
    if (!(stack instanceof TerraformStack)) throw new Error(`${view} is no stack`);
    new TerraformData(stack, { name: "zone", protection: "live", input: "a" });
    stack.prepareStack();
    return JSON.parse(JSON.stringify(stack.toTerraform())) as Stack;
  }

  /** The state once a view has been applied. */
  private async rolled(state: string, spec: string, view: string): Promise<string> {
    const folder = this.lay(state, spec);
    const cwd = layStack(folder, view, { "cdk.tf.json": await this.render(folder, view, []) });
    for (const args of [["init"], ["apply", "-auto-approve"]]) {
      const { exitCode, stderr } = await this.terraform(cwd, args);
      if (exitCode !== 0) throw new Error(stderr);
    }
    return readFileSync(join(folder, STATE), "utf8");
  }
}

/** Writes files into the folder of a stack, and says where that is. */
export function layStack(folder: string, view: string, files: Readonly<Record<string, unknown>>): string {
  const cwd = join(folder, "out", "demo", view);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), JSON.stringify(content));
  }
  return cwd;
}

/** The text of a scenario's spec. */
export const specOf = ({ spec = [], base }: Scenario): string =>
  spec.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`the spec has no ${from}`);
      return text.replace(from, () => to);
    },
    base === "rolled" ? SPEC.replace("[v1, v1, v1] # broker", "[v2, v1, v1] # broker") : SPEC,
  );
