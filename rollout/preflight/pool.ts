import type { Group } from "../../cluster/groups.js";
import { isMachineEnded } from "../observation/machine.js";
import { isUnknown, type Answer, type Observation } from "../observation/observation.js";
import type { ClusterGroup } from "../ready/expected.js";
import { servicesCondition } from "../ready/services.js";
import type { Finding } from "./finding.js";
import { unwell } from "./preflight.js";

/**
 * Whether the roll of a group finishes what has begun, mends what is broken, or takes the group back.
 * @param hasAsked whether its pool was asked in this run: its later machines then only await their batch
 */
export function goesOn(
  observation: Observation,
  { role, image, hash }: Pick<Group, "role" | "image" | "hash">,
  { hosts, images }: { readonly hosts: readonly string[]; readonly images: readonly string[] },
  hasAsked: boolean,
): boolean {
  const { consul, machines, targets } = observation;
  const catalog = isUnknown(consul.catalog) ? [] : consul.catalog;
  const leaving = isUnknown(targets) ? [] : targets.filter(({ state }) => state === "draining");
  return hosts.some((host) => {
    const meta = catalog.find(({ name }) => name === host)?.meta ?? {};
    const isBack = images.includes(image) && meta["rollout_image"] !== image;
    const isBegun = meta["rollout_template_hash"] === hash || leaving.some((target) => target.host === host);
    const reasons = unwell(observation, role, host).filter(({ gone }) => !hasAsked || gone !== undefined);
    return reasons.length > 0 || isMachineEnded(machines, host) || (!hasAsked && (isBack || isBegun));
  });
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
  const tried = `${remedy}: npx rollout checks ${pool}; what is not to be asked before says when: after`;
  return [
    ...(hosts.length > 0 && status === "unmet" ? [{ subject: pool, message: reason, remedy }] : []),
    ...answers.flatMap(({ passed, name, host: subject, value }) =>
      passed ? [] : [{ subject, message: `check ${name}: ${value}`, remedy: tried }],
    ),
  ];
}
