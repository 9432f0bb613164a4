import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ConsulAgent } from "../../clients/consul/consul-agent.js";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { ClientError } from "../../clients/http/errors.js";
import { startSimulator, type Simulator } from "../../packages/simulator/http/simulator.js";
import type { SimulatorOptions } from "../../packages/simulator/http/simulator.js";
import type { Machine } from "../../packages/simulator/machine.js";
import { serversIn } from "../../clients/ssh/consul-servers-file.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import type { Clock } from "../../clients/clock.js";
import type { Environment } from "../../clients/environment.js";
import { simulatedMachine, simulatedMachines } from "./simulated-machine.js";
import { MachinesFolder } from "../../clients/local-machines/machines-folder.js";
import type { Group } from "../../cluster/groups.js";
import { UserError } from "../../cluster/user-error.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { LiveCluster } from "../../live/live-cluster.js";
import { localAgents } from "../../live/local-agents.js";

/**
 * Simulated time passes twenty times as fast: by itself, because a request that takes its time is waited for. Faster, a
 * busy machine's own pauses would look like minutes, and gates' deadlines would pass.
 */
const FACTOR = 0.05;

/** Servers are stable 30 s after their start. */
const STABLE_MS = 31_000;

/** When simulated time begins. */
const EPOCH = Date.parse("2026-01-01T00:00:00Z");

/** A spec's cluster, simulated: every machine of it runs, as an image of the spec's contract would. */
export interface SimulatedWorld {
  readonly simulator: Simulator;
  readonly env: Environment;
  /** Of simulated time. */
  readonly clock: Clock;
  /** Ends the machine of a host, if it runs, and starts another from an image, with an empty disk. */
  replace(group: Group, host: number): Promise<void>;
  /** A folder that goes with the cluster. */
  readonly folder: string;
  /** The program's view of it, with the tokens of its environment. */
  connect(spec: Spec): Promise<LiveCluster>;
  /** Writes into a run folder where the machines are and what their time is by now, as for agents of platform local. */
  announceIn(runFolder: string): void;
  /** Waits until every server votes and every client is ready. */
  whole(): Promise<void>;
  /** Lets simulated milliseconds pass at once. */
  skip(ms: number): void;
  /** Waits until something is so. */
  until(isSo: () => boolean | Promise<boolean>): Promise<void>;
  /** Runs a job and waits until all of it runs. */
  run(job: object): Promise<void>;
  kill(host: string): Promise<void>;
  ineligible(host: string): Promise<void>;
  eligible(host: string): Promise<void>;
  /** Makes both agents of a machine leave, one after the other. */
  leaveByHand(host: string): Promise<void>;
  eligibility(): Promise<Record<string, string>>;
  /** What Consul says of each member, by name. */
  members(): Promise<Record<string, string>>;
  nomadLeader(): Promise<string>;
  allocations(): Promise<{ readonly host: string; readonly status: string }[]>;
  close(): Promise<void>;
}

/** The program's view of a simulated cluster, with the tokens of an environment. */
export async function connectTo(
  simulator: Simulator,
  spec: Spec,
  env: Environment,
  now: () => number,
): Promise<LiveCluster> {
  const [consul, nomad] = [await ConsulClient.fromEnvironment(env), await NomadClient.fromEnvironment(env)];
  const machines = {
    get: (host: string) => {
      if (!simulator.names.includes(host)) throw new UserError(`no machine ${host} runs`);
      return { consul: `${simulator.url(host)}/consul`, nomad: `${simulator.url(host)}/nomad` };
    },
    stopNomad: (host: string) => {
      simulator.stopAgent(host, "nomad");
      return Promise.resolve();
    },
    serversFile: (host: string) => ({
      read: () => Promise.resolve({ content: listOf(simulator.cluster.machine(host)), reloadDue: false }),
      write: (content: string) => {
        simulator.do(() => {
          simulator.cluster.writeRetryJoin(host, serversIn(content));
        });
        return Promise.resolve();
      },
      reloaded: () => Promise.resolve(),
    }),
  };
  return new LiveCluster(spec, { consul, nomad, now, agents: () => localAgents(env, machines) });
}

const listOf = ({ config: { retryJoin } }: Machine): string =>
  retryJoin.length === 0 ? "{}" : renderServersFile(retryJoin);

export async function startSimulatedCluster(
  spec: Spec,
  options: Omit<SimulatorOptions, "clock" | "factor" | "machines"> = {},
  tokens: Environment = {},
): Promise<SimulatedWorld> {
  const machines = simulatedMachines(spec);
  const simulator = await startSimulator({ ...options, clock: "real", factor: FACTOR, machines });
  const addressesOf = (role: Group["role"], agent: string): string =>
    machines
      .filter((machine) => machine.role === role)
      .map(({ name }) => `${simulator.url(name)}/${agent}`)
      .join(",");
  const env = {
    CONSUL_HTTP_ADDR: addressesOf("consul-server", "consul"),
    NOMAD_ADDR: addressesOf("nomad-server", "nomad"),
    ...tokens,
  };
  const clock: Clock = {
    now: () => EPOCH + simulator.do(() => simulator.cluster.timeline.now),
    pause: async (ms, signal) => {
      await wait(ms * FACTOR);
      signal.throwIfAborted();
    },
  };
  const folder = await mkdtemp(join(tmpdir(), "rollout-simulated-"));
  const until: SimulatedWorld["until"] = async (isSo) => {
    for (let tries = 0; tries < 2000; tries++) {
      try {
        if (await isSo()) return;
      } catch (error) {
        // While servers change nobody answers.
        if (!(error instanceof ClientError)) throw error;
      }
      await wait(5);
    }
    throw new Error("it has not become so");
  };
  const skip: SimulatedWorld["skip"] = (ms) => {
    simulator.do(() => {
      simulator.cluster.advance(ms * FACTOR);
    });
  };
  const [consul, nomad] = [await ConsulClient.fromEnvironment(env), await NomadClient.fromEnvironment(env)];
  const nodes = async () => await nomad.nodes();
  const idOf = async (host: string): Promise<string> => {
    const node = (await nodes()).find(({ Name, Status }) => Name === host && Status === "ready");
    if (!node) throw new Error(`no ready node ${host}`);
    return node.ID;
  };
  const allocations: SimulatedWorld["allocations"] = async () => {
    const all = await Promise.all(
      (await nodes()).map(async ({ ID, Name }) =>
        (await nomad.nodeAllocations(ID)).map(({ ClientStatus }) => ({
          host: Name,
          status: ClientStatus,
        })),
      ),
    );
    return all.flat();
  };
  const clients = machines.filter(({ role }) => role === "client");
  return {
    folder,
    connect: (of) => connectTo(simulator, of, env, clock.now),
    announceIn: (runFolder) => {
      const written = new MachinesFolder(join(runFolder, "machines"));
      const startedAt = new Date().toISOString();
      for (const { name, role, address } of machines) {
        const [own, agent] = [
          simulator.url(name),
          role === "consul-server" ? {} : { nomad: `${simulator.url(name)}/nomad` },
        ];
        written.write({
          name,
          role,
          agents: "simulated",
          address,
          consul: `${own}/consul`,
          ...agent,
          startedAt,
        });
        const list = join(written.consulFolderOf(name), "rollout-servers.json");
        mkdirSync(dirname(list), { recursive: true });
        writeFileSync(list, listOf(simulator.cluster.machine(name)));
      }
      // Its time is since + (now - since) / factor.
      const since = (Date.now() - clock.now() * FACTOR) / (1 - FACTOR);
      const announcement = {
        control: simulator.url(machines[0]?.name ?? ""),
        pid: process.pid,
        factor: FACTOR,
      };
      writeFileSync(
        written.announcementFile,
        JSON.stringify({ ...announcement, since: new Date(since).toISOString() }),
      );
    },
    until,
    allocations,
    skip,
    whole: async () => {
      skip(STABLE_MS);
      await until(async () => {
        const health = [await consul.autopilotHealth(), await nomad.autopilotHealth()];
        const ready = (await nodes()).filter(({ Status }) => Status === "ready");
        return (
          health.every(({ FailureTolerance }) => FailureTolerance === 1) && ready.length >= clients.length
        );
      });
    },
    run: async (job) => {
      simulator.do(() => {
        simulator.cluster.runJob(job);
      });
      await until(async () => {
        const work = await allocations();
        return work.length > 0 && work.every(({ status }) => status === "running");
      });
    },
    kill: async (host) => {
      simulator.do(() => {
        simulator.cluster.killMachine(host);
      });
      await until(async () =>
        (await nodes()).every(({ Name, Status }) => Name !== host || Status === "down"),
      );
    },
    eligible: async (host) => nomad.setEligibility(await idOf(host), "eligible"),
    leaveByHand: async (host) => {
      const { nomad: agent } = simulator.cluster.machine(host);
      if (agent) {
        simulator.do(() => {
          simulator.cluster.stopAgent(host, "nomad");
        });
        await until(async () =>
          (await nomad.raftConfiguration()).every(({ Node }) => Node !== `${host}.global`),
        );
      }
      const own = await ConsulAgent.at({ url: `${simulator.url(host)}/consul` }, env);
      await own.leave(host);
      await own.close();
      await until(async () =>
        (await consul.members()).some(({ Name, Status }) => Name === host && Status === "left"),
      );
    },
    ineligible: async (host) => nomad.setEligibility(await idOf(host), "ineligible"),
    eligibility: async () =>
      Object.fromEntries(
        (await nodes()).map(({ Name, SchedulingEligibility }) => [Name, SchedulingEligibility]),
      ),
    members: async () =>
      Object.fromEntries((await consul.members()).map(({ Name, Status }) => [Name, Status])),
    nomadLeader: async () => {
      const leader = (await nomad.raftConfiguration()).find(({ Leader }) => Leader);
      if (!leader) throw new Error("no leader");
      return leader.Node.replace(/\.global$/, "");
    },
    simulator,
    env,
    clock,
    replace: async (group, host) => {
      const settings = simulatedMachine(spec, group, host);
      simulator.do(() => {
        if (simulator.cluster.machine(settings.name).isRunning) simulator.cluster.killMachine(settings.name);
      });
      await simulator.startMachine(settings, "empty");
    },
    close: async () => {
      await Promise.all([consul.close(), nomad.close()]);
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
