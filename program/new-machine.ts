import { launchFacts } from "../clients/aws/ec2-launch.js";
import { LogReader } from "../clients/run-store/run-log.js";
import type { RunStore } from "../clients/run-store/run-store.js";
import { hostAddress } from "../cluster/address.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import type { Deployed } from "../cluster/deployed.js";
import { groupsOf, numbersIn, type Group } from "../cluster/groups.js";
import { hasNumber, withNumbers } from "../cluster/numbers.js";
import { inFlightOf } from "../cluster/pending.js";
import { UserError } from "../cluster/user-error.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { readRuns } from "../rollout/log/read-runs.js";
import { outOf } from "../rollout/log/roll-facts.js";
import { whyNoMachine } from "../rollout/preflight/new-machine.js";

/** Whose image it is and what EC2 has against machines of groups that change; nothing, where it cannot be asked. */
export async function warnOfMachines(spec: Spec, changes: ReadonlyMap<string, object>, deployed?: Deployed) {
  const groups = groupsOf(spec).filter(({ name }) => changes.has(name));
  const wanted = groups.map((group) => ({ ...group, ...changes.get(group.name) }));
  const asked = await Promise.all(wanted.map((group) => askEc2(spec, group, deployed, false)));
  return asked.flatMap(({ whose, wrong }) => [...whose, ...wrong.map((each) => `warning: ${each}`)]);
}

/**
 * Asks EC2 whether machines of a group could be made, and warns of what is not known. What has begun is finished anyway, as the
 * state has it or, before a machine goes, the log of runs.
 * @throws UserError naming all that is wrong
 */
export async function refuseNewMachine({ spec, deployed }: ClusterState, group: Group, store: RunStore) {
  const out = async () =>
    outOf(readRuns((await new LogReader(store).read()).events), deployed).map((one) => one.group);
  const isBegun = inFlightOf(spec, deployed).some((each) => each.group === group.name);
  const { wrong, unknown } = await askEc2(spec, group, deployed, !isBegun);
  const refusal = `${group.name} cannot be rolled now, since no machine of it could be made:`;
  if (wrong.length > 0 && !isBegun && !(await out()).includes(group.name))
    throw new UserError([refusal, ...wrong].join("\n  "));
  const unsure = unknown.map((each) => `whether machines of ${group.name} can be made is not known: ${each}`);
  return [...wrong, ...unsure].map((each) => `warning: ${each}`);
}

async function askEc2(spec: Spec, desired: Group, deployed: Deployed | undefined, isTried: boolean) {
  const current = deployed?.groups.get(desired.name);
  const group = desired.numbers ? desired : withNumbers(desired, current);
  const goes = (number: number): boolean =>
    !hasNumber(group, number) ||
    current?.tainted.includes(hostAddress(spec.platform, group.name, number, "host")) === true;
  const kept = current?.hosts.filter(({ hash, number }) => hash === group.hash && !goes(number)) ?? [];
  if (spec.platform !== "aws" || kept.length === numbersIn(group).length)
    return { whose: [], wrong: [], unknown: [] };
  const facts = await launchFacts(spec, group, current?.hosts ?? [], isTried);
  const whose = (facts.Images ?? []).map(
    ({ OwnerId = "" }) => `${group.name}: its image ${group.image} is account ${OwnerId}'s`,
  );
  return { whose, wrong: whyNoMachine(spec.aws, group, current, facts), unknown: [...facts.unknown] };
}
