import { isDeepStrictEqual } from "node:util";
import { groupBy } from "../clients/group-by.js";
import { OPEN_STEPS, type OpenStep } from "../clients/run-store/open-steps.js";
import { parseHostName } from "../cluster/address.js";
import { gateSettingsOf, undosOf, type StepList } from "../cluster/gate-settings.js";
import type { Group } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { AT_ONCE, runAction } from "../live/checks/run-action.js";
import { subjectsOf, type Machine, type Subject } from "../live/checks/subject.js";
import { connect } from "../live/live-cluster.js";
import { ask } from "../live/observe/ask.js";
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
 * Runs what the steps of a group owe once its roll has ended, the last step's undo first. What fails is said, and stays owed;
 * what has left the spec is said and forgotten. Of a roll whose steps the driver runs itself, it is the driver that knows the end.
 */
export async function undoSteps(
  context: HookContext,
  { name: group }: Pick<Group, "name">,
  run = runAction,
  machinesNow = livingNow,
): Promise<void> {
  const { env, file, say, store, driver } = context;
  const undos = undosOf(group, file.spec);
  if (env[STEPPED] === group) return;
  try {
    const open = undos.size > 0 || driver ? ((await OPEN_STEPS.read(await store())) ?? []) : [];
    const own = open.filter((each) => each.group === group && undos.has(each.step));
    const living = own.length > 0 ? await machinesNow(context, group) : [];
    for (const [step, undo] of [...undos].reverse()) {
      const [what, owed] = [`${group}: undo of ${step}`, own.filter((each) => each.step === step)];
      if (owed.length === 0) continue;
      const now = owed.map((each) => ({ open: each, ...whereNow(each.at, living) }));
      say(`${what}: ${[...new Set(now.map(({ text }) => text))].join(", ")}`);
      // A machine and its successor are one by now.
      const places = [...groupBy(now, ({ at }) => JSON.stringify(at)).values()];
      const results = await inParallel(places, AT_ONCE, ([{ at }]) => run(undo, at, { env }));
      const failed = failedOf(results);
      if (failed !== "") say(`warning: ${what} failed, and is still owed:${failed}`);
      const ended = places.flatMap((all, index) =>
        results[index]?.passed ? all.map(({ open }) => open) : [],
      );
      await OPEN_STEPS.change(await store(), (all = []) => without(all, ended));
    }
    // Those of other groups are for their own rolls, by the spec of these.
    const lost = driver ? open.filter((each) => each.group === group && !undos.has(each.step)) : [];
    for (const what of new Set(lost.map((each) => `${each.group}: undo of ${each.step}`)))
      say(`warning: ${what} was not run, and is owed no more: it has left the spec`);
    if (lost.length > 0) await OPEN_STEPS.change(await store(), (all = []) => without(all, lost));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`warning: ${group}: what its steps owe is not undone: ${error.message}`);
  }
}

/** The machines that live now: those that steps were run for may have successors. */
async function livingNow({ env, file, clock, machines }: HookContext, group: string): Promise<Machine[]> {
  const cluster = await connect(file.spec, env, clock.now, machines, group);
  const members = await ask(() => cluster.consul.members().finally(() => cluster.close()));
  // An address may be another machine's by now.
  if (isUnknown(members)) throw new UserError(`where its machines are now is not known: ${members.unknown}`);
  const living = members.filter(({ Status }) => Status === "alive");
  return living.map(({ Name: host, Addr: address }) => ({ host, address }));
}

/** A machine by its name, else another of its group, else where it was; and words for it. */
function whereNow(at: Subject, living: readonly Machine[]): { readonly at: Subject; readonly text: string } {
  const ofGroup = living.filter(({ host }) => parseHostName(host)?.group === at.group);
  const found = ofGroup.find(({ host }) => host === at.host) ?? ofGroup[0];
  if (at.host === undefined || found?.address === at.address) return { at, text: at.name };
  const { host = "", address = at.address ?? "" } = found ?? {};
  const how = host === at.host ? "" : found ? ` of ${host}` : ", where it was";
  return { at: { ...at, address }, text: `${at.name} at ${address}${how}` };
}

const failedOf = (results: readonly Answer[]): string =>
  results.map(({ host, passed, value }) => (passed ? "" : `\n  ${host}: ${value}`)).join("");

const without = (open: readonly OpenStep[], others: readonly OpenStep[]): OpenStep[] =>
  open.filter((one) => !others.some((other) => isDeepStrictEqual(one, other)));
