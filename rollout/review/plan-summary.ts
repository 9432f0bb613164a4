import * as z from "zod";
import { parseAddress } from "../../cluster/address.js";

/** What is read of `terraform show -json`. */
const planSchema = z.object({
  resource_changes: z
    .array(
      z.object({
        address: z.string(),
        mode: z.string(),
        change: z.object({
          actions: z.array(z.string()),
          before: z.unknown().optional(),
          after: z.unknown().optional(),
        }),
        action_reason: z.string().optional(),
      }),
    )
    .default([]),
});

type ResourceChange = z.output<typeof planSchema>["resource_changes"][number];

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
  frozen: z.array(z.string()).describe("Deployed groups of which nothing changes but config_consul."),
});

export type PlanSummary = z.output<typeof planSummarySchema>;
type PlanAction = PlanSummary["changes"][number]["action"];

/** Tells what a plan does to machines, from Terraform's own JSON. It judges nothing. */
export function summarizePlan(json: unknown, view: string, deployedGroups: readonly string[]): PlanSummary {
  const changes = planSchema
    .parse(json)
    .resource_changes.filter(({ mode }) => mode === "managed")
    .flatMap((change) => {
      const action = actionOf(change.change.actions);
      return action === undefined ? [] : [{ change, action, member: parseAddress(change.address) }];
    });
  const names = [
    ...new Set(
      changes.flatMap(({ member }) => (member && member.kind !== "config-consul" ? [member.group] : [])),
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
      images: [...new Set(hosts.flatMap(({ change }) => imageChange(change)))].sort(),
    };
  });
  return {
    view,
    groups,
    changes: changes.map(({ change, action }) => ({ address: change.address, action })),
    frozen: deployedGroups.filter((name) => !names.includes(name)),
  };
}

function actionOf(actions: readonly string[]): PlanAction | undefined {
  if (actions.includes("forget")) return "forget";
  if (actions.includes("create")) return actions.includes("delete") ? "replace" : "create";
  if (actions.includes("delete")) return "delete";
  return actions.includes("update") ? "update" : undefined;
}

function imageChange({ change }: ResourceChange): string[] {
  const [from, to] = [imageOf(change.before), imageOf(change.after)];
  if (from === to || to === undefined) return [];
  return [from === undefined ? to : `${from} -> ${to}`];
}

const hostSchema = z.object({
  ami: z.string().optional(),
  input: z.object({ image: z.string() }).optional(),
});

function imageOf(values: unknown): string | undefined {
  const host = hostSchema.safeParse(values).data;
  return host?.ami ?? host?.input?.image;
}
