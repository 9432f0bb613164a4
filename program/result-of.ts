import { createHash } from "node:crypto";
import { describeOrigin } from "../cluster/deployed.js";
import { differingGroups } from "../cluster/machine-settings.js";
import { changesOf } from "../guard/plan/plan-changes.js";
import type { Plan } from "../guard/plan/plan.js";
import { judgePlan } from "../guard/judge.js";
import { RULE_IDS } from "../guard/verdict.js";
import type { CheckResult } from "./check-result.js";
import { isArchive, savedConfiguration } from "./saved-configuration.js";

type Context = Omit<Parameters<typeof judgePlan>[1], "configuration">;

/** What the guard says of a plan, with what it was about. A file that is a saved plan has the configuration, too. */
export function resultOf(
  plan: Plan,
  context: Context,
  file: Uint8Array,
  sha256 = sha256Of(file),
): CheckResult {
  const { tool, terraformVersion, formatVersion } = plan;
  const { spec, deployed } = context;
  const saved = isArchive(file) && { configuration: savedConfiguration(file) };
  const verdict = judgePlan(plan, { ...context, ...saved });
  const changes = changesOf(plan);
  const hosts = changes.filter(({ member }) => member?.kind === "host");
  const byAction: CheckResult["changes"]["byAction"] = {
    create: 0,
    update: 0,
    replace: 0,
    delete: 0,
    forget: 0,
    move: 0,
    unknown: 0,
  };
  for (const { action } of changes) byAction[action]++;
  const images = hosts.flatMap(({ group, detail }) =>
    detail === undefined ? [] : [`${String(group)}: ${detail}`],
  );
  return {
    verdict: verdict.verdict,
    view: plan.view ?? null,
    touched: [...verdict.touched],
    others: changes.flatMap(({ group, address }) => (group === undefined ? [address] : [])).sort(),
    own: [...verdict.own],
    violations: verdict.violations.map((violation) => ({ ...violation, subjects: [...violation.subjects] })),
    changes: { machines: hosts.length, byAction, images: [...new Set(images)].sort() },
    drift: plan.drift.map((each) => ({ ...each })),
    differs: differingGroups(spec, deployed),
    gate: plan.gate,
    configuration: saved !== false,
    deployed: describeOrigin(deployed.origin),
    rules: RULE_IDS.length,
    plan: { sha256, tool, terraformVersion, formatVersion },
  };
}

export const sha256Of = (file: Uint8Array): string => createHash("sha256").update(file).digest("hex");

/** `rejected: the plan of broker-0 (broker-0) breaks 1 of 18 rules` */
export function headlineOf(result: CheckResult): string {
  const { verdict, violations, rules } = result;
  const broken = new Set(violations.map(({ rule }) => rule)).size;
  return verdict === "accepted"
    ? `accepted: ${subjectOf(result)}; ${String(rules)} rules passed`
    : `rejected: ${subjectOf(result)} breaks ${String(broken)} of ${String(rules)} rules`;
}

export const violationsOf = ({ violations }: CheckResult): string[] =>
  violations.map(({ rule, message, remedy }) => `${rule}: ${message}; ${remedy}`);

export function subjectOf({ view, touched, others, changes }: CheckResult): string {
  const groups =
    touched.length === 0
      ? Object.values(changes.byAction).every((count) => count === 0)
        ? "no resource changes"
        : "no group"
      : touched.length <= 3
        ? touched.join(", ")
        : `${String(touched.length)} groups`;
  const besides =
    others.length === 0
      ? ""
      : `, ${String(others.length)} shared or own resource${others.length === 1 ? "" : "s"}`;
  return `the plan of ${view ?? "no view"} (${groups}${besides})`;
}
