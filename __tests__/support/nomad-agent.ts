import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endMarked, MARKER } from "../../clients/local-machines/marked-processes.js";
import { unmountBelow } from "../../clients/local-machines/mounts.js";
import { RealMachines } from "../contract/real-machines.js";

/** What a Nomad agent answered. `body` is the parsed JSON, or the text where it is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const MACHINE = "nomad-0-0";

/** A real Nomad agent with ACLs on a loopback address of its own: a server and a client in one. */
export class NomadAgent extends RealMachines {
  /** Of a management token, once there is a leader. */
  readonly management = randomUUID();

  private constructor(
    folder: string,
    binary: string,
    private readonly servers: number,
  ) {
    super(folder, [MACHINE], [binary, "-config"]);
  }

  /** @param servers how many it waits for; with more than one it has no leader, ever */
  static async begin(binary: string, servers = 1): Promise<NomadAgent> {
    const agent = await RealMachines.start((folder) => new NomadAgent(folder, binary, servers));
    try {
      await agent.until("GET", "/v1/agent/health", undefined, ({ status }) => status === 200 || servers > 1);
      if (servers === 1) {
        const body = { BootstrapSecret: agent.management };
        await agent.until("PUT", "/v1/acl/bootstrap", undefined, ({ status }) => status === 200, body);
      }
      return agent;
    } catch (error) {
      await agent.close();
      throw error;
    }
  }

  get url(): string {
    return `http://${this.addressOf(MACHINE)}:4646`;
  }

  async call(method: string, path: string, token?: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: token === undefined ? {} : { "X-Nomad-Token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: parsed(await response.text()) };
  }

  /** Asks again and again until the answer is as wanted; the test's own timeout ends it. */
  async until(
    method: string,
    path: string,
    token: string | undefined,
    wanted: (answer: Answer) => boolean,
    body?: unknown,
  ): Promise<Answer> {
    for (;;) {
      const answer = await this.call(method, path, token, body).catch(() => undefined);
      if (answer !== undefined && wanted(answer)) return answer;
      await wait(100);
    }
  }

  override async kill(machine: string): Promise<void> {
    await super.kill(machine);
    const folder = join(this.folder, machine);
    await endMarked((marker) => marker === folder);
    unmountBelow(folder);
  }

  protected override environment(folder: string) {
    return { [MARKER]: folder };
  }

  protected override configuration(machine: string, folder: string): object {
    const address = this.addressOf(machine);
    return {
      name: machine,
      data_dir: join(folder, "data"),
      log_file: join(folder, "agent.log"),
      bind_addr: address,
      advertise: { http: address, rpc: address, serf: address },
      disable_update_check: true,
      acl: { enabled: true },
      consul: { auto_advertise: false, server_auto_join: false, client_auto_join: false },
      server: { enabled: true, bootstrap_expect: this.servers },
      ...(this.servers > 1
        ? {}
        : {
            client: {
              enabled: true,
              options: {
                "driver.allowlist": "raw_exec",
                "fingerprint.denylist": "env_aws,env_azure,env_digitalocean,env_gce",
              },
            },
            plugin: [{ raw_exec: [{ config: [{ enabled: true }] }] }],
          }),
    };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
