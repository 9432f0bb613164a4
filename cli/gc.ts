import * as z from "zod";
import type { Environment } from "../clients/environment.js";
import { runFolderOf } from "../clients/run-folder/folder.js";
import { deadRecordsOf, type DeadRecord, type Remembered } from "../rollout/observation/dead-records.js";
import { describeOrigin, isForReview } from "../cluster/deployed.js";
import { UserError } from "../cluster/user-error.js";
import { connect, type LiveCluster } from "../live/live-cluster.js";
import { machinesOf } from "../live/local-agents.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { readCluster } from "../program/read-deployed.js";

export interface GcArgs {
  /** Removes what is listed. */
  readonly yes?: boolean;
  /** Asks Nomad for its own garbage collection, too. */
  readonly system?: boolean;
}

/** What `rollout gc --format json` prints. */
const gcSchema = z.strictObject({
  records: z.array(
    z.strictObject({
      of: z.enum(["nomad", "consul"]),
      name: z.string(),
      id: z.string(),
      why: z.string(),
      removed: z.boolean().describe("false: it was only listed, or has come back since."),
    }),
  ),
  system: z.boolean().describe("Whether Nomad was asked for its own garbage collection."),
});

export type Gc = z.output<typeof gcSchema>;

/** Lists the records of machines that are gone, and removes them when told to. */
export async function runGc(env: Environment, { yes = false, system = false }: GcArgs): Promise<Gc> {
  const { spec, file, deployed } = await readCluster(env);
  if (isForReview(deployed.origin) || deployed.addresses.size === 0)
    throw new UserError(
      `nobody knows which machines are gone: deployed is ${describeOrigin(deployed.origin)}; only a state that holds the cluster says it`,
    );
  const machines = machinesOf(spec, runFolderOf(file, spec.name));
  const cluster = await connect(spec, env, Date.now, machines);
  try {
    return gcSchema.parse(await collect(cluster, { spec, deployed }, { yes, system }));
  } finally {
    await cluster.close();
  }
}

interface Agents extends Pick<LiveCluster, "consul" | "machines"> {
  readonly nomad: Pick<LiveCluster["nomad"], "nodes" | "node" | "purge" | "systemGc">;
}

type Asked = Required<GcArgs>;

/** Finds what is to go, and with `yes` removes it. */
export async function collect(
  cluster: Agents,
  { spec, deployed }: ClusterState,
  { yes, system }: Asked,
): Promise<Gc> {
  const records = [];
  for (const record of deadRecordsOf(spec, deployed, await remembered(cluster)))
    records.push({ ...record, removed: yes && (await remove(cluster, record)) });
  if (system && yes) await cluster.nomad.systemGc();
  return { records, system: system && yes };
}

/** The list of nodes has no metadata, so the few that are not ready are asked for one by one. */
async function remembered(cluster: Agents): Promise<Remembered> {
  const { consul, nomad } = cluster;
  const [stubs, members, catalog, machines] = await Promise.all([
    nomad.nodes(),
    consul.members(),
    consul.nodes(),
    cluster.machines(),
  ]);
  const nodes = [];
  for (const { ID, Name, Status } of stubs) {
    const meta = Status !== "ready" ? (await nomad.node(ID))?.Meta : undefined;
    nodes.push({ id: ID, name: Name, status: Status, meta: meta ?? {} });
  }
  return {
    nodes,
    machines,
    members: members.map(({ Name, Status }) => ({ name: Name, status: Status })),
    catalog: catalog.map(({ Node, Meta }) => ({ name: Node, meta: Meta })),
  };
}

/** Looks once more before: purging a node that lives loses its work at once. False where it has come back, or is gone. */
async function remove({ consul, nomad }: Agents, { of, id, name }: DeadRecord): Promise<boolean> {
  if (of === "nomad") {
    const status = (await nomad.node(id))?.Status;
    // One that has come back is `initializing` before it is ready.
    return (status === "down" || status === "disconnected") && nomad.purge(id);
  }
  const now = (await consul.members()).find(({ Name }) => Name === name);
  return now?.Status === "failed" && consul.forceLeave(name);
}
