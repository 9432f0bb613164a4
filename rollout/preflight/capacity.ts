import type { Role } from "../../cluster/groups.js";
import type { InFlight } from "../../cluster/pending.js";
import { hasEnded } from "../leave/drain.js";
import { notWhole } from "../leave/work-whole.js";
import type { Finding } from "./finding.js";
import { objectionTo, place, wantsDistinctHosts } from "./placement.js";
import { isUnknown, type NomadNode, type Observation } from "../observation/observation.js";

/** What of a group leaves. */
export interface Leaving {
  readonly workload: "moves" | "stays";
  /** Whether the group leaves for good. Default: it comes back. */
  readonly retires?: boolean;
  /** The template of those of its machines that are new already, and stay. Default: none is. */
  readonly hash?: string;
  /** Those of its hosts that leave with a later batch. Default: none does. */
  readonly laterHosts?: readonly string[];
  /** Whether new machines stand beside its old ones, none of which was asked to leave. Default: no. */
  readonly isSurged?: boolean;
}

/**
 * What speaks against it that the work of a group leaves. Refused is what no other node may have however much is free there,
 * and a service that would be gone all at once; not where something of the group has begun to leave or is dead, since then it
 * is finished. Else it is a warning: priorities decide, and what ends meanwhile, and only Nomad knows them.
 */
export function workFindings(
  { nomad, consul }: Observation,
  group: { readonly name: string; readonly role: Role; readonly hosts: readonly string[] },
  {
    workload,
    retires = false,
    hash,
    laterHosts = [],
    isSurged = false,
    inFlight,
  }: Leaving & { inFlight: readonly InFlight[] },
): { readonly refusals: readonly Finding[]; readonly warnings: readonly Finding[] } {
  if (group.role !== "client" || isUnknown(nomad.nodes)) return { refusals: [], warnings: [] };
  const allocations = isUnknown(nomad.allocations) ? [] : nomad.allocations;
  const jobs = isUnknown(nomad.jobs) ? [] : nomad.jobs;
  const live = nomad.nodes.filter(({ status }) => status === "ready");
  const isNew = ({ meta }: NomadNode): boolean =>
    hash !== undefined && meta["rollout_template_hash"] === hash;
  const old = live.filter((node) => group.hosts.includes(node.name) && !isNew(node));
  const going = old.filter(({ name }) => !laterHosts.includes(name));
  const open = live.filter(({ eligibility, drain }) => eligibility === "eligible" && !drain);
  const elsewhere = open.filter((node) => !old.includes(node));
  const hasBegun =
    (!isSurged && inFlight.some((one) => one.group === group.name)) ||
    group.hosts.some((host) => !open.some(({ name }) => name === host));
  const members = isUnknown(nomad.members) ? [] : nomad.members;
  const early = members.find(({ status, version }) => status === "alive" && EARLY.test(version))?.version;

  const hard: Finding[] = [];
  const warnings: Finding[] = [];
  const warn = (message: string, remedy: string, list = warnings): void => {
    list.push({ subject: group.name, message, remedy });
  };

  const cost = workload === "stays" ? "it loses more now" : "its leave waits for that";
  for (const message of notWhole(allocations, jobs))
    warn(`work of it is not whole now: ${message}`, `${cost}, so mend it or stop its job first`);
  for (const { node, id, service, status } of isUnknown(consul.health) ? [] : consul.health)
    if (service !== "" && status !== "passing" && going.some(({ name }) => name === node))
      warn(`${service} (${id}) on ${node} is ${status} already`, "its gate waits for that, so mend it first");
  const unknown = [...going, ...elsewhere].filter(({ resources, used }) => !resources || !used).length;
  if (unknown > 0 && workload === "moves")
    warn(
      `the resources of ${String(unknown)} ${unknown === 1 ? "node" : "nodes"} are not known, so nobody can say whether its work fits elsewhere`,
      remedyFor(retires),
    );
  const leaving = allocations
    .filter(({ desiredStatus, isCanary }) => desiredStatus === "run" && !isCanary)
    .filter((one) => going.some(({ id }) => id === one.node) && !hasEnded(one));
  const rooms = elsewhere.map(({ id, resources = NONE, used = NONE }) => ({
    id,
    cpuMhz: resources.cpuMhz - used.cpuMhz,
    memoryMb: resources.memoryMb - used.memoryMb,
  }));

  // Batch work is waited for, and system jobs do not move.
  const services = jobs.filter(({ type }) => type === "service");
  for (const [job, of] of services.flatMap((job) => job.groups.map((of) => [job, of] as const))) {
    const name = `${job.namespace}/${job.id}.${of.name}`;
    const own = leaving.filter((one) => `${one.namespace}/${one.job}.${one.taskGroup}` === name);
    if (own.length === 0) continue;
    const { maxParallel = Infinity, killTimeoutSeconds = Infinity } = of;
    const all = `${String(own.length)} of ${name}`;
    if (of.isUpdating)
      warn(
        `a deployment of ${name} is not over: some of it is a canary or of an earlier version`,
        "let it end, or promote or fail it, first",
      );
    if (workload === "stays") {
      if (early === undefined && own.length > maxParallel)
        warn(
          `${all} leave, ${String(maxParallel)} at a time (max_parallel), and none comes back before its machine: the drain runs into its deadline`,
          "raise max_parallel in the job's migrate block, or let the pool go in batches (maxUnavailable: 1)",
        );
      if (killTimeoutSeconds <= DEFAULT_KILL_SECONDS)
        warn(
          `${name} is killed ${String(killTimeoutSeconds)} s after it was told to end (kill_timeout), and its data is on a data volume`,
          "raise kill_timeout in the job to what it takes to end in order",
        );
      continue;
    }
    const hosts = going.filter(({ id }) => own.some(({ node }) => node === id)).map((node) => node.name);
    const isAll = own.length >= of.running && own.length > maxParallel;
    if (early !== undefined && hosts.length > 1 && isAll)
      warn(
        `all ${all} are on ${hosts.join(", ")}, and Nomad ${early} may end them all at once: only 1.10.3 and later (Enterprise: 1.9.11, 1.8.15) heed max_parallel on machines that drain together`,
        "let the pool go in batches (maxUnavailable: 1), or have instances in other groups, too",
        hard,
      );
    const down = elsewhere.filter(({ csi }) => of.volumes?.some(({ plugin }) => csi?.[plugin] === null));
    const where = down.map((node) => node.name).join(", ");
    if (where !== "")
      warn(`a CSI plugin of ${name} is not healthy on ${where}`, "its work waits there: mend it");
    const objections = elsewhere.map((node) => objectionTo(node, job, of));
    const fit = new Set(elsewhere.filter((_, index) => !objections[index]).map(({ id }) => id));
    const isDistinct = wantsDistinctHosts(of);
    if (fit.size < (isDistinct ? own.length : 1)) {
      const reasons = [...new Set(objections.flatMap((reason) => reason ?? []))].sort().join(" and ");
      warn(
        `${all} leave, and ${String(fit.size)} of ${String(elsewhere.length)} other nodes may have it${reasons && `, by ${reasons}`}`,
        "let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays",
        hard,
      );
      continue;
    }
    const stuck = place(
      own.map(({ used = NONE }) => used),
      rooms,
      fit,
      isDistinct,
    );
    const [used = NONE] = stuck;
    if (stuck.length > 0 && unknown === 0)
      warn(
        `no room is left on nodes elsewhere for ${String(stuck.length)} of ${name}, with ${String(used.cpuMhz)} MHz of CPU and ${String(used.memoryMb)} MiB of memory each`,
        remedyFor(retires),
      );
  }
  return hasBegun ? { refusals: [], warnings: [...hard, ...warnings] } : { refusals: hard, warnings };
}

/** Before 1.10.3, and of Enterprise before 1.9.11 and 1.8.15, which nothing else is called. */
const EARLY = /^(0\.|1\.[0-7]\.|1\.8\.(\d|1[0-4])(\D|$)|1\.9\.(\d|10)(\D|$)|1\.10\.[0-2](\D|$))/;

const DEFAULT_KILL_SECONDS = 5;

const NONE = { cpuMhz: 0, memoryMb: 0 };

const remedyFor = (retires: boolean): string =>
  retires
    ? "add hosts elsewhere first: the group does not come back"
    : "add hosts elsewhere first, or expect work to wait until the group is back";
