import { isDeepStrictEqual } from "node:util";
import { isMap } from "../cluster/raw.js";
import type { GroupIntent, Intent } from "../cluster/run/intent.js";
import { describeChange, withoutRelics } from "./change.js";
import { changesOf } from "./plan/plan-changes.js";
import type { Plan } from "./plan/plan.js";
import { plannedHost, type PlannedHost } from "./plan/planned-host.js";

/** Whether a plan of a run does what was approved, and nothing else; beside the rules, which hold for every plan. */
export function follows(intent: Intent, plan: Plan): string[] {
  const group = intent.groups.find(({ name }) => name === plan.view);
  if (!group) return [`the plan is of the view ${plan.view ?? "unknown"}, which is no group of the intent`];
  const { name, base, after, undo } = group;
  const changes = withoutRelics(changesOf(plan), plan.wiring);
  const foreign = changes.filter(({ member }) => member?.group !== name && member?.kind !== "config-consul");
  const made = changes.filter(
    ({ member, action }) => member?.group === name && member.kind === "host" && action !== "delete",
  );
  return [
    ...difference("terraform", intent.terraform, { tool: plan.tool, version: plan.terraformVersion }),
    ...difference(`${name}: base`, base ?? 0, plan.base.get(name) ?? 0),
    ...made.flatMap(({ address, planned }) => {
      const host = plannedHost(address, planned?.after);
      return [after, undo].some((meant) => meant !== null && isOf(host, meant))
        ? []
        : [
            `${address}: ${after.template?.image ?? "?"} (${after.hash ?? "?"}) -> ${host.image ?? "?"} (${host.hash ?? "?"})`,
          ];
    }),
    ...foreign.map((change) => `beside ${name}: ${describeChange(change)}`),
  ];
}

/** What is not known before the apply is judged by the hash. */
const isOf = (
  { hash, image, instanceType }: PlannedHost,
  meant: Pick<GroupIntent["after"], "hash" | "template">,
): boolean =>
  hash === meant.hash &&
  [undefined, meant.template?.image].includes(image) &&
  [undefined, meant.template?.instanceType].includes(instanceType);

/** The groups that a roll by an intent has left, in order. One that has begun is left, whatever the state says. */
export const leftOf = (intent: Intent, now: Intent, begun: readonly string[]): GroupIntent[] =>
  intent.groups.filter((group) => begun.includes(group.name) || !isDone(group, groupIn(now, group.name)));

/**
 * What is otherwise now than it was approved: the reason for which no further group may leave. Nothing is once all groups are
 * rolled.
 * @param now the same intent, made from what is deployed and desired now
 * @param begun the groups whose roll has begun and not ended: they are finished, whatever the time
 */
export function departuresOf(intent: Intent, now: Intent, begun: readonly string[]): string[] {
  const left = leftOf(intent, now, begun);
  const [next] = left;
  if (!next) return [];
  const backs = left.filter((group) => begun.includes(group.name) && isBack(group, groupIn(now, group.name)));
  const isBegun = begun.includes(next.name);
  const shared = (of: Intent) => ({
    ...{ ...of, groups: [], made: "", expires: "" },
    // An undo has edited it.
    ...(backs.length > 0 ? { spec: "" } : {}),
  });
  return [
    ...difference("", shared(intent), shared(now)),
    ...left.flatMap((group) => {
      const current = groupIn(now, group.name);
      if (backs.includes(group)) return [];
      return begun.includes(group.name)
        ? difference(`${group.name}:`, unmoved(group), current && unmoved(current))
        : difference(`${group.name}:`, group, current);
    }),
    ...(!isBegun && Date.parse(now.made) > Date.parse(intent.expires)
      ? [`expired: it was approved until ${intent.expires}, and ${next.name} has not begun`]
      : []),
  ];
}

const groupIn = ({ groups }: Intent, name: string): GroupIntent | undefined =>
  groups.find((group) => group.name === name);

/** Rolled by the intent and by nothing else: the very next revision, of the template and number that were approved. */
function isDone({ base, before, after, inPlace }: GroupIntent, now: GroupIntent | undefined): boolean {
  const isSame = before.hash === after.hash && before.hosts === after.hosts;
  return (
    now !== undefined &&
    !(isSame && inPlace.length > 0 && now.inPlace.length > 0) &&
    now.base === (before.hash === after.hash ? base : (base ?? 0) + 1) &&
    now.before.hash === after.hash &&
    now.before.hosts === after.hosts
  );
}

/** Whether the spec says by now that a group goes back, and to what was approved for that. */
const isBack = ({ undo, before, after }: GroupIntent, now: GroupIntent | undefined): boolean =>
  now !== undefined && now.after.hash !== after.hash && [undo?.hash, before.hash].includes(now.after.hash);

/** What stays as it is while a group is rolled. */
const unmoved = ({ name, base, after, gate, files }: GroupIntent) => ({ name, base, after, gate, files });

/** Each value that differs, by its path. */
function difference(path: string, one: unknown, other: unknown): string[] {
  if (isDeepStrictEqual(one, other)) return [];
  if (isMap(one) && isMap(other)) {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return keys.flatMap((key) =>
      difference(/[^:]$/.test(path) ? `${path}.${key}` : `${path} ${key}`.trim(), one[key], other[key]),
    );
  }
  return [`${path} ${inWords(one)} -> ${inWords(other)}`];
}

const inWords = (value: unknown): string =>
  value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
