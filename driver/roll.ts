import { changeHold, readHold } from "../clients/run-store/hold.js";
import { LogReader } from "../clients/run-store/run-log.js";
import { whoRuns } from "../clients/who-runs.js";
import { withoutRegion } from "../rollout/observation/host-of.js";
import type { Wanted } from "../rollout/roll/next-group.js";
import { parseHostName } from "../cluster/address.js";
import { roleOf } from "../cluster/groups.js";
import type { Spec } from "../cluster/yaml/schema.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { hasAgents } from "../cluster/local-agents.js";
import { isNew } from "../cluster/pending.js";
import { downgradeIn } from "../live/downgrade.js";
import { connect } from "../live/live-cluster.js";
import { machinesOf } from "../live/local-agents.js";
import { editSpec, elementOf, refuseUneditable } from "../program/edit-spec.js";
import { readCluster } from "../program/read-deployed.js";
import { readSpec } from "../program/read-spec.js";
import { endDrain } from "./end-drain.js";
import { GateFailure } from "./deploy-group.js";
import { deployUnlessRecalled } from "./recall.js";
import { rollGroups, type RollDeps, type RollEnd } from "./roll-groups.js";
import type { Run } from "./run.js";

/**
 * Rolls groups one after the other, with edits of `cluster.yaml` in between where an image is wanted.
 * @throws UserError as {@link rollGroups} does
 */
export async function roll(run: Run, wanted: Wanted, say: RollDeps["say"], shown?: Spec): Promise<RollEnd> {
  const { env, store, clock, stop: signal, log, note } = run;
  const reader = new LogReader(store);
  let waitsFor: string | undefined;
  return rollGroups(
    {
      look: async () => {
        const { spec, deployed } = await readCluster(env);
        // What was approved has its order.
        const leaders = run.approved ? [] : await leadersOf(run, { spec, deployed }, wanted);
        const { events } = await reader.read();
        return { spec, deployed, hold: await readHold(store, clock.now()), events, leaders };
      },
      edit: async (group, change) => {
        await run.prove();
        if (change.image === wanted.image) await run.approved?.prove(group);
        const source = readSpec(env);
        refuseUneditable(source, elementOf("images", group));
        editSpec(source, new Map([[group, change]]));
        return (await readCluster(env)).spec;
      },
      downgrade: async (group, image) => downgradeIn(await readCluster(env), group, image, run),
      deploy: async (group, ids) => {
        await run.approved?.prove(group);
        if (!ids || !wanted.despite) return deployUnlessRecalled(run, group);
        const despite = { ids, reason: wanted.despite.reason };
        say(`${group}: begun despite ${ids.join(", ")}: ${despite.reason}`);
        return deployUnlessRecalled({ ...run, despite }, group);
      },
      endDrain: (group, change) => {
        // No drain is ended for an undo that the spec cannot hold.
        editSpec(readSpec(env), new Map([[group, change]]), { isDryRun: true });
        return endDrain(run, group);
      },
      isGateFailure: (error) => error instanceof GateFailure,
      hold: async (reason) => {
        const by = whoRuns();
        const at = clock.now();
        const since = new Date(at).toISOString();
        await changeHold(store, at, (hold) => hold ?? { kind: "pause", since, by, reason });
        await log({ event: "held", by, reason });
      },
      onCondition: (message) => {
        if (message !== waitsFor) note({ event: "waiting", message });
        waitsFor = message;
      },
      say,
      clock,
      signal,
    },
    wanted,
    shown,
  );
}

/** The groups whose servers lead; nobody is asked for a roll of clients or of one group alone, nor before servers stand. Who leads decides of the order, not of safety. */
async function leadersOf(
  { env, clock, folder }: Run,
  { spec, deployed }: ClusterState,
  { groups }: Wanted,
): Promise<string[]> {
  const machines = machinesOf(spec, folder);
  const servers = groups.filter((name) => roleOf(name.slice(0, -2)) !== "client");
  const isOfServers = servers.some((name) => !isNew(deployed.groups.get(name)));
  if (!isOfServers || groups.length === 1 || !hasAgents(spec)) return [];
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
