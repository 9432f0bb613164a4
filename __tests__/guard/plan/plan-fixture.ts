import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parseState } from "../../../clients/state/parse-state.js";
import { judgePlan } from "../../../guard/judge.js";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import type { RuleId, Verdict } from "../../../guard/verdict.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { loadSpec } from "../../../cluster/yaml/load.js";
import type { Spec } from "../../../cluster/yaml/schema.js";

/** A plan of the real Terraform with what it is judged against; see fixtures/README.md. */
export interface PlanFixture {
  readonly name: string;
  /** What it is. */
  readonly what: string;
  readonly verdict: "accepted" | "rejected" | "not a plan";
  /** The rules that it breaks, where it is rejected. */
  readonly rules: readonly RuleId[];
  /** What `terraform show -json` printed. */
  readonly plan: string;
  readonly spec: Spec;
  readonly deployed: Deployed;
}

const FOLDER = new URL("./fixtures/", import.meta.url);

export const fixtureNames: readonly string[] = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The texts of a fixture as Terraform wrote them. */
export function readFixtureFiles(name: string): { plan: string; state: string; spec: string } {
  return {
    plan: gunzipSync(bytesOf(name, "plan.json.gz")).toString(),
    state: gunzipSync(bytesOf(name, "state.json.gz")).toString(),
    spec: bytesOf(name, "cluster.yaml").toString(),
  };
}

const bytesOf = (name: string, file: string): Buffer => readFileSync(new URL(`${name}/${file}`, FOLDER));

export function readFixture(name: string): PlanFixture {
  const described = JSON.parse(bytesOf(name, "case.json").toString()) as Pick<
    PlanFixture,
    "what" | "verdict"
  > & {
    readonly rules?: readonly RuleId[];
  };
  const { plan, state, spec: text } = readFixtureFiles(name);
  const spec = loadSpec(new TextEncoder().encode(text), "cluster.yaml");
  const where = "terraform.demo.tfstate";
  return {
    name,
    what: described.what,
    verdict: described.verdict,
    rules: described.rules ?? [],
    plan,
    spec,
    deployed: parseState(state, { where, cluster: spec.name, platform: spec.platform }),
  };
}

/** What the guard says of a fixture, or of another text in its plan's place. */
export function judge({ plan, spec, deployed }: PlanFixture, text: string | Uint8Array = plan): Verdict {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return judgePlan(readPlan(bytes), { spec, deployed });
}

/** The rules that a verdict names, each once. */
export const rulesOf = ({ violations }: Verdict): RuleId[] => [
  ...new Set(violations.map(({ rule }) => rule)),
];

/** Why a text is no plan; fails for one that is, and for anything else that is thrown. */
export function notAPlan(text: string | Uint8Array): string {
  try {
    readPlan(typeof text === "string" ? new TextEncoder().encode(text) : text);
  } catch (error) {
    if (error instanceof NotAPlan) return error.message;
    throw error;
  }
  throw new Error("it was taken for a plan");
}
