import { readHold, writeHold } from "../clients/run-folder/hold.js";
import { readLog } from "../clients/run-folder/log.js";
import { whoRuns } from "../clients/run-folder/folder.js";
import { withoutRegion } from "../rollout/observation/host-of.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { parseHostName } from "../cluster/address.js";
import { roleOf } from "../cluster/groups.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { hasAgents } from "../cluster/local-agents.js";
import { isNew } from "../cluster/pending.js";
import { connect } from "../live/live-cluster.js";
import { machinesOf } from "../live/local-agents.js";
import { editSpec, refuseExample } from "../program/edit-spec.js";
import { readCluster } from "../program/read-deployed.js";
import { readSpec } from "../program/read-spec.js";
import { GateFailure } from "./deploy-group.js";
import { deployUnlessRecalled } from "./recall.js";
import { rollGroups, type RollEnd } from "./roll-groups.js";
import type { Run } from "./run.js";

/**
 * Rolls groups one after the other, with edits of `cluster.yaml` in between where an image is wanted.
 * @throws UserError as {@link rollGroups} does
 */
export async function roll(run: Run, wanted: Wanted, say: (line: string) => void): Promise<RollEnd> {
  const { env, folder, clock, stop: signal, log } = run;
  let waitsFor: string | undefined;
  return rollGroups(
    {
      look: async () => {
        const { spec, deployed } = await readCluster(env);
        const leaders = await leadersOf(run, { spec, deployed }, wanted);
        const { events } = readLog(folder);
        return { spec, deployed, hold: readHold(folder), events, leaders };
      },
      edit: (group, change) => {
        const source = readSpec(env);
        refuseExample(source);
        editSpec(source, new Map([[group, change]]));
        return Promise.resolve(readSpec(env).spec);
      },
      deploy: (group) => deployUnlessRecalled(run, group),
      isGateFailure: (error) => error instanceof GateFailure,
      hold: (reason) => {
        writeHold(folder, {
          kind: "pause",
          since: new Date(clock.now()).toISOString(),
          by: whoRuns(),
          reason,
        });
        log({ event: "held", by: whoRuns(), reason });
        return Promise.resolve();
      },
      onCondition: (message) => {
        if (message !== waitsFor) log({ event: "waiting", message });
        waitsFor = message;
      },
      say,
      clock,
      signal,
    },
    wanted,
  );
}

/** The groups whose servers lead; nobody is asked for a roll of clients alone, nor before servers stand. Who leads decides of the order, not of safety. */
async function leadersOf(
  { env, clock, folder }: Run,
  { spec, deployed }: ClusterState,
  { groups }: Wanted,
): Promise<string[]> {
  const machines = machinesOf(spec, folder);
  const servers = groups.filter((name) => roleOf(name.slice(0, -2)) !== "client");
  const isOfServers = servers.some((name) => !isNew(deployed.groups.get(name)));
  if (!isOfServers || !hasAgents(spec)) return [];
  const cluster = await connect(spec, env, clock.now, machines);
  try {
    const asked = await Promise.allSettled([
      cluster.consul.raftConfiguration(),
      cluster.nomad.raftConfiguration(),
    ]);
    return asked.flatMap((answer) =>
      answer.status === "rejected"
        ? []
        : answer.value
            .filter(({ Leader }) => Leader)
            .map(({ Node }) => parseHostName(withoutRegion(Node))?.group ?? ""),
    );
  } finally {
    await cluster.close();
  }
}
