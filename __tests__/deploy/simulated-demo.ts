import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { localMachines, type LocalMachines } from "../../clients/local-machines/machines.js";
import { hostNames } from "../../cluster/groups.js";
import { serviceJob } from "../contract/service-job.js";
import type { RealEnvironment } from "../support/environment.js";
import { applyLogs, type DeployEnd, processesIn, RunningDeploy, until } from "./running-deploy.js";
import { idsOf, revisionsOf } from "./state-file.js";
import { readRun } from "./terraform-run.js";
import { Workspace } from "./workspace.js";

/** A hundred times as fast: what is meant to be waited for is over at once, and what hangs is seen soon. */
const SPEED = 100;

/** So long that no deadline is met on a machine that does much else meanwhile. */
const LONG = "ready: { timeout: 4h }, bake: { time: 20s }";

const TYPES = "[m6i.large, m6i.large, m6i.large]";

const HOSTS: Readonly<Record<string, readonly number[]>> = {
  "consul-server": [1, 1, 1],
  "nomad-server": [1, 1, 1],
  broker: [2, 1, 1],
};

/** The cluster's service: so many allocations, always. */
const WORK = 3;

/** What a roll came to, from the state, from what Terraform says it did, and from what the agents have seen. */
export interface Outcome {
  /** Hosts that Terraform made, as often as it did. */
  readonly made: Readonly<Record<string, number>>;
  /** Hosts whose id in the state is another than before. */
  readonly replaced: readonly string[];
  /** By how much the revision of each group has counted up, those by nothing left out. */
  readonly revisions: Readonly<Record<string, number>>;
  /** Machines that lost their power before they had left, or with work on them. */
  readonly killedTooSoon: readonly string[];
  /** Machines that were started more than once. */
  readonly startedAgain: readonly string[];
  /** Machines of other groups that were started, stopped or made to leave. */
  readonly touched: readonly string[];
  /** What the agents of the group's machines report as theirs. */
  readonly images: Readonly<Record<string, string>>;
  readonly work: number;
  readonly phase: string;
  /** What a run leaves behind that has not ended. */
  readonly left: readonly string[];
}

/** One cluster of simulated agents that lives long: it is rolled again and again, and told apart by images. */
export class SimulatedDemo {
  readonly machines: LocalMachines;
  /** Of the brokers, as the spec has them. */
  steps = "{}";
  readonly #images = new Map<string, string>();
  #count = 0;
  #seen = 0;
  #before: { readonly ids: ReadonlyMap<string, string>; readonly revisions: ReadonlyMap<string, number> };

  private constructor(
    readonly workspace: Workspace,
    private readonly terraform: string,
  ) {
    this.machines = localMachines(this.runFolder);
    this.#before = { ids: new Map(), revisions: new Map() };
    for (const group of GROUPS) this.#images.set(group, "ami-0aaa");
  }

  static async create(real: Pick<RealEnvironment, "terraform" | "env">): Promise<SimulatedDemo> {
    const workspace = await Workspace.create(real, "");
    const demo = new SimulatedDemo(workspace, real.terraform);
    await demo.writeSpec();
    await workspace.createSimulated();
    await demo.tell("/jobs", serviceJob("web", WORK));
    await until("the work runs", async () => (await demo.#work()) === WORK);
    return demo;
  }

  async remove(): Promise<void> {
    await this.machines.stopAll();
    await this.workspace.remove();
  }

  get runFolder(): string {
    return join(this.workspace.folder, ".rollout", "demo");
  }

  /** Gives a group an image that nobody has had, and remembers how everything is before the roll. */
  async prepare(group: string): Promise<string> {
    const image = `ami-0b${String(++this.#count).padStart(3, "0")}`;
    this.#images.set(group, image);
    await this.writeSpec();
    await this.remember();
    return image;
  }

  /** Counts from now on. */
  async remember(): Promise<void> {
    this.#before = await this.#look();
    this.#seen = (await this.#events()).length;
    for (const file of applyLogs(this.runFolder)) rmSync(file);
  }

  start(group: string, env: Readonly<Record<string, string>> = {}): RunningDeploy {
    return new RunningDeploy(this.workspace.startDeploy(group, env), {
      folder: this.workspace.folder,
      stateFile: this.workspace.stateFile,
      runFolder: this.runFolder,
      terraform: this.terraform,
    });
  }

  /** Runs to the end. */
  deploy(group: string, env: Readonly<Record<string, string>> = {}): Promise<DeployEnd> {
    return this.start(group, env).end();
  }

  /** Waits until nothing of a run that was killed runs any more, such as a Terraform that goes on alone. */
  async quiet(): Promise<void> {
    await until("nothing runs", () => processesIn(this.workspace.folder).length === 0);
  }

  /** Asks the simulator's control for something. */
  async tell(path: string, body: unknown, method = "POST"): Promise<void> {
    const response = await fetch(`${this.#control}${path}`, { method, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
  }

  async outcome(group: string): Promise<Outcome> {
    const { ids, revisions } = await this.#look();
    const before = this.#before;
    const news = (await this.#events()).slice(this.#seen);
    const made: Record<string, number> = {};
    for (const file of applyLogs(this.runFolder)) {
      for (const { address, action, phase } of readRun(0, readFileSync(file, "utf8")).events) {
        const host = address.replace(/^terraform_data\./, "");
        if (phase === "start" && action === "create" && ALL.includes(host))
          made[host] = (made[host] ?? 0) + 1;
      }
    }
    const starts = news.flatMap(({ machine, what }) => (what === "started" ? [machine] : []));
    const { phase } = await this.workspace.status();
    return {
      made,
      replaced: ALL.filter(
        (host) => ids.get(`terraform_data.${host}`) !== before.ids.get(`terraform_data.${host}`),
      ),
      revisions: Object.fromEntries(
        GROUPS.flatMap((name) => {
          const more = (revisions.get(name) ?? 0) - (before.revisions.get(name) ?? 0);
          return more === 0 ? [] : [[name, more]];
        }),
      ),
      killedTooSoon: news.flatMap(({ machine, what, work = 0 }, index) => {
        if (what !== "killed" || (work === 0 && hasLeft(news.slice(0, index), machine))) return [];
        return [`${machine} with ${String(work)} at work`];
      }),
      startedAgain: [...new Set(starts.filter((name, index) => starts.indexOf(name) !== index))],
      touched: news.flatMap(({ machine, what }) =>
        OUT.test(what) && !machine.startsWith(`${group}-`) ? [`${machine} ${what}`] : [],
      ),
      images: await this.#reported(group),
      work: await this.#work(),
      phase,
      left: [
        ...readdirSync(this.runFolder).filter((name) => /^(lock|plan-)/.test(name)),
        ...readdirSync(this.workspace.folder).filter((name) => name.endsWith(".lock.info")),
        ...processesIn(this.workspace.folder).map(({ command }) => command.join(" ")),
      ],
    };
  }

  async writeSpec(): Promise<void> {
    const pools = Object.entries(HOSTS).map(([pool, hosts]) => {
      const images = [0, 1, 2].map((index) => this.#images.get(`${pool}-${String(index)}`) ?? "");
      const more =
        pool === "broker"
          ? `, hosts: [${hosts.join(", ")}], drain: { deadline: 4h }, steps: ${this.steps}`
          : "";
      return `  ${pool}: { images: [${images.join(", ")}], instanceTypes: ${TYPES}, ${LONG}${more} }`;
    });
    await this.workspace.write(
      [
        "name: demo",
        "platform: local",
        `local: { agents: simulated, speed: ${String(SPEED)} }`,
        "backend: { type: local, path: terraform.demo.tfstate }",
        "pools:",
        ...pools,
        "",
      ].join("\n"),
    );
  }

  async #look(): Promise<{ ids: ReadonlyMap<string, string>; revisions: ReadonlyMap<string, number> }> {
    const state = await this.workspace.state();
    return {
      ids: idsOf(state),
      revisions: new Map(GROUPS.map((group) => [group, revisionsOf(state, group).at(-1)?.number ?? 0])),
    };
  }

  /** What the agents of a group's machines report as their images: Consul's. */
  async #reported(group: string): Promise<Readonly<Record<string, string>>> {
    const nodes = catalog.parse(await this.#get("consul", "/v1/catalog/nodes"));
    return Object.fromEntries(
      nodes.flatMap(({ Node, Meta }) =>
        Node.startsWith(`${group}-`) ? [[Node, Meta["rollout_image"] ?? ""]] : [],
      ),
    );
  }

  async #work(): Promise<number> {
    const all = allocations.parse(await this.#get("nomad", "/v1/job/web/allocations"));
    return all.filter(({ ClientStatus }) => ClientStatus === "running").length;
  }

  async #get(product: "consul" | "nomad", path: string): Promise<unknown> {
    // One of them may have been lost on purpose.
    const bases = this.machines.endpoints()[product].split(",");
    return (await Promise.any(bases.map((base) => fetch(`${base}${path}`)))).json();
  }

  async #events(): Promise<z.output<typeof events>> {
    const all = events.parse(await (await fetch(`${this.#control}/events`)).json());
    if (all.length >= MOST_EVENTS) throw new Error("the simulator has begun to forget what happened");
    return all;
  }

  get #control(): string {
    const file = join(this.runFolder, "machines", "simulator.json");
    if (!existsSync(file)) throw new Error("no simulator runs");
    return z.object({ control: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).control;
  }
}

const MOST_EVENTS = 10_000;

const GROUPS = Object.keys(HOSTS).flatMap((pool) => [0, 1, 2].map((index) => `${pool}-${String(index)}`));

/** What a roll has to come to: each host made anew once, everything else as it was. */
export const rolled = (group: string, image: string): Outcome => ({
  made: Object.fromEntries(hostsOf(group).map((host) => [host, 1])),
  replaced: hostsOf(group),
  revisions: { [group]: 1 },
  killedTooSoon: [],
  startedAgain: [],
  touched: [],
  images: Object.fromEntries(hostsOf(group).map((host) => [host, image])),
  work: WORK,
  phase: "healthy",
  left: [],
});

/** The names of a group's machines. */
export const hostsOf = (group: string): string[] => {
  const [, pool = "", index = ""] = /^(.*)-(\d)$/.exec(group) ?? [];
  return hostNames({ name: group, hosts: HOSTS[pool]?.[Number(index)] ?? 0 });
};

const ALL = GROUPS.flatMap(hostsOf);

/** What takes a machine out. */
const OUT = /^(started|killed|nomad stopped|PUT \/consul\/v1\/agent\/leave)$/;

const hasLeft = (events: readonly { machine: string; what: string }[], name: string): boolean =>
  events.some(({ machine, what }) => machine === name && what === "PUT /consul/v1/agent/leave");

const events = z.array(z.object({ machine: z.string(), what: z.string(), work: z.number().optional() }));
const catalog = z.array(z.object({ Node: z.string(), Meta: z.record(z.string(), z.string()) }));
const allocations = z.array(z.object({ NodeName: z.string(), ClientStatus: z.string() }));
