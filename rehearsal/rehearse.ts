import type { LocalMachines } from "../clients/local-machines/machines.js";
import { checkRealAgents } from "../clients/local-machines/real-agents.js";
import type { Environment } from "../clients/environment.js";
import { toolOf } from "../clients/terraform/find.js";
import { terraformVersion } from "../clients/terraform/terraform.js";
import { defaultGroups, refusedPair } from "./default-groups.js";
import { faultsOf, type Rehearsal, type RehearsalStep } from "./report.js";
import { parseHostName } from "../cluster/address.js";
import { findGroup } from "../cluster/find-group.js";
import { poolsOf, type Group } from "../cluster/groups.js";
import { rehearsalSpec } from "./spec.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { heedSignals } from "../program/heed-signals.js";
import { readSpec } from "../program/read-spec.js";
import { createCluster } from "./create.js";
import { runJobs, SERVICE } from "./job.js";
import { startLoad, type RunningLoad } from "./load/load.js";
import { leaveRehearsalFolder, makeRehearsalFolder, removeRehearsalFolder } from "./folder.js";
import { Rehearsing } from "./rehearsing.js";
import { beRefused } from "./refuse.js";
import { rollGroup } from "./roll.js";
import type { RunTasks, Task } from "./tasks.js";

export interface RehearseArgs {
  readonly agents: "simulated" | "real";
  /** The spec's file. Default: as for every other verb. */
  readonly spec?: string;
  /** Names of groups, in the order in which they are rolled. Default: one of clients and a Consul server. */
  readonly groups: readonly string[];
  /** Whether the cluster stays when the rehearsal has ended. */
  readonly keep: boolean;
}

export interface RehearseDeps {
  readonly env: Environment;
  /** The cluster of a run folder. */
  readonly clusterIn: (runFolder: string) => LocalMachines;
  readonly run: RunTasks;
  /** Tells something beside the tasks. */
  readonly note: (line: string) => void;
}

/** Faster, the pauses of a busy machine would look like minutes, and deadlines would pass. */
const SPEED = 20;

/**
 * Puts a cluster on this machine, keeps a load on it, rolls groups of it and has a change of two refused; then everything is
 * stopped and removed.
 * @throws UserError when it cannot be begun, or when a step fails
 */
export async function runRehearse(deps: RehearseDeps, args: RehearseArgs): Promise<Rehearsal> {
  const { binary, version } = await terraformVersion();
  if (args.agents === "real") await checkRealAgents();
  const { spec } = readSpec(args.spec === undefined ? deps.env : { CLUSTER: args.spec });
  const groups = groupsToRoll(spec, args.groups);
  const speed = args.agents === "simulated" ? SPEED : 1;
  const { text, leftOut } = rehearsalSpec(spec, { agents: args.agents, speed });
  const tool = toolOf(binary);
  return heedSignals(async ({ stop }) => {
    stop.addEventListener("abort", () => {
      deps.note(`stopping: ${tool} is asked to end${args.keep ? "" : ", then everything is removed"}`);
    });
    const begun = performance.now();
    const { path, runFolder } = makeRehearsalFolder(spec.name, text);
    const cluster = deps.clusterIn(runFolder);
    let isTold = false;
    try {
      const found = await rehearse(new Rehearsing(path, cluster, stop, speed), groups, deps.run);
      const kept = args.keep ? { folder: path, ...cluster.endpoints() } : null;
      isTold = true;
      return {
        verdict: faultsOf(found).length === 0 ? "passed" : "failed",
        cluster: spec.name,
        agents: args.agents,
        speed,
        machines: cluster.list().length,
        terraform: `${tool} ${version}`,
        leftOut: [...leftOut],
        seconds: (performance.now() - begun) / 1000,
        ...found,
        kept,
      };
    } finally {
      if (args.keep) {
        leaveRehearsalFolder(path, spec.name);
        if (!isTold) deps.note(`kept: ${path}; npx rollout rehearse --clean removes it`);
      } else {
        await cluster.stopAll();
        removeRehearsalFolder(path);
        if (stop.aborted) deps.note("stopped; everything is removed");
        else if (!isTold) deps.note("everything is removed; rehearse again with --keep for a look at it");
      }
    }
  });
}

/** @throws UserError (exit code 2) for a group that the spec does not have */
const groupsToRoll = (spec: Spec, names: readonly string[]): Group[] =>
  names.length === 0
    ? defaultGroups(poolsOf(spec))
    : [...new Set(names)].map((name) => findGroup(spec, name));

type Found = Pick<Rehearsal, "steps" | "load" | "work">;

async function rehearse(rehearsing: Rehearsing, groups: readonly Group[], run: RunTasks): Promise<Found> {
  // As the rehearsal has them: with fewer hosts, perhaps.
  const { spec } = await rehearsing.program();
  const pools = poolsOf(spec);
  const rolled = groups.map(({ name }) => findGroup(spec, name));
  const steps: RehearsalStep[] = [];
  const moves = { moved: 0, movedTwice: Array.of<string>() };
  let load: RunningLoad | undefined;
  let result: Rehearsal["load"] | undefined;
  const working = poolsThatWork(pools, rolled);

  const tasks: Task[] = [
    {
      title: "create the cluster",
      run: async (say) => {
        const step = await createCluster(rehearsing, say);
        steps.push(step);
        return `${String(step.machines.length)} machines`;
      },
    },
    {
      title: "run a service, and keep a load on it and on Consul",
      run: async (say) => {
        if (working.length > 0) say("waiting until all of it answers");
        const servers = working.length > 0 ? await runJobs(rehearsing, working) : 0;
        load = await startLoad({
          ...(servers > 0 ? { service: SERVICE } : {}),
          consul: agentsBeside(rolled[0], rehearsing),
          speed: rehearsing.speed,
        });
        return `${String(servers)} servers`;
      },
    },
    ...rolled.map((group): Task => ({
      title: `roll ${group.name}`,
      run: async (say) => {
        await load?.ask(agentsBeside(group, rehearsing));
        const rolling = await rollGroup(rehearsing, group, say);
        steps.push(rolling.step);
        moves.moved += rolling.moves.moved;
        moves.movedTwice.push(...rolling.moves.twice);
        return rolling.step.change ?? "";
      },
    })),
    {
      title: "change two groups at once",
      run: async () => {
        const step = await beRefused(rehearsing, refusedPair(pools));
        steps.push(step);
        return step.refusal === null ? "not refused" : "refused";
      },
    },
    {
      title: "read every acknowledged write again",
      run: async () => {
        result = await load?.stop();
        load = undefined;
        return `${String(result?.writes.lost.length ?? 0)} of ${String(result?.writes.acknowledged ?? 0)} lost`;
      },
    },
  ];
  try {
    await run(tasks);
  } finally {
    await load?.abandon();
  }
  if (result === undefined) throw new Error("the load has no result");
  return { steps, load: result, work: moves };
}

/** The client pools that are rolled; where none is, the one that would be. */
function poolsThatWork(pools: ReturnType<typeof poolsOf>, rolled: readonly Group[]) {
  const clients = pools.filter(({ role }) => role === "client");
  const chosen = clients.filter(({ name }) => rolled.some(({ pool }) => pool === name));
  const usual = defaultGroups(pools)[0]?.pool;
  return chosen.length > 0 ? chosen : clients.filter(({ name }) => name === usual);
}

const MOST_AGENTS = 3;

/** Consul agents on machines that stay while a group is rolled, as applications there would ask them: clients first. */
function agentsBeside(group: Group | undefined, { cluster }: Rehearsing): string {
  const staying = cluster.list().filter(({ name }) => parseHostName(name)?.group !== group?.name);
  const clients = staying.filter(({ name }) => !/^(consul|nomad)-server-/.test(name));
  return (clients.length > 0 ? clients : staying)
    .slice(0, MOST_AGENTS)
    .map(({ consul }) => consul)
    .join(",");
}
