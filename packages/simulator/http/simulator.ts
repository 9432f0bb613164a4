import { performance } from "node:perf_hooks";
import type { IncomingMessage, ServerResponse } from "node:http";
import { empty, text, type Answer, type Request } from "../answer.js";
import { SimulatedCluster, type ClusterOptions, type DiskState } from "../cluster.js";
import type { Product } from "../faults.js";
import type { MachineSettings } from "../machine.js";
import { bodyOf } from "./body.js";
import { listen, type Listening } from "./listen.js";
import { writeAnswer } from "./write-answer.js";

export interface SimulatorOptions extends ClusterOptions {
  /**
   * `manual`: time stands still but for `advance`. `real`: it passes by itself, an hour in 36 s at factor 0.01.
   * Default: `manual`
   */
  readonly clock?: "manual" | "real";
  /** Started at once, in this order. */
  readonly machines?: readonly MachineSettings[];
}

/** `GET /service/NAME` is answered while an allocation of that service runs on the machine. */
const SERVICE = "/service/";

/** What applications write there changes nothing of the cluster, and is much. */
const KEYS = "/consul/v1/kv/";

/** What happened to a machine, or was asked of its agents and may change something of the cluster. */
export interface SimulatorEvent {
  /** Simulated time. */
  readonly at: string;
  readonly machine: string;
  /** `started`, `killed`, `nomad stopped`, or a request such as `PUT /consul/v1/agent/leave`. */
  readonly what: string;
  /** The allocations that still ran on a machine that was killed. */
  readonly work?: number;
}

/** Older events are forgotten. */
const MOST_EVENTS = 10_000;

/** A simulated cluster behind HTTP: one port a machine, which it keeps when it is replaced. */
export class Simulator {
  readonly cluster: SimulatedCluster;
  readonly events: SimulatorEvent[] = [];
  readonly #ports = new Map<string, Listening>();
  readonly #real: boolean;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.now();

  constructor(options: SimulatorOptions = {}) {
    this.cluster = new SimulatedCluster(options);
    this.#real = options.clock === "real";
  }

  /** Starts a machine. */
  async startMachine(settings: MachineSettings, disk: DiskState = "empty"): Promise<void> {
    const { name } = settings;
    if (!this.#ports.has(name)) {
      const listening = await listen((request, response) => {
        this.#serve(name, request, response).catch(() => response.destroy());
      });
      this.#ports.set(name, listening);
    }
    const servesAt = { address: "127.0.0.1", port: this.#port(name) };
    const { isRunning } = this.do(() => this.cluster.startMachine({ servesAt, ...settings }, disk));
    if (isRunning) this.#happened({ machine: name, what: "started" });
  }

  /** Stops an agent as the system's service manager would. */
  stopAgent(name: string, product: Product): void {
    this.do(() => {
      this.cluster.stopAgent(name, product);
    });
    this.#happened({ machine: name, what: `${product} stopped` });
  }

  /** Takes a machine's power away. Nothing happens where it does not run. */
  killMachine(name: string): void {
    const machine = this.cluster.machines.get(name);
    if (!machine?.isRunning) return;
    const work = this.do(() => {
      const running = runningOn(this.cluster, name);
      this.cluster.killMachine(name);
      return running;
    });
    this.#happened({ machine: name, what: "killed", work });
  }

  /** `http://127.0.0.1:PORT` of a machine; `/consul` and `/nomad` lie below it. */
  url(name: string): string {
    return `http://127.0.0.1:${String(this.#port(name))}`;
  }

  #port(name: string): number {
    const listening = this.#ports.get(name);
    if (!listening)
      throw new Error(`no such machine: ${name}; there are ${[...this.#ports.keys()].join(", ")}`);
    return listening.port;
  }

  get names(): string[] {
    return [...this.#ports.keys()];
  }

  /** Lets time pass, with a manual clock. */
  advance(ms: number): void {
    this.cluster.advance(ms);
  }

  /** Does something to the cluster, at the time that it is by now. */
  do<Result>(run: () => Result): Result {
    this.#catchUp();
    try {
      return run();
    } finally {
      this.cluster.timeline.look();
      this.#schedule();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all([...this.#ports.values()].map(async (listening) => listening.close()));
    this.#ports.clear();
  }

  async #serve(name: string, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await requestOf(incoming);
    this.do(() => {
      if (request.method !== "GET" && request.method !== "HEAD" && !request.path.startsWith(KEYS))
        this.#happened({ machine: name, what: `${request.method} ${request.path}` });
      if (request.path.startsWith(SERVICE)) {
        writeAnswer(response, this.#answerOfService(name, request.path.slice(SERVICE.length)));
        return;
      }
      this.cluster.ask(name, request, (answer) => {
        if (!response.destroyed) writeAnswer(response, answer);
      });
    });
  }

  #answerOfService(machine: string, service: string): Answer {
    const allocation = this.cluster.serves(machine, service);
    return allocation === undefined
      ? { ...empty(), cut: "reset" }
      : text(200, `${service} on ${machine}, allocation ${allocation}\n`);
  }

  #happened(event: Omit<SimulatorEvent, "at">): void {
    this.events.push({ at: this.cluster.timeline.stamp(), ...event });
    if (this.events.length > MOST_EVENTS) this.events.shift();
  }

  #catchUp(): void {
    if (!this.#real) return;
    const now = performance.now();
    this.cluster.advance(now - this.#last);
    this.#last = now;
  }

  /** With a real clock, wakes up for what happens next. */
  #schedule(): void {
    if (!this.#real) return;
    clearTimeout(this.#timer);
    const { nextIn } = this.cluster.timeline;
    if (nextIn === undefined) return;
    this.#timer = setTimeout(() => {
      this.#catchUp();
      this.#schedule();
    }, nextIn);
  }
}

/** How many allocations run on a machine. */
function runningOn({ machines, nomad }: SimulatedCluster, name: string): number {
  const id = machines.get(name)?.nomad?.id;
  return [...nomad.scheduler.allocations.values()].filter(
    (allocation) => allocation.node.id === id && allocation.client === "running",
  ).length;
}

/** Starts a simulated cluster on 127.0.0.1. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = new Simulator(options);
  for (const settings of options.machines ?? []) await simulator.startMachine(settings);
  return simulator;
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: await bodyOf(incoming),
  };
}
