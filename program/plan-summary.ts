import * as z from "zod";
import { withoutRelics } from "../guard/change.js";
import { changesOf } from "../guard/plan/plan-changes.js";
import type { Plan, PlannedResource } from "../guard/plan/plan.js";
import { plannedHost } from "../guard/plan/planned-host.js";

/** What `rollout plan --format json` prints. */
export const planSummarySchema = z.strictObject({
  view: z.string(),
  groups: z.array(
    z.strictObject({
      name: z.string(),
      machines: z.strictObject({ created: z.int(), replaced: z.int(), updated: z.int(), destroyed: z.int() }),
      images: z.array(z.string()).describe("`ami-0aaa -> ami-0bbb`, each once."),
    }),
  ),
  changes: z.array(
    z.strictObject({
      address: z.string(),
      action: z.enum(["create", "update", "replace", "delete", "forget"]),
    }),
  ),
  settings: z
    .array(z.string())
    .optional()
    .describe(
      "What else the group is to have, if that changes: `tags none -> team=data`, `volume 100 -> 200 GiB`.",
    ),
  steps: z.array(z.string()).optional().describe("The pool's own steps, if it has any and the group stands."),
  frozen: z.array(z.string()).describe("Deployed groups of which nothing changes but config_consul."),
});

export type PlanSummary = z.output<typeof planSummarySchema>;
type PlanAction = PlanSummary["changes"][number]["action"];

/** Tells what a plan does to machines. It judges nothing. */
export function summarizePlan(plan: Plan, view: string, deployedGroups: readonly string[]): PlanSummary {
  // What moves or is not understood does nothing that could be told; the guard has its rules for it.
  const changes = changesOf(plan).flatMap(({ action, ...change }) =>
    action === "move" || action === "unknown" ? [] : [{ action, ...change }],
  );
  const names = [
    ...new Set(
      withoutRelics(changes, plan.wiring).flatMap(({ member }) =>
        member && member.kind !== "config-consul" ? [member.group] : [],
      ),
    ),
  ].sort();
  const groups = names.map((name) => {
    const hosts = changes.filter(({ member }) => member?.group === name && member.kind === "host");
    const count = (wanted: PlanAction): number => hosts.filter(({ action }) => action === wanted).length;
    return {
      name,
      machines: {
        created: count("create"),
        replaced: count("replace"),
        updated: count("update"),
        destroyed: count("delete"),
      },
      images: [...new Set(hosts.flatMap(({ planned }) => imageChange(planned)))].sort(),
    };
  });
  return {
    view,
    groups,
    changes: changes.map(({ address, action }) => ({ address, action })),
    frozen: deployedGroups.filter((name) => !names.includes(name)),
  };
}

function imageChange(planned: PlannedResource | undefined): string[] {
  if (planned === undefined) return [];
  const { address, before, after } = planned;
  const [from, to] = [plannedHost(address, before).image, plannedHost(address, after).image];
  if (from === to || to === undefined) return [];
  return [from === undefined ? to : `${from} -> ${to}`];
}
