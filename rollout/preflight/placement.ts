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
    return csi && (!own || (topologies.length > 0 && !topologies.some(isHere)));
  });
  return far && `its CSI volume (${far.plugin})`;
}

export const wantsDistinctHosts = ({ constraints = [] }: TaskGroup): boolean =>
  constraints.some(({ Operand, RTarget }) => Operand === "distinct_hosts" && !/^(0|f|false)$/i.test(RTarget));

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
