import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { parseState } from "../../../clients/state/parse-state.js";
import { judgePlan } from "../../../guard/judge.js";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import type { RuleId, Verdict } from "../../../guard/verdict.js";
import type { Deployed } from "../../../spec/deployed.js";
import { loadSpec } from "../../../spec/load.js";
import type { Spec } from "../../../spec/schema.js";

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

export function readFixture(name: string): PlanFixture {
  const bytes = (file: string): Buffer => readFileSync(new URL(`${name}/${file}`, FOLDER));
  const unpacked = (file: string): string => gunzipSync(bytes(file)).toString();
  const described = JSON.parse(bytes("case.json").toString()) as Pick<PlanFixture, "what" | "verdict"> & {
    readonly rules?: readonly RuleId[];
  };
  const spec = loadSpec(bytes("cluster.yaml"), "cluster.yaml");
  const where = "terraform.demo.tfstate";
  return {
    name,
    what: described.what,
    verdict: described.verdict,
    rules: described.rules ?? [],
    plan: unpacked("plan.json.gz"),
    spec,
    deployed: parseState(unpacked("state.json.gz"), { where, cluster: spec.name, platform: spec.platform }),
  };
}

/** All of them, read once. */
export const fixtures = (): readonly PlanFixture[] => fixtureNames.map(readFixture);

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
