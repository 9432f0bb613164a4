import { isUnknown, type Allocation, type NomadJob, type Observation } from "../observation/observation.js";
import { asked, everyHost, unknown, unmet, type Condition, type Objection } from "./condition.js";
import type { Expected } from "./expected.js";
import { newNode } from "./new-machine.js";

const NAME = "work-back";

/** Work that is bound to its data volume runs healthy on the new machine: what the old record of the host had, and all that is placed there. */
export function workBackCondition(observation: Observation, expected: Expected): Condition {
  const { allocations, jobs, rights } = observation.nomad;
  if (isUnknown(jobs)) return unknown(NAME, jobs.unknown);
  if (isUnknown(allocations)) return unknown(NAME, allocations.unknown);
  if (!isUnknown(rights) && !rights.includes("read-job")) {
    return unmet(
      NAME,
      "the token lacks the right read-job, so an empty list of allocations proves nothing",
      "no right",
    );
  }
  return asked(NAME, observation.nomad.nodes, (nodes) =>
    everyHost(NAME, expected.hosts, "runs its work healthy", (host) => {
      const node = newNode(host, nodes, observation);
      if (!("id" in node)) return node;
      const oldIds = nodes.filter(({ name, id }) => name === host && id !== node.id).map(({ id }) => id);
      const here = allocations.filter(
        (one) => one.node === node.id && one.desiredStatus === "run" && !one.isCanary,
      );
      const wanted = allocations.filter(
        (one) => oldIds.includes(one.node) && !one.isCanary && isWanted(one, jobs),
      );
      return objectionTo(here, wanted);
    }),
  );
}

function objectionTo(here: readonly Allocation[], wanted: readonly Allocation[]): Objection {
  const unwell = here.filter((one) => !isWell(one)).map((one) => `${workOf(one)} is ${stateOf(one)}`);
  const missing = [...new Set(wanted.map(workOf))]
    .filter((work) => !here.some((one) => workOf(one) === work))
    .map((work) => `${work} is not back`);
  const objections = [...unwell, ...missing].sort();
  return objections.length === 0 ? undefined : { unmet: objections.join(", ") };
}

/** A service that is still wanted; batch work ends by itself. */
const isWanted = (one: Allocation, jobs: readonly NomadJob[]): boolean =>
  jobs.some(
    ({ id, namespace, type, groups }) =>
      type === "service" &&
      id === one.job &&
      namespace === one.namespace &&
      groups.some(({ name, desired }) => name === one.taskGroup && desired > 0),
  );

const isWell = ({ clientStatus, healthy }: Allocation): boolean =>
  clientStatus === "complete" || (clientStatus === "running" && healthy !== false);

const stateOf = ({ clientStatus, healthy }: Allocation): string =>
  clientStatus === "running" && healthy === false ? "running, not healthy" : clientStatus;

const workOf = ({ namespace, job, taskGroup }: Allocation): string => `${namespace}/${job}.${taskGroup}`;
