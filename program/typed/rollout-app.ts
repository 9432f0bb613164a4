import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { Aspects, TerraformElement, TerraformResource, TerraformStack, Testing } from "cdktf";
import { RootConstruct } from "constructs";
import type { Environment } from "../../clients/environment.js";
import { putFile } from "../../clients/put-file.js";
import { nothingDeployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { settingsOf } from "../../cluster/groups.js";
import { withRecordedSizes } from "../../cluster/recorded-sizes.js";
import { UserError } from "../../cluster/user-error.js";
import { inspectView } from "../../stacks/add-views.js";
import { baselineOf } from "../../stacks/baseline.js";
import type { ViewStack } from "../../stacks/view-stack.js";
import { heldViews } from "../held.js";
import { programOf, refusing, synthesize } from "../program.js";
import { EXAMPLE_IS_USED, type SpecFile, specPath } from "../read-spec.js";
import { reportFailure } from "../report-failure.js";
import { type Answer, type Asked, askedOf, isOfProgram, keepDesired } from "../run-program.js";
import { ClusterBase } from "./cluster-base.js";
import { YamlCluster } from "./yaml-cluster.js";

/** A program that declares one cluster. Its views are stacks for Terraform, which `npx cdktf` deploys. */
export class RolloutApp extends RootConstruct {
  /**
   * The app of a cluster that a YAML declares, to which code adds what is its own: `app.cluster.inEachView(…)`. That is named by
   * construct path in `rollout.ownResources`, since most verbs read the YAML alone.
   * @param file default: what `CLUSTER` names, else `cluster.yaml`
   */
  static fromYaml(file?: string): RolloutApp {
    const app = new RolloutApp();
    new YamlCluster(app, file);
    return app;
  }

  constructor() {
    super("");
  }

  /**
   * Reads the state and writes a stack for each view, and `desired.json` beside the program: what the cluster is meant to be,
   * which you commit. Where `rollout` runs the program, it does what that asks, and the process is ended 5 s later if something that
   * the program holds open, such as a connection, keeps it. A refusal is printed on standard error, and the
   * process ends with its exit code, 1 or 2.
   */
  async synth(env: Environment = process.env): Promise<void> {
    const outdir = env["CDKTF_OUTDIR"] ?? "cdktf.out";
    const asked = askedOf(env);
    if (asked) {
      putFile(asked.answer, JSON.stringify(this.answerTo(asked, outdir, env)));
      setTimeout(() => process.exit(), MAY_STAY_MS).unref();
      return;
    }
    try {
      const { source, desired } = this.declared(realpathSync(process.cwd()), env);
      if (isOfProgram(source)) {
        refuseOtherSpec(env);
        keepDesired(source.file, desired);
      }
      if (source.isExample) console.error(EXAMPLE_IS_USED);
      const program = await programOf(source, env);
      const held = await heldViews(program, env, Date.now());
      synthesize({ ...program, held }, outdir);
    } catch (error) {
      process.exitCode = reportFailure(error);
    }
  }

  private answerTo({ views }: Asked, outdir: string, env: Environment): Answer {
    try {
      const { source, desired } = this.declared(".", env);
      // The folder is that of whoever asks: a program may have gone elsewhere.
      if (views && views.cluster !== source.spec.name)
        throw new UserError(
          `the program of this folder declares ${source.spec.name}, and ${views.shown} is of ${views.cluster}; go to the folder of its program, or unset CLUSTER`,
          2,
        );
      if (views) {
        const spec = withRecordedSizes(source.spec, views.deployed);
        synthesize({ ...views, spec, addOwn: source.addOwn }, outdir);
      }
      return { desired };
    } catch (error) {
      if (error instanceof UserError) return { refused: error.message, exitCode: error.exitCode };
      throw error;
    }
  }

  /**
   * What a view declares, for a snapshot test: the view `cluster` of a cluster that is to be created, or that of a group that
   * is replaced in one that stands as declared. Nothing is read but the program, and nothing is written.
   * @returns a stack in Terraform's JSON, without what cdktf notes for itself
   * @throws UserError for what the guard refuses, and where nothing is of that name
   */
  viewOf(view = "cluster"): string {
    const { spec, addOwn } = this.declared(".", process.env).source;
    const rolled = structuredClone(spec);
    if (view !== "cluster") {
      const { pool, index } = findGroup(spec, view);
      const settings = settingsOf(pool, rolled);
      settings.generations ??= [0, 0, 0];
      settings.generations[index] += 1;
    }
    const deployed = view === "cluster" ? NOTHING : baselineOf(spec, "program", addOwn);
    return inspectView(view, { spec: rolled, deployed, cause: "<commit>", addOwn }, (stack) =>
      refusing(() => {
        stack.prepareStack();
        return Testing.synth(stack, true);
      }),
    );
  }

  /** What is declared, with the paths of what is the program's own. */
  private declared(folder: string, env: Environment): { source: SpecFile; desired: string } {
    const { cluster } = this;
    const addOwn = (view: ViewStack): void => {
      for (const { all } of [Aspects.of(this), Aspects.of(cluster)])
        for (const aspect of all) Aspects.of(view).add(aspect);
      cluster.addTo(view);
    };
    const lost = this.lost(cluster);
    if (lost.length > 0) throw new UserError(lost.join("\n"), 2);
    const ownIn = ({ spec }: Pick<SpecFile, "spec">): string[] =>
      inspectView("cluster", { spec, deployed: NOTHING, cause: "", ownResources: false }, (view) =>
        idsOf(view, addOwn),
      );
    const asking = { folder, env, ownResources: [] };
    const own = cluster.hasOwn ? ownIn(cluster.source(asking)) : [];
    const { desired, ...found } = cluster.source({ ...asking, ownResources: own });
    return { source: { ...found, addOwn }, desired };
  }

  /** What stands where nobody would look, and what the constructs have against themselves. */
  private lost(cluster: ClusterBase): string[] {
    const all = this.node.findAll();
    const strays = all.filter(
      (each) => TerraformStack.isStack(each) || TerraformElement.isTerraformElement(each),
    );
    const deaf = all.filter((each) => each !== this && each !== cluster && Aspects.of(each).all.length > 0);
    return [
      ...strays.map(
        ({ node }) =>
          `${node.path} is in no view; declare it in ${cluster.node.path}'s inEachView((view) => …)`,
      ),
      ...deaf.map(({ node }) => `${node.path} has an aspect, which reaches no view; add it to the cluster`),
      ...all.flatMap(({ node }) => node.validate().map((message) => `${node.path}: ${message}`)),
    ];
  }

  /** The cluster. @throws UserError where there is none, or a second one */
  get cluster(): ClusterBase {
    const [cluster, second] = this.node.findAll().filter((each) => each instanceof ClusterBase);
    if (!cluster)
      throw new UserError("the program declares no cluster; expected one: new Cluster(app, NAME, …)", 2);
    if (!second) return cluster;
    throw new UserError(
      `the program declares two clusters, ${cluster.node.path} and ${second.node.path}; expected one: each has a program of its own`,
      2,
    );
  }
}

/** How long a program may go on once it has answered: whoever has asked waits for its end. */
const MAY_STAY_MS = 5000;

/** `rollout` goes by that, and there would be two truths. */
function refuseOtherSpec(env: Environment): void {
  const file = specPath(env);
  if (isOfProgram({ file }) || ((env["CLUSTER"] ?? "") === "" && !existsSync(file))) return;
  throw new UserError(
    `all verbs go by ${basename(file)}, and the program declares a cluster, too; remove that file, or unset CLUSTER`,
    2,
  );
}

const NOTHING = nothingDeployed({ kind: "state", where: "none", serial: 0, lineage: "" });

/** The ids of those constructs of a view that hold resources of the program's own. */
function idsOf(view: ViewStack, addOwn: (view: ViewStack) => void): string[] {
  const ours = new Set(view.node.children);
  addOwn(view);
  return view.node.children
    .filter((child) => !ours.has(child))
    .filter((child) => child.node.findAll().some((each) => TerraformResource.isTerraformResource(each)))
    .map(({ node }) => node.id)
    .sort();
}
