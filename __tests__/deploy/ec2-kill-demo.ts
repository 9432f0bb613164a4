import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exampleWith } from "../cluster/yaml/example.js";
import type { RealEnvironment } from "../support/environment.js";
import { type Moto, startMoto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { type Cloud, lookAt } from "./cloud.js";
import { CutRun, type CutRunOptions, type Hold } from "./cut-run.js";
import { hostsIn, type Killable } from "./kill-cases.js";
import { S3Bucket } from "./s3-bucket.js";
import { attributesOf, idsOf, revisionsOf } from "./state-file.js";
import { Workspace } from "./workspace.js";

const HOSTS = {
  "consul-server": [1, 1, 1],
  "nomad-server": [1, 1, 1],
  broker: [2, 1, 1],
} as const;

const ALL = hostsIn(HOSTS);

const SERVERS = ALL.filter((host) => host.startsWith("consul-server"));
const BROKERS = ALL.filter((host) => host.startsWith("broker"));

/** What a roll came to, asked of EC2, of the state and of what the stand-ins of the hooks were given. Lists are sorted. */
export interface Ec2Outcome {
  /** The names of the machines that run; one that stands twice has a double. */
  readonly machines: readonly string[];
  /** Machines whose id is another than before. */
  readonly replaced: readonly string[];
  /** Machines that the state has by another id than EC2. */
  readonly unknown: readonly string[];
  readonly images: Readonly<Record<string, string>>;
  readonly volumesMoved: readonly string[];
  readonly volumesLoose: readonly string[];
  readonly targets: readonly string[];
  readonly revisions: Readonly<Record<string, string>>;
  readonly wrongLists: readonly string[];
  readonly phase: string;
}

/** A cluster on moto, its state in S3: machines without agents, which know of servers what the hooks tell them. */
export class Ec2KillDemo implements Killable<Ec2Outcome> {
  #images = new Map<string, string>();
  #count = 0;
  #run: CutRun | undefined;
  #before: Cloud | undefined;
  #revisions: ReadonlyMap<string, number> = new Map();

  private constructor(
    private readonly workspace: Workspace,
    private readonly moto: Moto,
    private readonly bucket: S3Bucket,
    private readonly terraform: string,
  ) {}

  static async create(real: RealEnvironment): Promise<Ec2KillDemo> {
    const moto = await startMoto({ images: IMAGES });
    const bucket = await S3Bucket.create(moto);
    const network = await moto.ec2.createNetwork();
    const workspace = await Workspace.create(real, specIn(network), moto.env);
    const lists = join(workspace.folder, "lists");
    mkdirSync(lists);
    const hooked = workspace.with({ SERVER_LISTS: lists, NODE_OPTIONS: `--import=${HOOK}` });
    await hooked.roll("cluster");
    return new Ec2KillDemo(hooked, moto, bucket, real.terraform);
  }

  async remove(): Promise<void> {
    await this.#run?.kill();
    await this.moto.stop();
    await this.workspace.remove();
  }

  /** Gives a group an image that nobody has had. */
  async want(group: string): Promise<string> {
    const image = IMAGES[++this.#count] ?? "";
    await this.workspace.rollout(["set", "image", `${group}=${image}`]);
    this.#images.set(group, image);
    return image;
  }

  /** Rolls a group, has its gate fail, and takes it back. @returns the image that it has again */
  async undo(group: string): Promise<string> {
    const before = this.#images.get(group) ?? "ami-0aaa";
    await this.want(group);
    const failing = this.workspace.with({ STAND_IN_FAILS: "^ready " });
    await failing.synth();
    const { exitCode } = await failing.apply(group);
    if (exitCode === 0) throw new Error("the gate did not fail");
    const undone = await this.workspace.rollout(["undo", group]);
    if (undone.exitCode !== 0) throw new Error(undone.output);
    this.#images.set(group, before);
    return before;
  }

  async begin(): Promise<void> {
    this.#before = await lookAt(this.moto);
    this.#revisions = await this.#numbers();
  }

  async start(runner: CutRunOptions["runner"], view: string, hold?: Hold): Promise<CutRun> {
    const runFolder = join(this.workspace.folder, ".rollout", "demo");
    const options = { runner, view, runFolder, terraform: this.terraform, hook: HOOK, ...(hold && { hold }) };
    this.#run = await CutRun.start(this.workspace, options);
    return this.#run;
  }

  /**
   * Does what is said to be done before the next run: the lock goes, and machines that no state knows, which `rollout deploy`
   * names and does nothing beside.
   */
  async afterCut(group: string): Promise<void> {
    await this.bucket.unlock(this.workspace, group);
    const known = new Set(idsOf(await this.bucket.state()).values());
    const strays = (await this.moto.ec2.instances()).filter(({ id }) => !known.has(id)).map(({ id }) => id);
    if (strays.length === 0) return;
    const { output } = await this.workspace.startDeploy(group).then(({ all }) => ({ output: all }));
    const named = [
      ...output.matchAll(/run: aws ec2 terminate-instances --region eu-west-1 --instance-ids (\S+)/g),
    ];
    const ids = named.map(([, id = ""]) => id);
    if (ids.sort().join() !== strays.sort().join())
      throw new Error(`machines that no state knows: ${strays.join(", ")}; what is named:\n${output}`);
    for (const id of ids) await this.moto.ec2.terminate(id);
  }

  async next(): Promise<string | null> {
    return (await this.workspace.status()).next;
  }

  async outcome(group: string): Promise<Ec2Outcome> {
    const [cloud, state, numbers] = [
      await lookAt(this.moto),
      await this.bucket.state(),
      await this.#numbers(),
    ];
    const before = this.#before;
    const ids = idsOf(state);
    const addressOf = (host: string): string =>
      String(attributesOf(state, `aws_instance.${host}`)["private_ip"]);
    const servers = SERVERS.map(addressOf).sort().join();
    const named = (await this.moto.ec2.instances()).map(({ tags }) => nameIn(tags));
    return {
      machines: named.sort(),
      replaced: ALL.filter((host) => cloud.machines[host]?.id !== before?.machines[host]?.id),
      unknown: ALL.filter((host) => cloud.machines[host]?.id !== ids.get(`aws_instance.${host}`)),
      images: imagesOf(group, (host) => cloud.machines[host]?.image ?? "none"),
      volumesMoved: BROKERS.filter(
        (host) => cloud.volumes[`${host}-data`]?.id !== before?.volumes[`${host}-data`]?.id,
      ),
      volumesLoose: BROKERS.filter(
        (host) => cloud.volumes[`${host}-data`]?.attachedTo !== cloud.machines[host]?.id,
      ),
      targets: cloud.targets.map((id) => ALL.find((host) => cloud.machines[host]?.id === id) ?? id).sort(),
      revisions: Object.fromEntries(
        [...numbers].flatMap(([name, number]) => {
          const more = number - (this.#revisions.get(name) ?? 0);
          return more === 0
            ? []
            : [[name, `+${String(more)} ${revisionsOf(state, name).at(-1)?.image ?? ""}`]];
        }),
      ),
      wrongLists: ALL.filter((host) => this.#listOf(addressOf(host)) !== servers),
      phase: (await this.workspace.status()).phase,
    };
  }

  /** What an undisturbed roll comes to. */
  undisturbed(group: string, image: string): Ec2Outcome {
    return {
      machines: [...ALL].sort(),
      replaced: ALL.filter((host) => host.startsWith(`${group}-`)),
      unknown: [],
      images: imagesOf(group, () => image),
      volumesMoved: [],
      volumesLoose: [],
      targets: [...BROKERS].sort(),
      revisions: { [group]: `+1 ${image}` },
      wrongLists: [],
      phase: "healthy",
    };
  }

  #listOf(address: string): string {
    const file = join(this.workspace.folder, "lists", address);
    return existsSync(file) ? readFileSync(file, "utf8").split(",").sort().join() : "none";
  }

  async #numbers(): Promise<ReadonlyMap<string, number>> {
    const state = await this.bucket.state();
    return new Map(
      Object.keys(HOSTS).flatMap((pool) =>
        [0, 1, 2].map((index) => {
          const group = `${pool}-${String(index)}`;
          return [group, revisionsOf(state, group).at(-1)?.number ?? 0] as const;
        }),
      ),
    );
  }
}

/** The images that moto is to have: it cannot be given one later. */
const IMAGES = [
  "ami-0aaa",
  ...Array.from({ length: 60 }, (_, number) => `ami-0b${String(number + 1).padStart(3, "0")}`),
];

const HOOK = new URL("../support/ec2-hook.mjs", import.meta.url).href;

const nameIn = (tags: Readonly<Record<string, string>>): string => (tags["Name"] ?? "").replace(/^demo-/, "");

const imagesOf = (group: string, imageOf: (host: string) => string): Record<string, string> =>
  Object.fromEntries(ALL.filter((host) => host.startsWith(`${group}-`)).map((host) => [host, imageOf(host)]));

function specIn({ vpcId, subnetIds }: Network): string {
  return exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    ["  keyName: ops\n  instanceProfile: demo-agents\n", "  providerVersion: 5.100.0\n"],
    ["{ type: local, path: terraform.demo.tfstate }", S3Bucket.backend],
    ["hosts: [3, 3, 3]", "hosts: [2, 1, 1]"],
  )
    .replace(/^ {2}name-server:\n(?: {4}.*\n)*/m, "")
    .replace(/^ {4}images: .*$/gm, "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]");
}
