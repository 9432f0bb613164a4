import { randomBytes, randomUUID } from "node:crypto";
import { readRepository } from "../support/consul-agent.js";
import type { RealEnvironment } from "../support/environment.js";
import { exampleWith } from "../cluster/yaml/example.js";
import { type Outcome, Workspace } from "../deploy/workspace.js";
import type { Network } from "../support/moto-ec2.js";
import { ask } from "./ask.js";
import type { Fleet } from "./fleet.js";
import { until } from "./until.js";

/** The cluster that the fleet's scenarios roll: three servers of each kind, three of web, three brokers with volumes. */
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
    readonly fleet: Fleet,
    readonly workspace: Workspace,
  ) {}

  static async prepare(fleet: Fleet, real: RealEnvironment): Promise<DemoCluster> {
    const network = await fleet.moto.ec2.createNetwork();
    await fleet.moto.ec2.createInstanceProfile("demo-agents");
    await fleet.moto.ec2.createKeyPair("ops");
    const runner = await fleet.openToRunner(network.vpcId);
    const workspace = await Workspace.create(real, specIn(network, runner), {
      ...fleet.env,
      ROLLOUT_SSH_CONFIG: await fleet.sshConfig("/srv"),
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
    for (const job of [jobOf("web", 8080, 2), jobOf("broker", 9876, 3)])
      await ask(this.fleet.machine("nomad-server-0-0"), "PUT", ":4646/v1/jobs", this.tokens.nomad, {
        Job: job,
      });
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
      await this.fleet.putSecret(`/rollout/demo/${name}`, value);
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

/** The example, small, in moto's network. Brokers' images are those with a data volume. */
function specIn({ vpcId, subnetIds }: Network, runner: string): string {
  return exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    [
      "instanceProfile: demo-agents",
      `instanceProfile: demo-agents\n  securityGroupIds: [${runner}]\n  providerVersion: 5.100.0`,
    ],
    ["  name-server:", "  web:"],
    ["hosts: [3, 3, 3]", "hosts: [1, 1, 1]"],
    ["deregistrationDelay: 60s", "deregistrationDelay: 5s"],
  )
    .replaceAll("sizeGib: 100", "sizeGib: 1")
    .replaceAll("ami-0aaa", "ami-0a01")
    .replace(/( {2}broker:\n {4}images: ).*/, "$1[ami-0e01, ami-0e01, ami-0e01]")
    .replace(
      /^ {4}images: .*$/gm,
      "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]\n    ready: { timeout: 15m }\n    bake: { time: 5s, first: 5s }",
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
