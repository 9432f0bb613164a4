import { isDeepStrictEqual } from "node:util";
import { groupBy } from "../clients/group-by.js";
import { OPEN_STEPS, type OpenStep } from "../clients/run-store/open-steps.js";
import { parseHostName } from "../cluster/address.js";
import { gateSettingsOf, type StepList } from "../cluster/gate-settings.js";
import type { Group } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { AT_ONCE, runAction } from "../live/checks/run-action.js";
import { subjectsOf, type Machine } from "../live/checks/subject.js";
import { inParallel } from "../live/observe/in-parallel.js";
import { isMachineEnded } from "../rollout/observation/machine.js";
import { isUnknown, type Answer, type Observation } from "../rollout/observation/observation.js";
import type { HookContext } from "./hook-context.js";

/** By which the driver tells hooks of Terraform's that it runs the steps of a group itself. */
export const STEPPED = "ROLLOUT_STEPPED";

/**
 * Runs the steps of one list, one after another, each for all that it is about at once. Its undo is owed before it begins:
 * nobody knows what one has done that was cut off. A group that is created has no steps.
 * @param hosts of the group; it is about those that live, or of `afterLeave` that have left
 * @returns whether there was any
 * @throws UserError where one fails whose `onFailure` is `stop`
 */
export async function runSteps(
  list: StepList,
  { env, file: { spec, deployed }, say, onCondition, signal, store }: HookContext,
  { name: group, pool }: Group,
  { consul: { members }, machines: known }: Observation,
  hosts: readonly string[],
  run = runAction,
): Promise<boolean> {
  const isOurs = env[STEPPED] !== group && deployed.some(({ name }) => name === group);
  const steps = gateSettingsOf(pool, spec).steps.filter((step) => step.list === list && isOurs);
  const machinesOf = (wanted: string, isMeant: (host: string) => boolean): Machine[] =>
    (isUnknown(members) ? [] : members)
      .flatMap(({ name: host, address, status }) =>
        status === wanted && isMeant(host) && !isMachineEnded(known, host) ? [{ host, address }] : [],
      )
      .sort((one, other) => one.host.localeCompare(other.host));
  const machines = machinesOf(list === "afterLeave" ? "left" : "alive", (host) => hosts.includes(host));
  const ofPool = machinesOf("alive", (host) => parseHostName(host)?.pool === pool);
  if (steps.length === 0 || machines.length === 0) return false;
  for (const { title, undo, onFailure, ...step } of steps) {
    const at = subjectsOf(step, { name: group, machines }, { name: pool, machines: ofPool });
    const what = `${group}: ${title}`;
    say(`${what}: ${at.map(({ name }) => name).join(", ")}`);
    onCondition(what);
    const owed = at.map((each) => ({ group, step: title, at: { ...each } }));
    if (undo) await OPEN_STEPS.change(await store(), (open = []) => [...without(open, owed), ...owed]);
    const failed = failedOf(await inParallel(at, AT_ONCE, (each) => run(step, each, { env, signal })));
    signal.throwIfAborted();
    if (failed !== "" && onFailure === "stop")
      throw new UserError(`${what} failed:${failed}\nmend that, then go on with: rollout deploy ${group}`);
    say(failed === "" ? `${what} is done` : `warning: ${what} failed, and the roll goes on:${failed}`);
  }
  return true;
}

/**
 * Runs what the steps of a group owe once its roll has ended, the last step's undo first. What fails is said, and stays owed.
 * Of a roll whose steps the driver runs itself, it is the driver that knows the end.
 */
export async function undoSteps(
  { env, file: { spec }, say, store }: HookContext,
  { name: group, pool }: Group,
  run = runAction,
): Promise<void> {
  if (env[STEPPED] === group) return;
  const undos = new Map(gateSettingsOf(pool, spec).steps.map(({ title, undo }) => [title, undo]));
  try {
    const open = undos.size > 0 ? await OPEN_STEPS.read(await store()) : [];
    const own = groupBy(open?.filter((each) => each.group === group) ?? [], ({ step }) => step);
    for (const [step, owed] of [...own].reverse()) {
      const [what, undo] = [`${group}: undo of ${step}`, undos.get(step)];
      if (!undo) continue;
      say(`${what}: ${[...new Set(owed.map(({ at }) => at.name))].join(", ")}`);
      const results = await inParallel(owed, AT_ONCE, ({ at }) => run(undo, at, { env }));
      const failed = failedOf(results);
      if (failed !== "") say(`warning: ${what} failed, and is still owed:${failed}`);
      const ended = owed.filter((_, index) => results[index]?.passed);
      await OPEN_STEPS.change(await store(), (all = []) => without(all, ended));
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`warning: ${group}: what its steps owe is not undone: ${error.message}`);
  }
}

const failedOf = (results: readonly Answer[]): string =>
  results.map(({ host, passed, value }) => (passed ? "" : `\n  ${host}: ${value}`)).join("");

const without = (open: readonly OpenStep[], others: readonly OpenStep[]): OpenStep[] =>
  open.filter((one) => !others.some((other) => isDeepStrictEqual(one, other)));
