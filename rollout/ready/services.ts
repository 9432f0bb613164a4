import type { Observation, Target } from "../observation/observation.js";
import { asked, everyHost, type Condition } from "./condition.js";
import type { Expected } from "./expected.js";

/** Every check of node and services passes. A node always has serfHealth, so a host without any check was not seen. */
export function servicesCondition({ consul }: Observation, { hosts }: Expected): Condition {
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
export function checkConditions({ checks, at }: Observation, expected: Expected): Condition[] {
  return expected.checks.map(({ name, scope }) =>
    everyHost(`check-${name}`, about(expected)[scope], "passes", (host) => {
      const result = checks.find((one) => one.name === name && one.host === host);
      if (!result) return { unknown: "not run yet" };
      if (result.until < at) return { unknown: `its last answer is too old: ${result.value}` };
      return result.passed ? undefined : { unmet: result.value };
    }),
  );
}

const about = ({ hosts, group, pool }: Expected) => ({ machine: hosts, group: [group], pool: [pool] });

/** Since when each check has passed twice in a row: the time at which the last try but one of the latest began. */
export const passedTwiceSince = ({ checks }: Observation, expected: Expected): number =>
  Math.min(
    ...expected.checks.flatMap(({ name, scope }) =>
      about(expected)[scope].map(
        (host) => checks.find((one) => one.name === name && one.host === host)?.passedAt ?? -Infinity,
      ),
    ),
  );
