import { readdirSync } from "node:fs";
import * as z from "zod";
import { serviceJob } from "../contract/service-job.js";
import type { RealEnvironment } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import { CutRun, type CutRunOptions, type Hold } from "./cut-run.js";
import { hostsIn, type Killable } from "./kill-cases.js";
import { RollDemo } from "./roll-demo.js";
import { processesIn, until } from "./running-deploy.js";
import { S3Bucket } from "./s3-bucket.js";
import { idsOf, revisionsOf } from "./state-file.js";

const HOSTS = {
  "consul-server": [1, 1, 1],
  "nomad-server": [1, 1, 1],
  broker: [2, 1, 1],
  worker: [4, 1, 1],
} as const;

const hostsOf = (group: string): string[] => ALL.filter((host) => host.startsWith(`${group}-`));

const ALL = hostsIn(HOSTS);

const GROUPS = Object.keys(HOSTS).flatMap((pool) => [0, 1, 2].map((index) => `${pool}-${String(index)}`));

const OF_POOL: Readonly<Record<string, string>> = {
  broker: "loadBalancer: { port: 9876 }, dataVolumes: [{ sizeGib: 1 }, { sizeGib: 1 }, { sizeGib: 1 }], ",
  worker: "maxUnavailable: 2, ",
};

/** The cluster's service: so many allocations, always. */
const WORK = 3;

/** What a roll came to, asked of the disk, of the state and of the agents. Lists are sorted. */
export interface KillOutcome {
  /** Hosts whose id in the state is another than before. */
  readonly replaced: readonly string[];
  /** Hosts that the state had from the run that was cut off, and that were made once more. */
  readonly madeAgain: readonly string[];
  /** By how much the revision of each group has counted up, and to which image. */
  readonly revisions: Readonly<Record<string, string>>;
  /**
   * How often agents of a machine were started: of one that the state did not know when the run was cut off, since then. It is a
   * machine of its own.
   */
  readonly starts: Readonly<Record<string, number>>;
  /** Machines that lost their power before they had left, or with work on them. */
  readonly killedTooSoon: readonly string[];
  /** Machines of other groups that were stopped or made to leave. */
  readonly touched: readonly string[];
  /** What the agents of the group report as their image: Consul's. */
  readonly images: Readonly<Record<string, string>>;
  /** Machines whose list of servers on the disk is not that of the servers there are. */
  readonly wrongLists: readonly string[];
  readonly consulMembers: readonly string[];
  readonly consulServers: readonly string[];
  readonly nomadNodes: readonly string[];
  readonly nomadServers: readonly string[];
  readonly work: number;
  readonly phase: string;
  /** What a run leaves behind that has not ended. */
  readonly left: readonly string[];
}

/** A cluster of simulated agents that is rolled, cut off and rolled on, again and again. */
export class KillDemo implements Killable<KillOutcome> {
  #images = new Map<string, string>(GROUPS.map((group) => [group, "ami-0aaa"]));
  #count = 0;
  #seen = 0;
  #cut = 0;
  #run: CutRun | undefined;
  /** What the state had of the group's machines when the run was cut off. */
  #made: ReadonlyMap<string, string> = new Map();
  #before: State = { ids: new Map(), revisions: new Map() };

  private constructor(
    readonly demo: RollDemo,
    private readonly terraform: string,
    private readonly s3: { readonly moto: Moto; readonly bucket: S3Bucket } | undefined,
  ) {}

  /** @param state beside the spec, or in a bucket of its own */
  static async create(real: RealEnvironment, state: "local" | "s3"): Promise<KillDemo> {
    const moto = state === "s3" ? await startMoto() : undefined;
    const s3 = moto && { moto, bucket: await S3Bucket.create(moto) };
    const demo = await RollDemo.create(real, {
      speed: 100,
      spec: specOf(new Map(GROUPS.map((group) => [group, "ami-0aaa"]))),
      ...(moto ? { backend: S3Bucket.backend, env: moto.env } : {}),
    });
    const kills = new KillDemo(demo, real.terraform, s3);
    await demo.tell("/jobs", serviceJob("web", WORK));
    await until("the work runs", async () => (await kills.#work()) === WORK);
    return kills;
  }

  async remove(): Promise<void> {
    await this.#run?.kill();
    await this.demo.remove();
    await this.s3?.moto.stop();
  }

  /** Gives a group an image that nobody has had. */
  async want(group: string): Promise<string> {
    const image = `ami-0b${String(++this.#count).padStart(3, "0")}`;
    await this.demo.say("set", "image", `${group}=${image}`);
    this.#images.set(group, image);
    return image;
  }

  /** Rolls a group, ends that at its gate, and takes it back: by the program that rolls it then. */
  async undo(group: string, runner: CutRunOptions["runner"]): Promise<string> {
    const before = this.#images.get(group) ?? "";
    await this.want(group);
    if (runner === "driver") {
      const run = await this.start(runner, group);
      await run.said([/ gate: until/]);
      run.interrupt();
      await run.end();
    } else {
      const run = await this.start("apply", group, { words: new RegExp(`^ready ${group} .*open$`) });
      await run.held();
      run.interrupt();
      await run.end();
    }
    await this.demo.say("undo", group);
    this.#images.set(group, before);
    return before;
  }

  /** From here on it counts what happens. */
  async begin(): Promise<void> {
    this.#before = await this.#look();
    this.#seen = (await this.demo.events()).length;
  }

  async start(runner: CutRunOptions["runner"], view: string, hold?: Hold): Promise<CutRun> {
    const { workspace, runFolder } = this.demo;
    this.#run = await CutRun.start(workspace, {
      runner,
      view,
      runFolder,
      terraform: this.terraform,
      ...(hold && { hold }),
    });
    return this.#run;
  }

  /** Does what the messages of a run that was killed say that is to be done before the next, and remembers what was made. */
  async afterCut(group: string): Promise<void> {
    const { ids } = await this.#look();
    this.#made = new Map(
      hostsOf(group).flatMap((host) => {
        const id = ids.get(host);
        return id === undefined || id === this.#before.ids.get(host) ? [] : [[host, id]];
      }),
    );
    this.#cut = (await this.demo.events()).length - this.#seen;
    await this.s3?.bucket.unlock(this.demo.workspace, group);
  }

  async next(): Promise<string | null> {
    return (await this.demo.workspace.status()).next;
  }

  async outcome(group: string): Promise<KillOutcome> {
    const { ids, revisions } = await this.#look();
    const news = (await this.demo.events()).slice(this.#seen);
    const machines = this.demo.machines.list();
    const servers = machines.filter(({ role }) => role === "consul-server").map(({ address }) => address);
    const lists = await Promise.all(
      machines.map(async ({ name }) => [name, await this.demo.machines.serversFile(name).read()] as const),
    );
    const images = await this.demo.images();
    return {
      replaced: ALL.filter((host) => ids.get(host) !== this.#before.ids.get(host)),
      madeAgain: [...this.#made].flatMap(([host, id]) => (ids.get(host) === id ? [] : [host])),
      revisions: Object.fromEntries(
        GROUPS.flatMap((name) => {
          const [now, before] = [revisions.get(name), this.#before.revisions.get(name)];
          const more = (now?.number ?? 0) - (before?.number ?? 0);
          return more === 0 ? [] : [[name, `+${String(more)} ${now?.image ?? ""}`]];
        }),
      ),
      starts: countsOf(
        news.flatMap(({ machine, what }, index) =>
          what === "started" && (index >= this.#cut || this.#made.has(machine)) ? [machine] : [],
        ),
      ),
      killedTooSoon: news.flatMap(({ machine, what, work = 0 }, index) => {
        const hasLeft = news
          .slice(0, index)
          .some((each) => each.machine === machine && LEAVE.test(each.what));
        return what !== "killed" || (work === 0 && hasLeft)
          ? []
          : [`${machine} with ${String(work)} at work`];
      }),
      touched: news.flatMap(({ machine, what }) =>
        OUT.test(what) && !machine.startsWith(`${group}-`) ? [`${machine} ${what}`] : [],
      ),
      images: Object.fromEntries(hostsOf(group).map((host) => [host, images[host] ?? "none"])),
      wrongLists: lists.flatMap(([name, { content }]) =>
        JSON.stringify(listIn(content)) === JSON.stringify([...servers].sort()) ? [] : [name],
      ),
      consulMembers: await this.#list("consul", "/v1/agent/members", ({ Name, Addr, Status }) =>
        [Name, machines.some((each) => each.name === Name && each.address === Addr), Status].join(" "),
      ),
      consulServers: await this.#voters("consul"),
      nomadNodes: await this.#list("nomad", "/v1/nodes", ({ Name, Status, SchedulingEligibility }) =>
        [Name, Status, SchedulingEligibility].join(" "),
      ),
      nomadServers: await this.#voters("nomad"),
      work: await this.#work(),
      phase: (await this.demo.workspace.status()).phase,
      left: [
        ...readdirSync(this.demo.runFolder).filter((name) => /^(lock|plan-)/.test(name)),
        ...readdirSync(this.demo.workspace.folder).filter((name) => name.endsWith(".lock.info")),
        ...processesIn(this.demo.workspace.folder).map(({ command }) => command.join(" ")),
      ],
    };
  }

  /** What an undisturbed roll comes to. */
  undisturbed(group: string, image: string): KillOutcome {
    const hosts = hostsOf(group);
    const clients = ALL.filter((host) => !host.includes("server"));
    return {
      replaced: hosts,
      madeAgain: [],
      revisions: { [group]: `+1 ${image}` },
      starts: Object.fromEntries(hosts.map((host) => [host, 1])),
      killedTooSoon: [],
      touched: [],
      images: Object.fromEntries(hosts.map((host) => [host, image])),
      wrongLists: [],
      consulMembers: ALL.map((host) => `${host} true 1`).sort(),
      consulServers: ALL.filter((host) => host.startsWith("consul-server")).map((host) => `${host} true`),
      nomadNodes: clients.map((host) => `${host} ready eligible`).sort(),
      nomadServers: ALL.filter((host) => host.startsWith("nomad-server")).map((host) => `${host} true`),
      work: WORK,
      phase: "healthy",
      left: [],
    };
  }

  async #look(): Promise<State> {
    const state = await (this.s3?.bucket ?? this.demo.workspace).state();
    const ids = idsOf(state);
    return {
      ids: new Map(ALL.map((host) => [host, ids.get(`terraform_data.${host}`)])),
      revisions: new Map(GROUPS.map((group) => [group, revisionsOf(state, group).at(-1)])),
    };
  }

  async #voters(product: "consul" | "nomad"): Promise<string[]> {
    const { Servers } = z
      .object({ Servers: z.array(z.object({ Node: z.string(), Voter: z.boolean() })) })
      .parse(await this.demo.ask(product, "/v1/operator/raft/configuration"));
    return Servers.map(({ Node, Voter }) => `${Node.replace(/\.global$/, "")} ${String(Voter)}`).sort();
  }

  async #list(
    product: "consul" | "nomad",
    path: string,
    format: (each: z.output<typeof record>) => string,
  ): Promise<string[]> {
    return z
      .array(record)
      .parse(await this.demo.ask(product, path))
      .map(format)
      .sort();
  }

  async #work(): Promise<number> {
    const all = await this.demo.allocations();
    return all.filter(({ JobID, ClientStatus }) => JobID === "web" && ClientStatus === "running").length;
  }
}

interface State {
  readonly ids: ReadonlyMap<string, string | undefined>;
  readonly revisions: ReadonlyMap<string, { readonly number: number; readonly image: string } | undefined>;
}

function specOf(images: ReadonlyMap<string, string>): string {
  const pools = Object.entries(HOSTS).map(([pool, hosts]) => {
    const list = [0, 1, 2].map((index) => images.get(`${pool}-${String(index)}`) ?? "");
    const isServer = pool.endsWith("server");
    const more = isServer
      ? ""
      : `hosts: [${hosts.join(", ")}], drain: { deadline: 4h }, ${OF_POOL[pool] ?? ""}`;
    return `  ${pool}: { images: [${list.join(", ")}], instanceTypes: [m6i.large, m6i.large, m6i.large], ${more}ready: { timeout: 30m }, bake: { time: 20s } }`;
  });
  return ["pools:", ...pools, ""].join("\n");
}

const LEAVE = /^PUT \/consul\/v1\/agent\/leave$/;

/** What takes a machine out. */
const OUT = /^(killed|nomad stopped|PUT \/consul\/v1\/agent\/leave)$/;

const countsOf = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(names)].map((name) => [name, names.filter((each) => each === name).length]));

const listIn = (content: string | undefined): string[] | undefined =>
  content === undefined
    ? undefined
    : z
        .object({ retry_join: z.array(z.string()) })
        .parse(JSON.parse(content))
        .retry_join.sort();

const record = z.object({
  Name: z.string(),
  Addr: z.string().optional(),
  Status: z.union([z.string(), z.number()]),
  SchedulingEligibility: z.string().optional(),
});
