import { mkdtemp, readFile, rm, writeFile, mkdir, copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import * as z from "zod";
import { userData } from "../../cluster/user-data.js";
import { freePorts } from "./free-port.js";
import { supportFolder } from "./prepared.js";

/** What a Consul agent answered. `body` is the parsed JSON, or the text where it is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A real Consul agent on 127.0.0.1, started as a machine of `docs/image` starts it. */
export interface ConsulAgent {
  /** Of its HTTP API. */
  readonly url: string;
  /** Where other agents join it. */
  readonly gossip: string;
  call(method: string, path: string, token?: string, body?: unknown): Promise<Answer>;
  /** Asks again and again until the answer is as wanted; the test's own timeout ends it. */
  until(path: string, token: string, wanted: (answer: Answer) => boolean): Promise<Answer>;
  /** True while the process runs. */
  runs(): boolean;
  /** Waits until it has ended by itself. */
  ended(): Promise<void>;
  stop(): Promise<void>;
}

/** `{ pool: "broker", name: "broker-0-1" }` */
interface Machine {
  readonly pool: string;
  readonly name: string;
}

const cloudConfig = z.object({ write_files: z.tuple([z.object({ content: z.string() })]) });

const image = join(supportFolder, "..", "..", "docs", "image", "root");

/**
 * Starts an agent with the image's own configuration, which is `boot`'s work here as there. Only what cannot be the same on
 * one machine is overridden: addresses, ports, the data folder.
 * @param pool decides about the role, as in the image
 * @param secrets what the image gets from its store, tokens among it
 * @param servers the list that `configure-consul` writes. @default it has not arrived yet
 */
export async function startConsul(
  host: Machine,
  secrets: Readonly<Record<string, unknown>>,
  servers?: readonly string[],
): Promise<ConsulAgent> {
  const root = await mkdtemp(join(tmpdir(), "rollout-consul-"));
  const [folder, overrides] = [join(root, "etc/consul.d"), join(root, "run/rollout/consul")];
  for (const each of [folder, overrides, join(root, "etc/nomad.d"), join(root, "etc/rollout")])
    await mkdir(each, { recursive: true });
  await copyFile(join(image, "etc/consul.d/agent.hcl"), join(folder, "agent.hcl"));
  await writeFile(join(root, "etc/rollout/machine.env"), machineEnv(host));
  await execa(join(image, "usr/local/lib/rollout/boot"), { env: { ROLLOUT_ROOT: root } });
  // The link leads to where the image has it.
  const role = host.pool === "consul-server" ? "consul-server" : "consul-client";
  await rm(join(folder, "role.hcl"));
  await copyFile(join(image, `usr/local/share/rollout/${role}.hcl`), join(folder, "role.hcl"));

  if (servers !== undefined)
    await writeFile(join(folder, "rollout-servers.json"), JSON.stringify({ retry_join: servers }));

  const [http, server, serf] = await freePorts(3);
  await writeFile(
    join(overrides, "secrets.json"),
    JSON.stringify({
      bind_addr: "127.0.0.1",
      data_dir: join(root, "data"),
      ports: { http, server, serf_lan: serf, serf_wan: -1, dns: -1, grpc: -1 },
      ...(role === "consul-server" ? { bootstrap_expect: 1 } : {}),
      ...secrets,
    }),
  );
  const agent = execa(
    process.execPath,
    [
      join(supportFolder, "tether.mjs"),
      "consul",
      "agent",
      `-config-dir=${folder}`,
      `-config-dir=${overrides}`,
    ],
    { stdin: "pipe", all: true, reject: false, maxBuffer: 10_000_000, env: { NODE_OPTIONS: "" } },
  );
  let gone = false;
  void agent.then(() => (gone = true));

  const url = `http://127.0.0.1:${String(http)}`;
  const call = async (method: string, path: string, token?: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: token === undefined ? {} : { "X-Consul-Token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: parsed(await response.text()) };
  };
  const until = async (path: string, token: string, wanted: (answer: Answer) => boolean): Promise<Answer> => {
    for (;;) {
      const answer = await call("GET", path, token).catch((error: unknown) => {
        if (gone) throw error;
        return undefined;
      });
      if (answer !== undefined && wanted(answer)) return answer;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const stop = async (): Promise<void> => {
    agent.stdin.end();
    await agent;
    await rm(root, { recursive: true, force: true });
  };
  try {
    await until("/v1/status/leader", "", ({ status }) => status > 0);
  } catch (error) {
    throw new Error(`consul did not start: ${(await agent).all}`, { cause: error });
  }
  const ended = async (): Promise<void> => {
    await agent;
  };
  return { url, gossip: `127.0.0.1:${String(serf)}`, call, until, runs: () => !gone, ended, stop };
}

/** What the user data that the program renders writes to the machine. */
export function machineEnv({ pool, name }: Machine, servers?: string): string {
  const data: unknown = parse(
    userData(
      "demo",
      {
        name,
        pool,
        group: name.replace(/-\d+$/, ""),
        image: "ami-0aaa",
        hash: "0123456789abcdef",
      },
      servers,
    ),
  );
  return cloudConfig.parse(data).write_files[0].content;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A file of this repository. */
export const readRepository = (path: string): Promise<string> =>
  readFile(join(supportFolder, "..", "..", path), "utf8");
