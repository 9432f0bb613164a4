import { isSurged, templateIn } from "../rollout/edit/take-back.js";
import { nextLeave } from "../rollout/leave/next-leave.js";
import { atWork } from "../rollout/leave/still-there.js";
import { fatesOf, type Fate } from "../rollout/preflight/died.js";
import { describeLost, lostQuorum } from "../rollout/preflight/lost-quorum.js";
import { notWell, preflight } from "../rollout/preflight/preflight.js";
import type { Batch } from "../rollout/roll/next-batch.js";
import { serverOrder } from "../rollout/roll/server-order.js";
import { DEPLOY_CLUSTER } from "../rollout/roll/may-roll.js";
import { listedHosts } from "../rollout/server-lists.js";
import { parseAddress } from "../cluster/address.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import { hookFileOf } from "../cluster/hooks/hook-file.js";
import { makesTheSame } from "../cluster/template-hash.js";
import { hostNames, type Group } from "../cluster/groups.js";
import { hasAgents } from "../cluster/local-agents.js";
import { inFlightOf } from "../cluster/pending.js";
import { UserError } from "../cluster/user-error.js";
import type { DeployedHost } from "../cluster/deployed.js";
import type { Observation } from "../rollout/observation/observation.js";
import { connect, type LiveCluster } from "../live/live-cluster.js";
import { withLists } from "../live/observe/server-lists.js";
import { machinesOf } from "../live/local-agents.js";
import { clusterClock } from "../clients/clock.js";
import type { HookContext } from "../hooks/hook-context.js";
import { askPool, leaveOrderOf, runLeaveHook, standingIn } from "../hooks/leave.js";
import { refuseUnsafe } from "../hooks/leave-group.js";
import { undoSteps } from "../hooks/steps.js";
import { runReadyHook } from "../hooks/ready.js";
import type { Run } from "./run.js";

/** What a group is asked for through its agents: the very functions that Terraform's hooks call. */
export interface GroupAgents {
  /**
   * @param batch of hosts that leave next, and those that leave later
   * @throws UserError with everything that speaks against the roll
   */
  readonly preflight: (batch: Batch) => Promise<void>;
  /** Those of some of its machines that work; of servers in the order in which they go. */
  readonly order: (hosts: readonly string[]) => Promise<string[]>;
  /** What has become of machines that stood. @throws UserError where most servers of the group's kind are not alive */
  readonly fates: (hosts: readonly DeployedHost[]) => Promise<Fate[]>;
  /** @throws UserError naming each machine of another group that could not be told of a new Consul server */
  readonly canBeTold: () => Promise<void>;
  readonly leave: (laterHosts: readonly string[]) => Promise<void>;
  /** @param laterHosts the hosts that need not be whole yet */
  readonly ready: (laterHosts: readonly string[]) => Promise<void>;
  /** The steps that follow the gate that has passed. @throws UserError where one fails that stops */
  readonly afterReady: () => Promise<void>;
  /** What its steps owe, once its roll has ended. */
  readonly undo: () => Promise<void>;
  /** For whoever asks them for something else. */
  readonly context: HookContext;
}

/**
 * Undefined where there are no agents, as on platform local.
 * @param folder where a hook of the group's view runs
 */
export function agentsOf(
  run: Pick<Run, "env" | "clock" | "stop" | "folder" | "store">,
  program: ClusterState,
  group: Group,
  { say, onCondition, folder }: Pick<HookContext, "say" | "onCondition" | "folder">,
): GroupAgents | undefined {
  const { spec, deployed } = program;
  const { env, stop: signal } = run;
  if (!hasAgents(spec)) return undefined;
  const machines = machinesOf(spec, run.folder);
  const file = hookFileOf({ spec, deployed, specFolder: ".", rolled: group });
  const clock = machines ? clusterClock(machines) : run.clock;
  const inFlight = inFlightOf(spec, deployed);
  let after: (() => Promise<unknown>) | undefined;
  const current = deployed.groups.get(group.name);
  const driver = {
    inFlight: inFlight.filter((each) => each.group === group.name),
    goesBack:
      current?.revisions.some((each) => makesTheSame(templateIn(each, group, current), group)) === true,
    later: (steps: () => Promise<unknown>): void => void (after = steps),
  };
  const store = () => Promise.resolve(run.store);
  const own = { env, file, clock, say, onCondition, signal, folder, driver, store };
  const context: HookContext = machines ? { ...own, machines } : own;
  const { name: subject, hash } = group;
  const stay = hostNames(group);
  const looking = async <T>(
    look: (seen: Observation, cluster: LiveCluster) => T,
    before = false,
  ): Promise<Awaited<T>> => {
    const cluster = await connect(spec, env, clock.now, machines, group.name);
    try {
      const question = { group: subject, role: group.role, agentsOf: [], checks: [], before };
      return await look(await cluster.observe(question), cluster);
    } finally {
      await cluster.close();
    }
  };
  return {
    order: (hosts) =>
      looking((observation) =>
        group.role === "client" ? atWork(observation, hosts) : serverOrder(observation, group.role, hosts),
      ),
    fates: (hosts) =>
      looking((observation) => {
        const lost = lostQuorum(observation, group.role, { name: spec.name, groups: standingIn(file) });
        if (lost) throw new UserError(describeLost(lost, subject, (names) => createAnew(program, names)));
        return fatesOf(observation, { ...group, cluster: spec.name }, hosts);
      }),
    preflight: ({ updated, updating, laterHosts }) =>
      looking(async (observation, cluster) => {
        const order = leaveOrderOf(file, group, { stay, laterHosts });
        // One more server changes the majority, and every machine is told of it.
        const grows =
          group.role !== "client" &&
          stay.length > order.hosts.length &&
          context.driver?.inFlight.length === 0;
        if (!grows && nextLeave(observation, order).kind === "done") {
          say("nothing of it has to leave any more");
          return;
        }
        const listed = listedHosts(observation, standingIn(file), group);
        const seen = await withLists(cluster.agents, observation, listed, signal);
        const found = preflight(seen, {
          ...{ ...order, cluster: standingIn(file), inFlight },
          isSurged: current !== undefined && isSurged(current),
        });
        const objections = (await askPool(context, group, seen, laterHosts)) ?? [];
        const refusals = [...found.refusals, ...objections];
        const isFurther = updated.length > 0 && objections.length > 0;
        const more = isFurther ? `, and nothing of its next machines has left (${updating.join(", ")})` : "";
        refuseUnsafe({ ...found, refusals }, `${subject} cannot be rolled now${more}:`, say);
      }, true),
    canBeTold: () =>
      looking((seen) => {
        const others = standingIn(file).filter(({ name }) => name !== subject);
        // Whoever has a Consul agent that lives can be told, also where it gets no work.
        const refusals = others.flatMap((other) => notWell(seen, { ...other, role: "consul-server" }, group));
        const what = `${subject} cannot be rolled now, since every machine is told of its successor:`;
        refuseUnsafe({ refusals, warnings: [] }, what, say);
      }),
    leave: (laterHosts) => runLeaveHook(context, { hook: "leave", subject, hash, stay, laterHosts }),
    undo: () => undoSteps(context, group),
    context,
    afterReady: async () => {
      await after?.();
    },
    ready: (laterHosts) => runReadyHook(context, { hook: "ready", subject, hash, laterHosts }),
  };
}

/** What makes new groups of those whose machines are all gone: what the state has of them is forgotten, and the view cluster creates them. */
function createAnew({ spec, deployed }: ClusterState, names: readonly string[]): string {
  const addresses = [...deployed.addresses].filter((address) =>
    names.includes(parseAddress(address)?.group ?? ""),
  );
  return `npx rollout plan cluster --out cluster.plan, then terraform -chdir=cdktf.out/${spec.name}/cluster state rm ${addresses.join(" ")}, then ${DEPLOY_CLUSTER}`;
}
