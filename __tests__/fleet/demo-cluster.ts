import { randomBytes, randomUUID } from "node:crypto";
import { readRepository } from "../support/consul-agent.js";
import type { RealEnvironment } from "../support/environment.js";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import { EXAMPLE, exampleWith } from "../cluster/yaml/example.js";
import { type Outcome, Workspace } from "../deploy/workspace.js";
import { ask } from "./ask.js";
import type { Site } from "./site.js";
import { until } from "./until.js";

/** The cluster that the scenarios roll: three servers of each kind, three of web, three brokers with volumes. */
export class DemoCluster {
  readonly tokens = {
    consul: randomUUID(),
    agent: randomUUID(),
    nomadAgent: randomUUID(),
    rollout: randomUUID(),
    nomad: randomUUID(),
  };
  /** Nomad chooses it. */
  #nomadRollout = "";

  private constructor(
    readonly fleet: Site,
    readonly workspace: Workspace,
  ) {}

  static async prepare(fleet: Site, real: RealEnvironment): Promise<DemoCluster> {
    const workspace = await Workspace.create(real, specOn(fleet, await fleet.settings()), {
      ...fleet.env,
      ROLLOUT_CONSUL_ADDRS: "ssh",
      ROLLOUT_NOMAD_ADDRS: "ssh",
    });
    const cluster = new DemoCluster(fleet, workspace);
    await cluster.#putSecrets();
    return cluster;
  }

  /** The first deploy: what makes the tokens waits for the servers beside it. */
  async create(): Promise<Outcome> {
    const deployed = this.workspace.deploy("cluster", this.management);
    await Promise.race([this.#makeTokens(), deployed]);
    return deployed;
  }

  /** What rolls of servers need. */
  get management(): Record<string, string> {
    return { CONSUL_HTTP_TOKEN: this.tokens.consul, NOMAD_TOKEN: this.tokens.nomad };
  }

  /** What docs/acl gives to whoever rolls clients. */
  get policies(): Record<string, string> {
    return { CONSUL_HTTP_TOKEN: this.tokens.rollout, NOMAD_TOKEN: this.#nomadRollout };
  }

  /** `rollout deploy`, without questions. */
  roll(group: string, ...more: readonly string[]): Promise<Outcome> {
    const env = group.includes("server") ? this.management : this.policies;
    return this.workspace.rollout(["deploy", group, "--yes", "--confirm", group, ...more], env);
  }

  async runJobs(): Promise<void> {
    await this.#runJob(jobOf("web", 8080, 2));
    await this.#runJob(jobOf("broker", 9876, 3));
  }

  /** By a job that runs once. */
  writeToVolume(host: string, text: string): Promise<void> {
    return this.#runJob(volumeWriter(host, text));
  }

  /** The group of the leader, or of a server that does not lead. */
  async serverGroup(pool: "consul-server" | "nomad-server", leads: boolean): Promise<string> {
    const [port, token] = pool === "consul-server" ? [8500, "consul" as const] : [4646, "nomad" as const];
    const servers = this.fleet.machines(new RegExp(pool));
    const [some] = servers;
    if (some === undefined) throw new Error(`no machine is up of ${pool}`);
    const leader = await ask(some, "GET", `:${String(port)}/v1/status/leader`, this.tokens[token]);
    const found = servers.find(({ props }) => (String(leader).split(":")[0] === props.address) === leads);
    return found?.props.host.replace(/-0$/, "") ?? "";
  }

  async deployedImage(group: string): Promise<string> {
    const { groups } = await this.workspace.status();
    return groups.find(({ name }) => name === group)?.image.deployed ?? "";
  }

  /** The version of its image that a group has not. */
  async otherImage(group: string): Promise<string> {
    const deployed = await this.deployedImage(group);
    const { plain, data } = this.fleet.images;
    const [first, second] = group.startsWith("broker") ? data : plain;
    return deployed === first ? second : first;
  }

  /** What the agents say that they are, and Terraform. */
  async versions(): Promise<readonly string[]> {
    const self = async (host: string, port: number, token: string): Promise<unknown> =>
      ask(this.fleet.machine(host), "GET", `:${String(port)}/v1/agent/self`, token);
    return Promise.all([
      self("consul-server-0-0", 8500, this.tokens.consul).then(
        (found) => `Consul v${(found as ConsulSelf).Config.Version}`,
        () => "no Consul",
      ),
      self("nomad-server-0-0", 4646, this.tokens.nomad).then(
        (found) => `Nomad v${nomadVersion(found as NomadSelf)}`,
        () => "no Nomad",
      ),
      this.workspace.terraformVersion(),
    ]);
  }

  async #runJob(Job: { readonly ID: string }): Promise<void> {
    await ask(this.fleet.machine("nomad-server-0-0"), "PUT", ":4646/v1/jobs", this.tokens.nomad, { Job });
  }

  async #putSecrets(): Promise<void> {
    const { consul, agent, nomadAgent } = this.tokens;
    const key = (): string => randomBytes(32).toString("base64");
    const raw = { plugin: [{ raw_exec: [{ config: [{ enabled: true }] }] }] };
    const secrets: Record<string, unknown> = {
      "all/consul/secrets.json": { encrypt: key(), acl: { tokens: { agent } } },
      "consul-server/consul/server.json": { acl: { tokens: { master: consul } } },
      "nomad-server/nomad/secrets.json": { consul: { token: nomadAgent }, server: { encrypt: key() } },
      "nomad-client/nomad/secrets.json": { consul: { token: nomadAgent }, ...raw },
    };
    for (const [name, value] of Object.entries(secrets))
      await this.fleet.putSecret(`/rollout/${this.fleet.name}/${name}`, value);
  }

  async #makeTokens(): Promise<void> {
    const { consul, agent, nomadAgent, rollout, nomad } = this.tokens;
    const rules: Record<string, [secret: string, rules: string]> = {
      agents: [agent, 'node_prefix "" { policy = "write" }\nservice_prefix "" { policy = "read" }'],
      nomad: [
        nomadAgent,
        'agent_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\nservice_prefix "" { policy = "write" }',
      ],
      rollout: [rollout, await readRepository("docs/acl/consul-rollout.hcl")],
    };
    for (const [Name, [SecretID, Rules]] of Object.entries(rules)) {
      await this.#once(`Consul has the policy ${Name}`, "consul-server-0-0", ":8500/v1/acl/policy", consul, {
        Name,
        Rules,
      });
      await this.#once(`Consul has the token ${Name}`, "consul-server-0-0", ":8500/v1/acl/token", consul, {
        SecretID,
        Policies: [{ Name }],
      });
    }
    const server = "nomad-server-0-0";
    await this.#once("Nomad has ACLs", server, ":4646/v1/acl/bootstrap", "", { BootstrapSecret: nomad });
    const Rules = await readRepository("docs/acl/nomad-rollout.hcl");
    await this.#once("Nomad has the policy", server, ":4646/v1/acl/policy/rollout", nomad, {
      Name: "rollout",
      Rules,
    });
    const made = await this.#once("Nomad has the token", server, ":4646/v1/acl/token", nomad, {
      Name: "rollout",
      Type: "client",
      Policies: ["rollout"],
    });
    this.#nomadRollout = (made as { SecretID: string }).SecretID;
  }

  /** Until the servers have a leader this fails, again and again. */
  #once(what: string, host: string, url: string, token: string, body: unknown): Promise<unknown> {
    return until(what, async () => (await ask(this.fleet.machine(host), "PUT", url, token, body)) ?? {}, {
      seconds: 900,
      tell: () => this.fleet.machine(host).journal(),
    });
  }
}

interface ConsulSelf {
  readonly Config: { readonly Version: string };
}

interface NomadSelf {
  readonly config: { readonly Version: { readonly Version: string; readonly VersionPrerelease: string } };
}

const nomadVersion = ({ config: { Version } }: NomadSelf): string =>
  [Version.Version, Version.VersionPrerelease].filter((part) => part !== "").join("-");

/** The example, small, where it is to stand. Brokers' images are those with a data volume. */
function specOn({ name, images }: Site, settings: AwsSettings): string {
  return exampleWith(
    ["name: demo", `name: ${name}`],
    [
      EXAMPLE.slice(EXAMPLE.indexOf("aws:\n"), EXAMPLE.indexOf("backend:")),
      `aws: ${JSON.stringify({ providerVersion: "5.100.0", ...settings })}\n`,
    ],
    ["  name-server:", "  web:"],
    ["hosts: [3, 3, 3]", "hosts: [1, 1, 1]"],
    ["deregistrationDelay: 60s", "deregistrationDelay: 5s"],
  )
    .replaceAll("sizeGib: 100", "sizeGib: 1")
    .replaceAll("m6i.large", "t3.small")
    .replaceAll("ami-0aaa", images.plain[0])
    .replace(/( {2}broker:\n {4}images: ).*/, `$1[${Array(3).fill(images.data[0]).join(", ")}]`)
    .replace(
      /^ {4}images: .*$/gm,
      "$&\n    rootVolumes: [{ sizeGib: 16 }, { sizeGib: 16 }, { sizeGib: 16 }]\n    ready: { timeout: 15m }\n    bake: { time: 5s, first: 5s }",
    );
}

/** A web server on the machines of a pool, one each, which serves the folder of the data volume where there is one. */
export function jobOf(pool: string, port: number, count: number) {
  return {
    ID: pool,
    Name: pool,
    Type: "service",
    Datacenters: ["dc1"],
    Constraints: [
      { LTarget: "${meta.rollout_pool}", RTarget: pool, Operand: "=" },
      { Operand: "distinct_hosts", RTarget: "true" },
    ],
    TaskGroups: [
      {
        Name: pool,
        Count: count,
        Networks: [{ ReservedPorts: [{ Label: "http", Value: port }] }],
        Services: [{ Name: pool, PortLabel: "http", Checks: [{ Type: "tcp", Interval: 2e9, Timeout: 1e9 }] }],
        Migrate: { MaxParallel: 1, HealthCheck: "checks", MinHealthyTime: 2e9, HealthyDeadline: 60e9 },
        Tasks: [
          {
            Name: "http",
            Driver: "raw_exec",
            Config: {
              command: "/usr/bin/python3",
              args: [
                "-m",
                "http.server",
                String(port),
                "--directory",
                pool === "broker" ? "/srv/data" : "/usr/share/doc",
              ],
            },
            Resources: { CPU: 50, MemoryMB: 32 },
            // Out of Consul before it ends, so that whoever asks Consul meets no closed port.
            ShutdownDelay: 4e9,
          },
        ],
      },
    ],
  };
}

/** Writes a file to the data volume of a machine, once. */
function volumeWriter(host: string, text: string) {
  return {
    ID: "write",
    Name: "write",
    Type: "batch",
    Datacenters: ["dc1"],
    Constraints: [{ LTarget: "${node.unique.name}", RTarget: host, Operand: "=" }],
    TaskGroups: [
      {
        Name: "write",
        Tasks: [
          {
            Name: "sh",
            Driver: "raw_exec",
            Config: { command: "/bin/sh", args: ["-c", `echo ${text} > /srv/data/file`] },
            Resources: { CPU: 50, MemoryMB: 32 },
          },
        ],
      },
    ],
  };
}
