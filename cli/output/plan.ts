import { relative } from "node:path";
import { parseAddress } from "../../cluster/address.js";
import { type PlanSummary, planSummarySchema } from "../../program/plan-summary.js";
import { formatCheck } from "./check.js";
import type { Tool } from "../../guard/plan/format.js";
import { commandOf } from "../../guard/terraform-in.js";
import { groupRanges } from "./group-ranges.js";
import type { Question } from "../../driver/confirm.js";
import type { MadePlan } from "../plan.js";

const SYMBOLS = { create: "  +", update: "  ~", replace: "-/+", delete: "  -", forget: "  ." } as const;

/** What a plan does, then what the guard says of it. */
export function formatMadePlan({ summary, result, kept }: MadePlan, format: "text" | "json"): string {
  if (format === "json")
    return JSON.stringify({ summary: planSummarySchema.parse(summary), check: result }, null, 2);
  const apply =
    kept &&
    `apply exactly this plan: ${commandOf(result.plan.tool)} -chdir=${relative(process.cwd(), kept.folder)} apply ${kept.file}`;
  return [
    formatPlan(summary, result.plan.tool, result.differs.length === 0),
    "",
    formatCheck(result),
    ...(apply && result.verdict === "accepted" ? [apply] : []),
  ].join("\n");
}

/** What is to be confirmed: the plan of the first batch, and that the rest follows without another question. */
export function formatQuestion({ summary, tool, role, laterHosts, surges = false }: Question): string {
  const text = formatPlan(summary, tool);
  if (laterHosts.length === 0) return text;
  const pace = surges ? "maxSurge" : "maxUnavailable";
  const how = role === "client" ? `a batch at a time (${pace})` : "one server at a time";
  return `${text}\nthe rest follows in the same roll, ${how}: ${laterHosts.join(", ")}`;
}

/** Machines first, then what hangs on them, then Terraform's own count. */
function formatPlan(summary: PlanSummary, tool: Tool, isDesired = true): string {
  const { groups, changes, frozen, view } = summary;
  if (changes.length === 0)
    return `${view}: no changes${isDesired ? ", what is deployed is as desired" : ""}`;
  const machines = groups.map(({ name, machines: { created, replaced, updated, destroyed }, images }) => {
    const done = [
      ...machinesAre(created, "created"),
      ...machinesAre(replaced, "replaced"),
      ...machinesAre(updated, "changed in place"),
      ...machinesAre(destroyed, "destroyed"),
    ];
    return `${name}: ${done.length > 0 ? done.join(", ") : "no machine is touched"}${images.length > 0 ? ` (${images.join(", ")})` : ""}`;
  });
  const told = changes.filter(
    ({ address, action }) =>
      (action === "create" || action === "replace") && parseAddress(address)?.kind === "config-consul",
  ).length;
  const count = (...wanted: readonly string[]): number =>
    changes.filter(({ action }) => wanted.includes(action)).length;
  return [
    ...machines,
    ...(summary.settings ?? []).map((setting) => `${view}: ${setting}`),
    ...(summary.steps ?? []).map((step) => `${view}: ${step}`),
    ...machinesAre(told, "told of the Consul servers").map((line) => `config_consul: ${line}`),
    ...(frozen.length > 0
      ? [
          `frozen: ${String(frozen.length)} ${frozen.length === 1 ? "group" : "groups"} (${groupRanges(frozen)})`,
        ]
      : []),
    "",
    ...changes.map(({ address, action }) => `${SYMBOLS[action]} ${address}`),
    "",
    `${tool}: ${String(count("create", "replace"))} to add, ${String(count("update"))} to change, ${String(count("delete", "replace"))} to destroy`,
  ].join("\n");
}

const machinesAre = (count: number, done: string): string[] =>
  count === 0 ? [] : [`${String(count)} ${count === 1 ? "machine is" : "machines are"} ${done}`];
