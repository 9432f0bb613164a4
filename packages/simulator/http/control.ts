import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { json, text, type Answer } from "../answer.js";
import { faultSchema, machineSchema } from "./cluster-file.js";
import { bodyOf } from "./body.js";
import type { Simulator } from "./simulator.js";
import { writeAnswer } from "./write-answer.js";

const start = z.object({ machine: machineSchema, disk: z.enum(["empty", "kept"]).default("empty") });
const agent = z.object({ product: z.enum(["consul", "nomad"]).optional() });
const retryJoin = z.object({ retryJoin: z.array(z.string()) });
const clusterFault = z.discriminatedUnion("fault", [
  z.object({
    fault: z.literal("leader-lost"),
    product: z.enum(["consul", "nomad"]),
    on: z.boolean().default(true),
  }),
  z.object({ fault: z.literal("never-back"), machine: z.string(), on: z.boolean().default(true) }),
  z.object({ fault: z.literal("endless-drain"), machine: z.string(), on: z.boolean().default(true) }),
  z.object({ fault: z.literal("non-voter"), machine: z.string(), on: z.boolean().default(true) }),
  z.object({
    fault: z.literal("only-peer"),
    product: z.enum(["consul", "nomad"]),
    machine: z.string(),
    on: z.literal(true).default(true),
  }),
]);

/**
 * The control of a simulator that runs as a process of its own:
 * `GET /machines`; `POST /machines` starts one; `POST /machines/:name/stop|kill|start-agent`, of one product if the body
 * says so; `DELETE /machines/:name` takes its power away, if it runs; `PUT /machines/:name/retry-join`; `GET /events`;
 * `POST /jobs`; `POST /faults`, `DELETE /faults`; `POST /cluster-faults`.
 */
export function controlOf(
  simulator: Simulator,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(simulator, request)
      .catch((error: unknown) => text(400, error instanceof Error ? error.message : String(error)))
      .then((result) => {
        writeAnswer(response, result);
      })
      .catch(() => response.destroy());
  };
}

async function answer(simulator: Simulator, request: IncomingMessage): Promise<Answer> {
  const [, what, name, verb] = new URL(request.url ?? "/", "http://127.0.0.1").pathname
    .split("/")
    .map(decodeURIComponent);
  const sent = await bodyOf(request);
  const body: unknown = sent === "" ? {} : JSON.parse(sent);
  const { cluster } = simulator;
  const key = [request.method, what, verb].filter((part) => part !== undefined).join(" ");
  switch (key) {
    case "GET machines":
      return json(machinesOf(simulator));
    case "POST machines": {
      const { machine, disk } = start.parse(body);
      await simulator.startMachine(machine, disk);
      return json(machinesOf(simulator));
    }
    case "POST machines stop":
    case "POST machines kill":
    case "POST machines start-agent": {
      const { product } = agent.parse(body);
      for (const each of product ? [product] : (["nomad", "consul"] as const)) {
        if (verb === "stop") simulator.stopAgent(name ?? "", each);
        else
          simulator.do(() => {
            if (verb === "kill") cluster.killAgent(name ?? "", each);
            else cluster.startAgent(name ?? "", each);
          });
      }
      return json(true);
    }
    case "DELETE machines":
      simulator.killMachine(name ?? "");
      return json(machinesOf(simulator));
    case "GET events":
      return json(simulator.events);
    case "PUT machines retry-join":
      cluster.writeRetryJoin(name ?? "", retryJoin.parse(body).retryJoin);
      return json(true);
    case "POST jobs":
      simulator.do(() => {
        cluster.runJob(body);
      });
      return json(true);
    case "POST faults":
      cluster.faults.add(faultSchema.parse(body));
      return json(true);
    case "DELETE faults":
      cluster.faults.clear();
      return json(true);
    case "POST cluster-faults":
      simulator.do(() => {
        switchFault(simulator, clusterFault.parse(body));
      });
      return json(true);
    default:
      return text(404, `no such control: ${key}`);
  }
}

function switchFault({ cluster }: Simulator, fault: z.infer<typeof clusterFault>): void {
  const turn = (names: Set<string>, name: string): void => {
    if (fault.on) names.add(name);
    else names.delete(name);
  };
  switch (fault.fault) {
    case "leader-lost": {
      const raft = fault.product === "consul" ? cluster.consul.raft : cluster.nomad.servers.raft;
      raft.leaderless = fault.on;
      return;
    }
    case "never-back":
      turn(cluster.neverBack, fault.machine);
      return;
    case "endless-drain":
      turn(cluster.nomad.drainer.endless, fault.machine);
      return;
    case "only-peer": {
      // What `peers.json` tells a server that is started again.
      const { raft } = fault.product === "consul" ? cluster.consul : cluster.nomad.servers;
      raft.bootstrap(raft.peers.filter(({ name }) => name.replace(/\.global$/, "") === fault.machine));
      return;
    }
    case "non-voter":
      turn(cluster.consul.nonVoters, fault.machine);
      turn(cluster.nomad.servers.nonVoters, fault.machine);
  }
}

/** The machines' base URLs. */
export const machinesOf = (simulator: Simulator) => ({
  machines: Object.fromEntries(
    simulator.names.map((name) => {
      const base = simulator.url(name);
      const { isRunning } = simulator.cluster.machine(name);
      return [name, { consul: `${base}/consul`, nomad: `${base}/nomad`, running: isRunning }];
    }),
  ),
});
