import type { Role } from "../../cluster/groups.js";
import { notWhole } from "../leave/work-whole.js";
import type { Finding } from "./finding.js";
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
}

/**
 * Warns where the work of a group is not whole already, or looks larger than what is free elsewhere. A warning, not a refusal: constraints, node
 * pools and priorities decide, and only Nomad knows them.
 */
export function capacityWarnings(
  { nomad }: Observation,
  group: { readonly name: string; readonly role: Role; readonly hosts: readonly string[] },
  { workload, retires = false, hash, laterHosts = [] }: Leaving,
): Finding[] {
  if (group.role !== "client" || workload === "stays" || isUnknown(nomad.nodes)) return [];
  const { allocations, jobs } = nomad;
  const unwell = isUnknown(allocations) || isUnknown(jobs) ? [] : notWhole(allocations, jobs);
  const before = unwell.map((message) => ({
    subject: group.name,
    message: `work of it is not whole now: ${message}`,
    remedy: "its leave waits for that, so mend it or stop its job first",
  }));
  const remedy = remedyFor(retires);
  const live = nomad.nodes.filter(({ status }) => status === "ready");
  const isNew = ({ meta }: NomadNode): boolean =>
    hash !== undefined && meta["rollout_template_hash"] === hash;
  const old = live.filter((node) => group.hosts.includes(node.name) && !isNew(node));
  const going = old.filter(({ name }) => !laterHosts.includes(name));
  const elsewhere = live.filter(
    (node) => !old.includes(node) && node.eligibility === "eligible" && !node.drain,
  );
  const unmeasured = [...going, ...elsewhere].filter(({ resources, used }) => !resources || !used);
  if (unmeasured.length > 0) {
    return [
      ...before,
      {
        subject: group.name,
        message: `the resources of ${String(unmeasured.length)} ${unmeasured.length === 1 ? "node" : "nodes"} are not known, so nobody can say whether its work fits elsewhere`,
        remedy,
      },
    ];
  }
  const lacks = [
    ...short("CPU", "MHz", used(going, "cpuMhz"), free(elsewhere, "cpuMhz")),
    ...short("memory", "MiB", used(going, "memoryMb"), free(elsewhere, "memoryMb")),
  ];
  return [...before, ...lacks.map((message) => ({ subject: group.name, message, remedy }))];
}

function short(what: string, unit: string, wanted: number, free: number): string[] {
  if (wanted <= free) return [];
  return [
    `its work uses ${String(wanted)} ${unit} of ${what}, and ${String(free)} ${unit} are free on nodes elsewhere`,
  ];
}

const remedyFor = (retires: boolean): string =>
  retires
    ? "add hosts elsewhere first: the group does not come back"
    : "add hosts elsewhere first, or expect work to wait until the group is back";

type Kind = "cpuMhz" | "memoryMb";

const used = (nodes: readonly NomadNode[], of: Kind): number =>
  nodes.reduce((sum, { used }) => sum + (used?.[of] ?? 0), 0);

const free = (nodes: readonly NomadNode[], of: Kind): number =>
  nodes.reduce(
    (sum, { resources, used }) => sum + Math.max(0, (resources?.[of] ?? 0) - (used?.[of] ?? 0)),
    0,
  );
