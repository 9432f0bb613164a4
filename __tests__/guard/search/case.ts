import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseState } from "../../../clients/state/parse-state.js";
import { UserError } from "../../../cluster/user-error.js";
import { judgePlan } from "../../../guard/judge.js";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import { specOf as readSpec } from "../../cluster/yaml/example.js";
import { specOf, type Clusters } from "./clusters.js";
import { Dice, NothingToEdit } from "./dice.js";
import { copy, forget, type Draft, type Stack } from "./draft.js";
import { EDITS } from "./edits.js";
import { onlyTarget, wrongs, happened, type State } from "./oracle.js";
import { SCENARIOS, type Scenario } from "./scenarios.js";

/** What came of a case. */
export interface Outcome {
  /** The view, and each edit with what it did. */
  readonly story: readonly string[];
  readonly end: "accepted" | "rejected" | "not planned";
  /** Why it was rejected, in words that name nothing of this case; or why Terraform did not plan it. */
  readonly why: readonly string[];
  /** What the apply changed of each, and how. */
  readonly changes: readonly string[];
  /** What no accepted plan may do. */
  readonly wrongs: readonly string[];
  /** Whether nothing was changed but the group of the view. */
  readonly onlyTarget: boolean;
}

/** A case by its number: a view of a scenario, edited one to three times, planned, judged, and applied whatever the verdict. */
export async function runCase(clusters: Clusters, seed: number, number: number): Promise<Outcome> {
  const dice = new Dice(seed * 1_000_003 + number);
  const name = dice.of(Object.keys(SCENARIOS));
  // Every edit has its turn, at whatever view.
  const edits = Object.keys(EDITS);
  const first = edits[number % edits.length] ?? "";
  const chosen = [first, ...(dice.once(2) ? [dice.of(edits)] : []), ...(dice.once(4) ? [dice.of(edits)] : [])];
  return tryOut(clusters, name, chosen, dice);
}

export async function tryOut(
  clusters: Clusters,
  name: string,
  edits: readonly string[],
  dice: Dice,
): Promise<Outcome> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`no scenario is called ${name}`);
  const { view, base, waiting = [] } = scenario;
  const spec = specOf(scenario);
  const draft = await draftOf(clusters, scenario, spec);
  const story = [`the view ${view}: ${name}`];
  for (const edit of edits) story.push(`${edit}: ${await applied(edit, draft, dice)}`);

  const before = JSON.stringify(draft.state);
  const folder = clusters.lay(before, spec);
  try {
    const cwd = join(folder, "out", "demo", view);
    for (const [file, content] of Object.entries({ "cdk.tf.json": draft.stack, ...draft.files })) {
      mkdirSync(dirname(join(cwd, file)), { recursive: true });
      writeFileSync(join(cwd, file), JSON.stringify(content));
    }
    const nothing = { changes: [], wrongs: [], onlyTarget: true };
    for (const args of [["init"], ["plan", "-out=plan", ...draft.options]]) {
      const { exitCode, stderr } = await clusters.terraform(cwd, args);
      if (exitCode !== 0) return { story, end: "not planned", why: [headOf(stderr)], ...nothing };
    }
    const { stdout } = await clusters.terraform(cwd, ["show", "-json", "plan"]);
    const why = judge(stdout, before, spec);
    await clusters.terraform(cwd, ["apply", "plan"]);
    const after = readFileSync(join(folder, "terraform.demo.tfstate"), "utf8");
    return {
      story,
      end: why.length === 0 ? "accepted" : "rejected",
      why,
      changes: happened(before, after).map(({ address, what }) => `${address} ${what}`),
      wrongs: wrongs(view, before, after),
      onlyTarget: onlyTarget(view, before, after),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }

  async function draftOf(clusters: Clusters, { cut, options = [] }: Scenario, spec: string): Promise<Draft> {
    const state = JSON.parse(clusters.stateOf(base)) as State;
    const lost = state.resources.filter(({ name }) => cut?.test(name));
    for (const { type, name } of lost) forget({ state }, `${type}.${name}`);
    const text = JSON.stringify(state);
    return {
      view,
      stack: copy(await clusters.stack(text, spec, view, waiting)),
      state,
      options: [...options],
      files: {},
      rolled: (group): Promise<Stack> => clusters.stack(text, rolling(spec, group), group),
      before: () => clusters.stack(clusters.stateOf(base === "rolled" ? "standing" : base), specOf({ view }), view),
    };
  }
}

async function applied(edit: string, draft: Draft, dice: Dice): Promise<string> {
  try {
    return (await EDITS[edit]?.(draft, dice)) ?? "there is no such edit";
  } catch (error) {
    if (error instanceof NothingToEdit) return "nothing here";
    throw error;
  }
}

/** What `rollout check` says, one line for each violation; none for a plan that is accepted. */
function judge(plan: string, state: string, text: string): string[] {
  const spec = readSpec(text);
  try {
    const deployed = parseState(state, { where: "the state", cluster: spec.name, platform: spec.platform });
    const { violations } = judgePlan(readPlan(new TextEncoder().encode(plan)), { spec, deployed });
    return violations.map(({ rule, message }) => `${rule}: ${withoutNames(message)}`);
  } catch (error) {
    if (error instanceof NotAPlan) return [`not a plan: ${withoutNames(error.message)}`];
    if (error instanceof UserError) return [`not judged: ${withoutNames(error.message)}`];
    throw error;
  }
}

/** `3 groups would change in one plan: …` becomes `N groups would change in one plan`. */
const withoutNames = (message: string): string =>
  message
    .replace(/:.*$/s, "")
    .replace(/ \(.*?\)/gs, "")
    .replace(/\b(?:consul-server|nomad-server|name-server|broker)(?:-[012])?\b/g, "GROUP")
    .replace(/\b\d+\b/g, "N");

/** The first line of what Terraform says of an error. */
const headOf = (stderr: string): string => /Error: (.*)/.exec(stderr)?.[1] ?? stderr.slice(0, 200);

/** The spec in which a group is to be rolled beside whatever else is. */
function rolling(spec: string, group: string): string {
  const [, pool = "", index = "0"] = /^(.*)-([012])$/.exec(group) ?? [];
  const line = new RegExp(`(${pool}:[^[]*images: \\[)([^\\]]*)`, "s");
  const queued = spec.includes("pendingGroups") ? spec : spec.replace("rollout: {", "rollout: { pendingGroups: queue,");
  return queued.replace(line, (_, head: string, images: string) => {
    const all = images.split(", ");
    all[Number(index)] = "v9";
    return head + all.join(", ");
  });
}
