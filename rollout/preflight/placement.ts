import type { Constraint, NomadJob, NomadNode } from "../observation/observation.js";

type TaskGroup = NomadJob["groups"][number];

/**
 * Why a node may not have work however much is free on it. What is not known speaks against no node, nor does what
 * is not judged here: versions, expressions, sets and the like.
 */
export function objectionTo(
  node: NomadNode,
  { datacenters = [], pool = "all" }: NomadJob,
  group: TaskGroup,
): string | undefined {
  const { datacenter, csi } = node;
  if (pool !== "all" && node.pool !== undefined && node.pool !== pool) return `node pool ${pool}`;
  const isIn = datacenters.some((name) => name.includes("*") || name === datacenter);
  if (datacenter !== undefined && datacenters.length > 0 && !isIn)
    return `datacenter ${datacenters.join(", ")}`;
  const broken = group.constraints?.find((constraint) => holds(constraint, node) === false);
  if (broken) return `constraint ${broken.LTarget} ${broken.Operand} ${broken.RTarget}`.trim();
  if (wantsDistinctHosts(group) && group.on?.includes(node.id)) return "distinct_hosts";
  const far = group.volumes?.find(({ plugin, topologies }) => {
    const own = csi?.[plugin];
    const isHere = (one: object): boolean =>
      Object.entries(one).every(([name, value]) => own?.[name] === value);
    return csi && own !== null && (!own || (topologies.length > 0 && !topologies.some(isHere)));
  });
  return far && `its CSI volume (${far.plugin})`;
}

export const wantsDistinctHosts = ({ constraints = [] }: TaskGroup): boolean =>
  constraints.some(({ Operand, RTarget }) => Operand === "distinct_hosts" && !/^(0|f|false)$/i.test(RTarget));

type Need = NonNullable<NomadNode["used"]>;

/** What is free on a node, as it is filled. */
export type Room = { readonly id: string } & { -readonly [Kind in keyof Need]: number };

/**
 * Places work one by one, each where most memory is free, and takes its room.
 * @param fit the ids of the nodes that may have it
 * @param isDistinct whether no two may be on one node
 * @returns what finds no room
 */
export function place(
  work: readonly Need[],
  rooms: readonly Room[],
  fit: ReadonlySet<string>,
  isDistinct: boolean,
): Need[] {
  const open = new Set(fit);
  const stuck: Need[] = [];
  for (const need of work) {
    const [best] = rooms
      .filter(
        ({ id, cpuMhz, memoryMb }) => open.has(id) && cpuMhz >= need.cpuMhz && memoryMb >= need.memoryMb,
      )
      .sort((one, other) => other.memoryMb - one.memoryMb);
    if (!best) {
      stuck.push(need);
      continue;
    }
    best.cpuMhz -= need.cpuMhz;
    best.memoryMb -= need.memoryMb;
    if (isDistinct) open.delete(best.id);
  }
  return stuck;
}

/** Undefined where that cannot be judged. */
function holds({ LTarget, Operand, RTarget }: Constraint, node: NomadNode): boolean | undefined {
  const [one, other] = [valueOf(LTarget, node), valueOf(RTarget, node)];
  if (one === null || other === null) return undefined;
  if (/^(=|==|is)$/.test(Operand)) return one !== undefined && one === other;
  if (/^(!=|not)$/.test(Operand)) return (one ?? "") !== (other ?? "");
  if (/^is(_not)?_set$/.test(Operand)) return (one !== undefined) === (Operand === "is_set");
  return undefined;
}

/** What stands for a target on a node; undefined: it has none; null: nobody knows. */
function valueOf(target: string, node: NomadNode): string | undefined | null {
  const { id, name, datacenter, pool, attributes, meta } = node;
  const [, of, key = ""] = /^\$\{(attr|meta|node)\.(.*)\}$/.exec(target) ?? [];
  if (of === undefined) return target.startsWith("${") ? null : target;
  if (of !== "node") return attributes ? (of === "attr" ? attributes : meta)[key] : null;
  const known = { "unique.id": id, "unique.name": name, datacenter, pool, class: node.class };
  return new Map(Object.entries(known)).get(key) ?? null;
}
