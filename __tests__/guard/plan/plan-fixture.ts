import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import { parseState } from "../../../clients/state/parse-state.js";
import { judgePlan } from "../../../guard/judge.js";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import { RULE_IDS, type RuleId, type Verdict } from "../../../guard/verdict.js";
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

const bytesOf = (file: string): Buffer => readFileSync(new URL(file, FOLDER));

const textOf = (file: string): string => gunzipSync(bytesOf(file)).toString();

const CASES = z
  .record(
    z.string(),
    z.object({
      what: z.string(),
      verdict: z.enum(["accepted", "rejected", "not a plan"]),
      rules: z.array(z.enum(RULE_IDS)).default([]),
      state: z.string(),
      spec: z.string(),
    }),
  )
  .parse(JSON.parse(bytesOf("cases.json").toString()));

export const fixtureNames: readonly string[] = Object.keys(CASES);

function caseOf(name: string): (typeof CASES)[string] {
  const found = CASES[name];
  if (!found) throw new Error(`no plan ${name} was recorded`);
  return found;
}

/** The texts of a fixture as Terraform wrote them. */
export function readFixtureFiles(name: string): { plan: string; state: string; spec: string } {
  const { state, spec } = caseOf(name);
  return {
    plan: textOf(`plans/${name}.json.gz`),
    state: textOf(`states/${state}.json.gz`),
    spec: bytesOf(`specs/${spec}.yaml`).toString(),
  };
}

/** Lays spec, state and plan of a fixture into a folder, where the program looks for them. */
export function layFixture(folder: string, name: string): void {
  const { plan, state, spec } = readFixtureFiles(name);
  writeFileSync(join(folder, "plan.json"), plan);
  writeFileSync(join(folder, "terraform.demo.tfstate"), state);
  writeFileSync(join(folder, "cluster.yaml"), spec);
}

export function readFixture(name: string): PlanFixture {
  const { what, verdict, rules } = caseOf(name);
  const { plan, state, spec: text } = readFixtureFiles(name);
  const spec = loadSpec(new TextEncoder().encode(text), "cluster.yaml");
  const where = "terraform.demo.tfstate";
  return {
    name,
    what,
    verdict,
    rules,
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
