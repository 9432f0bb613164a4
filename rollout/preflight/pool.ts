import type { Group } from "../../cluster/groups.js";
import { isMachineEnded } from "../observation/machine.js";
import { isUnknown, type Answer, type Observation } from "../observation/observation.js";
import type { ClusterGroup } from "../ready/expected.js";
import { servicesCondition } from "../ready/services.js";
import type { Finding } from "./finding.js";
import { unwell } from "./preflight.js";

/** Whether a roll finishes, mends or takes back. Once the pool was asked in a run, later machines only await their batch. */
export function goesOn(
  observation: Observation,
  { role, image, hash }: Pick<Group, "role" | "image" | "hash">,
  { hosts, images }: { readonly hosts: readonly string[]; readonly images: readonly string[] },
  { hasAsked = false, isInFlight = false } = {},
): boolean {
  const { consul, machines, targets } = observation;
  const catalog = isUnknown(consul.catalog) ? [] : consul.catalog;
  const metas = catalog.filter(({ name }) => hosts.includes(name)).map(({ meta }) => meta);
  const isNew = metas.map((meta) => meta["rollout_template_hash"] === hash);
  const isBack = images.includes(image) && metas.some((meta) => meta["rollout_image"] !== image);
  // What was never proven is repaired, by whatever comes after it.
  const isUnproven = metas.some(({ rollout_image: runs }) => runs !== undefined && !images.includes(runs));
  const isOut =
    !isUnknown(targets) && targets.some((one) => hosts.includes(one.host) && one.state === "draining");
  if (
    !hasAsked &&
    (isInFlight || isBack || isUnproven || isOut || (isNew.includes(true) && isNew.includes(false)))
  )
    return true;
  const isAway = (host: string): boolean =>
    unwell(observation, role, host).some(({ gone }) => !hasAsked || gone !== undefined);
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
