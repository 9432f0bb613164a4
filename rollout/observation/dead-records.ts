import { parseHostName } from "../../cluster/address.js";
import type { Deployed } from "../../cluster/deployed.js";
import { inFlightOf } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { areAbsent, isDeadRecord } from "./machine.js";
import type { Observation } from "./observation.js";

/** What Nomad and Consul remember of machines. */
export interface Remembered {
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string;
    readonly status: string;
    /** Of nodes that are ready it need not be known. */
    readonly meta: Readonly<Record<string, string>>;
  }[];
  readonly machines: Observation["machines"];
  readonly members: readonly { readonly name: string; readonly status: string }[];
  readonly catalog: readonly { readonly name: string; readonly meta: Readonly<Record<string, string>> }[];
}

/** A record of a machine that is gone. */
export interface DeadRecord {
  readonly of: "nomad" | "consul";
  readonly name: string;
  /** Nomad's id of the node; in Consul the name is the id. */
  readonly id: string;
  readonly why: string;
}

/**
 * The records of this cluster's machines that are gone for good: dead by Nomad's and Consul's own word, or by EC2's whatever
 * Nomad says, and succeeded by another machine of the name or unknown to the state. A dead machine that the state has is one to be replaced, and of a
 * group in flight nobody knows yet.
 */
export function deadRecordsOf(spec: Spec, deployed: Deployed, seen: Remembered): DeadRecord[] {
  const inFlight = new Set(inFlightOf(spec, deployed).map(({ group }) => group));
  const hosts = new Set([...deployed.groups.values()].flatMap(({ hosts }) => hosts.map(({ name }) => name)));
  const mayGo = (name: string, meta: Readonly<Record<string, string>> | undefined): boolean => {
    const group = parseHostName(name)?.group;
    return group !== undefined && !inFlight.has(group) && meta?.["rollout_cluster"] === spec.name;
  };
  const nodes = seen.nodes.flatMap(({ id, name, status, meta }): DeadRecord[] => {
    const isGone =
      isDeadRecord({ id, name, status }, seen.nodes, seen.machines) ||
      (status !== "ready" && areAbsent(seen.machines, (host) => host === name));
    if (!isGone || !mayGo(name, meta)) return [];
    const successor = seen.nodes.find((other) => other.name === name && other.status === "ready");
    if (!successor && hosts.has(name)) return [];
    const why = successor
      ? `${status}, succeeded by ${successor.id.slice(0, 8)}`
      : `${status}, not in the state`;
    return [{ of: "nomad", name, id, why }];
  });
  const members = seen.members.flatMap(({ name, status }): DeadRecord[] => {
    const meta = seen.catalog.find((node) => node.name === name)?.meta;
    if (status !== "failed" || hosts.has(name) || !mayGo(name, meta)) return [];
    return [{ of: "consul", name, id: name, why: "failed, not in the state" }];
  });
  return [...nodes, ...members];
}
