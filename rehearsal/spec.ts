import { Document, visit } from "yaml";
import { poolsOf, roleOf } from "../cluster/groups.js";
import type { PoolSpec, Spec } from "../cluster/yaml/schema.js";

/** What the machines of a rehearsal run. */
export interface RehearsalAgents {
  readonly agents: "simulated" | "real";
  /** How many times as fast as real time a simulated cluster lives. */
  readonly speed: number;
}

/** A spec on this machine, and what it leaves out. */
export interface RehearsalSpec {
  /** The text of its `cluster.yaml`. */
  readonly text: string;
  /** A sentence for each thing that is other than the user wrote it, beside the platform and the backend. */
  readonly leftOut: readonly string[];
}

/** Each machine is processes on this one: more than two clients of a group show nothing new, and cost memory and time. */
const MOST_HOSTS = 2;

/**
 * Puts a cluster's spec on platform local, its state beside the spec. How work is drained, how long a group has to hold and
 * what it is made of stay as the user wrote them.
 */
export function rehearsalSpec(spec: Spec, { agents, speed }: RehearsalAgents): RehearsalSpec {
  const { pendingGroups, ownResources } = spec.rollout;
  const document = new Document({
    name: spec.name,
    platform: "local",
    local: agents === "simulated" ? { agents, speed } : { agents },
    backend: { type: "local", path: `terraform.${spec.name}.tfstate` },
    pools: Object.fromEntries(
      Object.entries(spec.pools).map(([name, pool]) => [name, rehearsed(name, pool)]),
    ),
    rollout: { ...spec.rollout, pendingGroups: "one", ownResources: [] },
  });
  visit(document, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  return {
    text: document.toString({ flowCollectionPadding: false, lineWidth: 0 }),
    leftOut: [
      ...poolsOf(spec).flatMap(({ name }) => leftOutOf(name, spec)),
      ...(pendingGroups === "queue"
        ? ["rollout.pendingGroups is one, so that a change of two groups is refused"]
        : []),
      ...(ownResources.length > 0
        ? [`resources of your own are left out: ${[...ownResources].sort().join(", ")}`]
        : []),
      ...(spec.protection === "off" ? ["protection is on, or no group could be rolled"] : []),
    ],
  };
}

type AnyPool = Pick<PoolSpec, "ready"> &
  Partial<Pick<PoolSpec, "userData">> & { readonly hosts?: PoolSpec["hosts"] };

function rehearsed(name: string, pool: AnyPool): object {
  const { hosts, ready } = pool;
  const most = mostOf(name);
  return {
    ...pool,
    userData: undefined,
    ...(hosts ? { hosts: hosts.map((count) => Math.min(count, most)) } : {}),
    ready: { ...ready, checks: [] },
    steps: {},
  };
}

const mostOf = (pool: string): number => (roleOf(pool) === "client" ? MOST_HOSTS : Infinity);

function leftOutOf(name: string, spec: Spec): string[] {
  const pool: AnyPool | undefined = spec.pools[name];
  const checks = pool?.ready.checks ?? [];
  const hosts = pool?.hosts ?? [];
  return [
    ...(pool?.userData ? [`${name}: its user data is left out, it needs real machines`] : []),
    ...(checks.length > 0
      ? [
          `${name}: its own checks are not asked, they need real machines: ${checks.map((check) => check.name).join(", ")}`,
        ]
      : []),
    ...(hosts.some((count) => count > mostOf(name))
      ? [`${name}: at most ${String(MOST_HOSTS)} machines a group, not ${hosts.join(", ")}`]
      : []),
  ];
}
