import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseState } from "../../../clients/state/parse-state.js";
import { UserError } from "../../../cluster/user-error.js";
import { judgePlan } from "../../../guard/judge.js";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import { specOf as readSpec } from "../../cluster/yaml/example.js";
import { layStack, specOf, type Clusters } from "./clusters.js";
import { Dice, NothingToEdit } from "./dice.js";
import { copy, forget, type Draft } from "./draft.js";
import { EDITS } from "./edits.js";
import { groupsWithHosts, happened, wrongsIn, type State } from "./oracle.js";
import { SCENARIOS, type Scenario } from "./scenarios.js";

/** How many kinds of edits there are: as many cases have one of each. */
export const KINDS = Object.keys(EDITS).length;

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
  const chosen = [
    first,
    ...(dice.once(2) ? [dice.of(edits)] : []),
    ...(dice.once(4) ? [dice.of(edits)] : []),
  ];
  return tryOut(clusters, name, chosen, dice);
}

async function tryOut(
  clusters: Clusters,
  name: string,
  edits: readonly string[],
  dice: Dice,
): Promise<Outcome> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`no scenario is called ${name}`);
  const draft = await draftOf(clusters, scenario);
  const story = [`the view ${draft.view}: ${name}`];
  for (const edit of edits) story.push(`${edit}: ${await applied(edit, draft, dice)}`);

  const truth = JSON.stringify(draft.state);
  const before = draft.elsewhere ? JSON.stringify(draft.elsewhere) : truth;
  const folder = clusters.lay(truth, draft.spec);
  try {
    const cwd = layStack(folder, draft.view, {
      "cdk.tf.json": draft.stack,
      ...(draft.elsewhere ? { "../../../elsewhere.tfstate": draft.elsewhere } : {}),
      ...draft.files,
    });
    for (const args of [["init"], ["plan", "-out=plan", ...draft.options]]) {
      const { exitCode, stderr } = await clusters.terraform(cwd, args);
      if (exitCode !== 0) {
        return {
          story,
          end: "not planned",
          why: [headOf(stderr)],
          changes: [],
          wrongs: [],
          onlyTarget: true,
        };
      }
    }
    const { stdout } = await clusters.terraform(cwd, ["show", "-json", "plan"]);
    const why = judge(stdout, truth, draft.spec);
    await clusters.terraform(cwd, ["apply", "plan"]);
    const after = readFileSync(
      join(folder, draft.elsewhere ? "elsewhere.tfstate" : "terraform.demo.tfstate"),
      "utf8",
    );
    const changes = happened(before, after, truth);
    const view = namedIn(draft);
    return {
      story,
      end: why.length === 0 ? "accepted" : "rejected",
      why,
      changes: changes.map(({ address, what }) => `${address} ${what}`),
      wrongs: wrongsIn(view, changes, truth, draft.spec),
      onlyTarget: changes.every(({ place }) => place?.group === view),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function draftOf(clusters: Clusters, scenario: Scenario): Promise<Draft> {
  const { view, base, cut, waiting = [], options = [] } = scenario;
  const spec = specOf(scenario);
  const state = JSON.parse(clusters.stateOf(base)) as State;
  for (const { type, name } of state.resources.filter(({ name }) => cut?.test(name))) {
    forget({ state }, `${type}.${name}`);
  }
  const text = JSON.stringify(state);
  const draft: Draft = {
    view,
    spec,
    stack: copy(await clusters.stack(text, spec, view, waiting)),
    state,
    options: [...options],
    files: {},
    rolled: (group) => {
      if (!groupsWithHosts(text).has(group)) throw new NothingToEdit();
      draft.spec = rolling(draft.spec, group);
      return clusters.stack(text, draft.spec, group);
    },
    stale: () => clusters.stack(clusters.stateOf("standing"), specOf({ view }), view),
  };
  return draft;
}

/** The view that the plan says it is of. */
function namedIn({ stack, options }: Draft): string {
  const byOption = options.findLast((option) => option.startsWith("-var=rollout_view="));
  const { rollout_view: named } = stack["variable"] as Record<string, { default: string }>;
  return byOption?.split("=").at(-1) ?? named?.default ?? "";
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
    if (error instanceof NotAPlan)
      return [`not a plan: ${withoutNames(error.message.replace(/^not a plan: /, ""))}`];
    if (error instanceof UserError) return [`not judged: ${withoutNames(error.message)}`];
    throw error;
  }
}

/** `broker-1 would change in the view broker-0: …` becomes `GROUP would change in the view GROUP`. */
const withoutNames = (message: string): string =>
  message
    .replace(/: .*$/s, "")
    .replace(/ \(.*?\)/gs, "")
    .replace(/(?<=view )[\w-]+/g, "GROUP")
    .replace(/\b(?:consul-server|nomad-server|name-server|broker)-[012](?:-[\w-]+)?/g, "GROUP")
    .replace(/GROUP(?:, GROUP)+/g, "GROUP")
    .replace(/\b\d+ (machine|hook)s?\b/g, "N $1s")
    .replace(/\b\d+\b/g, "N");

/** The first line of what Terraform says of an error. */
const headOf = (stderr: string): string =>
  [...stderr.matchAll(/Error: (.*)/g)].at(-1)?.[1] ?? stderr.slice(0, 200);

/** The spec in which a group is to be rolled beside whatever else is. */
function rolling(spec: string, group: string): string {
  const [, pool = "", index = "0"] = /^(.*)-([012])$/.exec(group) ?? [];
  const line = new RegExp(`(${pool}:[^[]*images: \\[)([^\\]]*)`, "s");
  const queued = spec.includes("pendingGroups")
    ? spec
    : spec.replace("rollout: {", "rollout: { pendingGroups: queue,");
  return queued.replace(line, (_, head: string, images: string) => {
    const all = images.split(", ");
    all[Number(index)] = "v9";
    return head + all.join(", ");
  });
}
