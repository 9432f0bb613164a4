import type { Group } from "../../cluster/groups.js";
import { drainOf } from "../leave/drain.js";
import { isMachineEnded } from "../observation/machine.js";
import { isUnknown, type Answer, type Observation } from "../observation/observation.js";
import type { ClusterGroup } from "../ready/expected.js";
import { servicesCondition } from "../ready/services.js";
import type { Finding } from "./finding.js";
import { unwell } from "./preflight.js";

/**
 * Whether a roll finishes, mends or takes back. Between two batches nothing of the next has begun to leave until one of its
 * machines drains: all of them are ineligible before.
 */
export function goesOn(
  observation: Observation,
  { role, image, hash }: Pick<Group, "role" | "image" | "hash">,
  { hosts, images }: { readonly hosts: readonly string[]; readonly images: readonly string[] },
  {
    inBatches = false,
    laterHosts = [],
    inFlight = 0,
    goesBack = false,
  }: {
    readonly inBatches?: boolean;
    readonly laterHosts?: readonly string[];
    readonly inFlight?: number | undefined;
    readonly goesBack?: boolean | undefined;
  } = {},
): boolean {
  const { consul, nomad, machines, targets } = observation;
  const catalog = isUnknown(consul.catalog) ? [] : consul.catalog;
  const found = catalog.filter(({ name }) => hosts.includes(name));
  const old = found.filter(({ meta }) => meta["rollout_template_hash"] !== hash);
  const isMixed = old.length > 0 && old.length < found.length;
  const isBetween = inBatches && isMixed;
  const isBack = images.includes(image) && found.some(({ meta }) => meta["rollout_image"] !== image);
  // What was never proven is repaired, by whatever comes after it.
  const isUnproven = (isBetween ? old : found).some(
    ({ meta: { rollout_image: runs } }) => runs !== undefined && !images.includes(runs),
  );
  const going = isBetween ? old.flatMap(({ name }) => (laterHosts.includes(name) ? [] : name)) : hosts;
  const isOut =
    !isUnknown(targets) && targets.some((one) => going.includes(one.host) && one.state === "draining");
  const nodes = isUnknown(nomad.nodes) ? [] : nomad.nodes.filter(({ status }) => status === "ready");
  const drains = nodes.some((node) => going.includes(node.name) && drainOf(node) !== "none");
  if (
    isBack ||
    (isBetween && goesBack) ||
    isUnproven ||
    isOut ||
    (isBetween ? drains : inFlight > 0 || isMixed)
  )
    return true;
  const isAway = (host: string): boolean =>
    unwell(observation, role, host).some(({ gone }) => !isBetween || gone !== undefined);
  return hosts.some((host) => isMachineEnded(machines, host) || isAway(host));
}

/** What its pool has against the leave of a group: services of the other groups in Consul, and its own checks. */
export function objectionsOf(
  observation: Observation,
  { name: own, pool }: Pick<Group, "name" | "pool">,
  groups: readonly ClusterGroup[],
  answers: readonly Answer[],
): Finding[] {
  const hosts = groups.flatMap((group) => (group.name === own ? [] : group.hosts));
  const { status, reason } = servicesCondition(observation, { hosts });
  const remedy = `see to it before ${own} leaves`;
  const tried = `${remedy}, and try it: npx rollout checks ${pool}; or give the check when: after`;
  return [
    ...(hosts.length > 0 && status === "unmet" ? [{ subject: pool, message: reason, remedy }] : []),
    ...answers.flatMap(({ passed, name, host: subject, value }) =>
      passed ? [] : [{ subject, message: `check ${name}: ${value}`, remedy: tried }],
    ),
  ];
}
