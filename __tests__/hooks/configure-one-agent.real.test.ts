import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import * as z from "zod";
import { ConsulAgent } from "../../clients/consul/consul-agent.js";
import { configureConsul } from "../../hooks/configure-one-agent.js";
import { remoteServersFile } from "../../clients/ssh/consul-servers-file.js";
import { Ssh } from "../../clients/ssh/ssh.js";
import { openTunnel, TunnelOnDemand } from "../../clients/ssh/tunnel.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { describeReal } from "../support/environment.js";
import { freePort } from "../support/free-port.js";
import { startSshd, type Sshd } from "../support/sshd.js";
import { supportFolder } from "../support/prepared.js";

describeReal("A real agent that is stuck with an old list", ["sshd", "consul"], () => {
  // Loopback addresses of this test run's own, so that agents of other runs, which use the same ports, are not met.
  const run = `127.${String(64 + (process.pid % 128))}.${String((process.pid >> 7) % 256)}`;
  const [server, client] = [`${run}.1`, `${run}.2`];
  const stops: (() => Promise<void>)[] = [];
  let sshd: Sshd;
  let port: number;
  let tunnel: TunnelOnDemand;

  beforeAll(async () => {
    sshd = await startSshd({ path: process.env["PATH"] ?? "" });
    const ssh = new Ssh({ env: await sshd.env() });
    port = await freePort();
    tunnel = new TunnelOnDemand(() => openTunnel(ssh, "machine", port));
    await start("server", { bind_addr: server, server: true, bootstrap_expect: 1, ports: { http: -1 } });
    await start("client", {
      bind_addr: client,
      retry_join: [`${run}.99`],
      addresses: { http: "127.0.0.1" },
      ports: { http: port },
    });
  });
  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await tunnel.close();
    await sshd.stop();
  });

  test("is freed, has the new list on its disk, and is left alone by the next run", async () => {
    expect(await configure()).toBe(
      `client: its list of Consul servers is written, its agent has reloaded, its agent has joined ${server}; its agent knows the leader ${server}:8300`,
    );
    expect(await readFile(join(folder("client"), "rollout-servers.json"), "utf8")).toBe(
      renderServersFile([server]),
    );
    expect(await configure()).toBe(
      `client: nothing to do: its list of Consul servers is there; its agent knows the leader ${server}:8300`,
    );
  });

  test("refuses what its folder does not allow, and goes on as it was", async () => {
    const broken = join(folder("client"), "zz-broken.json");
    await writeFile(broken, '{"serverr": true}');
    await expect(configure([server, client])).rejects.toThrow(
      /^Consul is not configured: client: consul validate refuses the folder, also without the new file: .*serverr.*\(its file was not changed; a rerun does what is left\)$/,
    );
    await writeFile(broken, "{}");
    expect(await configure([server, client])).toBe(
      `client: its list of Consul servers is written, its agent has reloaded; its agent knows the leader ${server}:8300`,
    );
  });

  function configure(servers = [server]) {
    return sshd.env().then((env) =>
      configureConsul(
        {
          file: remoteServersFile(new Ssh({ env }), "machine", {
            path: join(folder("client"), "rollout-servers.json"),
          }),
          agent: async () => {
            const agent = await ConsulAgent.at({
              url: "http://localhost",
              socketPath: await tunnel.socketPath(),
            });
            stops.push(() => agent.close());
            return agent;
          },
          refusalOf: () => Promise.resolve(undefined),
          clock: { now: () => performance.now(), pause: (ms) => pause(ms / 10) },
          signal: new AbortController().signal,
          say: () => undefined,
        },
        { host: "client", servers, timeoutMs: 120_000 },
      ),
    );
  }

  function folder(name: string): string {
    return join(sshd.folder, `${name}.d`);
  }

  async function start(name: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
    await mkdir(folder(name));
    const { ports, ...others } = z.looseObject({ ports: z.looseObject({}) }).parse(settings);
    const agent = {
      node_name: name,
      data_dir: join(sshd.folder, `${name}-data`),
      disable_update_check: true,
      performance: { raft_multiplier: 1 },
      ...others,
      ports: { dns: -1, serf_wan: -1, ...ports },
    };
    await writeFile(join(folder(name), "agent.json"), JSON.stringify(agent));
    const command = ["consul", "agent", "-config-dir", folder(name)];
    const child = execa(process.execPath, [join(supportFolder, "tether.mjs"), ...command], {
      env: { NODE_OPTIONS: "" },
      stdin: "pipe",
      stdout: "ignore",
      stderr: "ignore",
      reject: false,
    });
    stops.push(async () => {
      child.stdin.end();
      await child;
    });
  }
});
