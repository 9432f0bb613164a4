import { isUnknown, type Observation, type Target } from "../observation/observation.js";
import { asked, everyHost, met, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";

/** Every check of node and services passes. A node always has serfHealth, so a host without any check was not seen. */
export function servicesCondition({ consul }: Observation, { hosts }: Pick<Expected, "hosts">): Condition {
  return asked("services-passing", consul.health, (checks) =>
    everyHost("services-passing", hosts, "passes its checks in Consul", (host) => {
      const own = checks.filter(({ node }) => node === host);
      if (!own.some(({ id }) => id === "serfHealth")) return { unmet: "Consul lists no check of it" };
      const failing = own
        .filter(({ status }) => status !== "passing")
        .map(({ id, service, status }) => `${service === "" ? id : `${service} (${id})`} is ${status}`)
        .sort();
      return failing.length === 0 ? undefined : { unmet: failing.join(", ") };
    }),
  );
}

/** The load balancer sends requests to every host, on every target group that it stands in. */
export function targetsCondition({ targets }: Observation, { hosts }: Expected): Condition {
  return asked("targets-healthy", targets, (list) =>
    everyHost("targets-healthy", hosts, "is healthy at the load balancer", (host) => {
      const own = list.filter((target) => target.host === host && !isLeaving(target));
      if (own.length === 0) return { unmet: "not registered at the load balancer" };
      const unwell = own
        .filter(({ state }) => state !== "healthy")
        .map(({ state, reason }) => (reason === undefined ? state : `${state} (${reason})`));
      return unwell.length === 0 ? undefined : { unmet: `${unwell.join(", ")} at the load balancer` };
    }),
  );
}

/** The old machine of the same name may still be on its way out. */
const isLeaving = ({ state }: Target): boolean => state === "draining" || state === "unused";

/** One condition for each of the pool's own checks, of every host, of the group or of the pool. */
export function checkConditions(observation: Observation, expected: Expected): Condition[] {
  const { checks, at } = observation;
  const about = { machine: expected.hosts, group: [expected.group], pool: [expected.pool] };
  const isIdle = isWithoutWork(observation, expected);
  return expected.checks.map(({ name, scope }) => {
    const condition = everyHost(`check-${name}`, about[scope], "passes", (host) => {
      const result = checks.find((one) => one.name === name && one.host === host);
      if (!result) return { unknown: "not run yet" };
      if (result.until < at) return { unknown: `its last answer is too old: ${result.value}` };
      return result.passed ? undefined : { unmet: result.value };
    });
    return isIdle && condition.status !== "met"
      ? met(condition.name, `has never passed, and awaits its work: ${condition.reason}`, condition.value)
      : condition;
  });
}

/** A group that comes anew has only what runs on every node as long as jobs are submitted once all groups stand. */
function isWithoutWork({ nomad }: Observation, { isNew, role, hosts }: Expected): boolean {
  const { nodes, allocations, jobs } = nomad;
  if (isNew !== true || role !== "client") return false;
  if (isUnknown(nodes) || isUnknown(allocations) || isUnknown(jobs)) return false;
  const ids = nodes.flatMap(({ name, id }) => (hosts.includes(name) ? id : []));
  const everywhere = jobs.flatMap(({ id, type }) => (type.startsWith("sys") ? id : []));
  return !allocations.some(({ node, job }) => ids.includes(node) && !everywhere.includes(job));
}
