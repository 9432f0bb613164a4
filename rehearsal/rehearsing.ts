import type { LocalMachines } from "../clients/local-machines/machines.js";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConsulClient } from "../clients/consul/consul-client.js";
import { NomadClient } from "../clients/nomad/nomad-client.js";
import type { Work } from "./moved-twice.js";
import { setImages } from "../cluster/yaml/edit.js";
import type { Environment } from "../clients/environment.js";
import { loadProgram, type Program } from "../program/program.js";

/** The scratch folder of a rehearsal: its spec, its state, its stacks, and the cluster that it stands for. */
export class Rehearsing {
  constructor(
    readonly folder: string,
    readonly cluster: LocalMachines,
    readonly stop: AbortSignal,
    /** How many times as fast as real time the cluster lives. */
    readonly speed: number,
  ) {}

  get spec(): string {
    return join(this.folder, "cluster.yaml");
  }

  get outdir(): string {
    return join(this.folder, "cdktf.out");
  }

  /** What is desired and what is deployed now. */
  async program(): Promise<Program> {
    return loadProgram({ CLUSTER: this.spec, ROLLOUT_CAUSE: "" });
  }

  /**
   * The environment of a run in this folder, with nothing in it that leads elsewhere.
   * @param cause of the revisions that come of it
   */
  environment(cause: string): Environment {
    return {
      ...process.env,
      ...withoutForeignSettings(process.env),
      CLUSTER: this.spec,
      ROLLOUT_CAUSE: cause,
      CDKTF_OUTDIR: this.outdir,
      TF_PLUGIN_CACHE_DIR: join(this.folder, "plugin-cache"),
    };
  }

  /** Changes images as `rollout set image` does. */
  setImages(changes: ReadonlyMap<string, string>): void {
    writeFileSync(this.spec, setImages(readFileSync(this.spec, "utf8"), this.spec, changes));
  }

  async consul(): Promise<ConsulClient> {
    return ConsulClient.fromEnvironment({ CONSUL_HTTP_ADDR: this.cluster.endpoints().consul });
  }

  async nomad(): Promise<NomadClient> {
    return NomadClient.fromEnvironment({ NOMAD_ADDR: this.cluster.endpoints().nomad });
  }

  /** What runs or ran, as Nomad knows it now. */
  async work(): Promise<Work[]> {
    const all = await asked(this.nomad(), (nomad) => nomad.allocations());
    // Of the two links, lists have the one that leads forward.
    const previous = new Map(all.map(({ ID, NextAllocation }) => [NextAllocation ?? "", ID]));
    return all.map(({ ID, Name, JobID, NodeID = "", NodeName = "", ClientStatus }) => ({
      id: ID,
      name: Name ?? JobID,
      node: NodeID,
      host: NodeName,
      previous: previous.get(ID) ?? "",
      runs: ClientStatus === "running",
    }));
  }

  /** The ids of the living nodes of some machines. */
  async nodesOf(hosts: readonly string[]): Promise<ReadonlySet<string>> {
    const nodes = await asked(this.nomad(), (nomad) => nomad.nodes());
    const living = nodes.filter(({ Name, Status }) => hosts.includes(Name) && Status === "ready");
    return new Set(living.map(({ ID }) => ID));
  }

  /** The image that each of some machines says it runs, as Consul's catalog has it. */
  async imagesOf(hosts: readonly string[]): Promise<Record<string, string>> {
    const nodes = await asked(this.consul(), (consul) => consul.nodes());
    const own = nodes.filter(({ Node }) => hosts.includes(Node));
    return Object.fromEntries(own.map(({ Node, Meta }) => [Node, Meta["rollout_image"] ?? ""]));
  }
}

async function asked<C extends { close(): Promise<void> }, T>(
  connecting: Promise<C>,
  question: (client: C) => Promise<T>,
): Promise<T> {
  const client = await connecting;
  try {
    return await question(client);
  } finally {
    await client.close();
  }
}

/**
 * Settings that a rehearsal must not have from the person's environment: those of Terraform that lead elsewhere, and above
 * all the addresses and tokens of a real cluster, which its hooks would drain in the place of the rehearsal's.
 */
const FOREIGN =
  /^(TF_(CLI_ARGS|DATA_DIR|LOG|PLUGIN_CACHE_DIR|VAR_|WORKSPACE)|CONSUL_|NOMAD_|ROLLOUT_|AWS_|CLUSTER$|CDKTF_OUTDIR$)/;

/** What takes those settings out of the environment of a child process: each of them as undefined. */
export const withoutForeignSettings = (env: Environment): Readonly<Record<string, undefined>> =>
  Object.fromEntries(
    Object.keys(env)
      .filter((name) => FOREIGN.test(name))
      .map((name) => [name, undefined]),
  );
