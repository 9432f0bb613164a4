import type { Environment } from "../clients/environment.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { hasAgents } from "../cluster/local-agents.js";
import { downgradeOf } from "../rollout/edit/downgrade.js";
import { withoutRegion } from "../rollout/observation/host-of.js";
import { connect } from "./live-cluster.js";
import { machinesOf } from "./local-agents.js";

/** {@link downgradeOf}, by the versions that servers say they run. They are asked only where it depends on them. */
export async function downgradeIn(
  state: ClusterState,
  name: string,
  to: string,
  { env, folder }: { readonly env: Environment; readonly folder: string },
): Promise<string | undefined> {
  const { spec } = state;
  const unasked = downgradeOf(state, name, to, new Map());
  if (unasked === undefined || !hasAgents(spec)) return unasked;
  const cluster = await connect(spec, env, Date.now, machinesOf(spec, folder));
  try {
    const asked = await Promise.allSettled([cluster.consul.members(), cluster.nomad.members()]);
    const [consul = [], nomad = []] = asked.map((each) => (each.status === "fulfilled" ? each.value : []));
    // Consul's members are its clients, too, on the machines of Nomad's servers.
    const servers = [...consul.filter(({ Tags }) => Tags["role"] === "consul"), ...nomad];
    const versions = servers.flatMap(({ Name, Status, Tags: { build = "" } }) =>
      Status === "alive" ? [[withoutRegion(Name), build.split(":")[0] ?? ""] as const] : [],
    );
    return downgradeOf(state, name, to, new Map(versions));
  } finally {
    await cluster.close();
  }
}
