import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { Ec2Machines } from "../../clients/aws/ec2.js";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import type { Environment } from "../../clients/environment.js";
import { CONSUL, NOMAD } from "../../clients/http/service.js";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { connect, type LiveCluster } from "../../live/live-cluster.js";
import { tunnelsTo } from "../../live/tunnels.js";
import { Authority, readPair } from "../clients/http/certificates.js";
import { json, startServer, type LocalServer } from "../clients/http/local-server.js";
import { realConsul } from "../contract/real-consul.js";
import type { Cluster } from "../contract/target.js";
import { withEnvironment } from "../support/aws-environment.js";
import { describeReal } from "../support/environment.js";
import { smallAwsSpec } from "../support/fixtures.js";
import { startMoto, type Moto } from "../support/moto.js";
import { failure } from "../support/refusal.js";
import { startSshd, type ClientOptions, type Sshd } from "../support/sshd.js";

describeReal("Tunnels to machines with a real Consul", ["sshd", "consul"], (found) => {
  let cluster: Cluster;
  let folder: string;
  const machines = new Map<string, Sshd>();
  let client: ConsulClient;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rollout-tunnels-"));
    cluster = await realConsul.start(found);
    for (const host of cluster.consulServers) machines.set(host, await startSshd());
    await writeSsh(folder);
    client = await connected(cluster.consulServers);
    await eventually(async () => (await client.members()).length === 5);
  });
  afterEach(async () => {
    await client.close();
    await Promise.all([cluster.close(), ...[...machines.values()].map((sshd) => sshd.stop())]);
    await rm(folder, { recursive: true, force: true });
  });

  test("a wait goes on through another machine when the way in dies with its server, and another when that dies, too", async () => {
    const [first, second] = cluster.consulServers;
    let asked = 0;
    // Whoever waits asks again and again, and any question that fails ends this test.
    const wait = async (host: string): Promise<void> => {
      for (let status = ""; status !== "failed"; asked++) {
        const members = await client.members();
        status = members.find(({ Name }) => Name === host)?.Status ?? "";
      }
    };
    for (const host of [first, second]) {
      const before = asked;
      const waiting = wait(host);
      await eventually(() => Promise.resolve(asked > before));
      await Promise.all([machines.get(host)?.stop(), cluster.kill(host)]);
      await waiting;
    }
    expect(await destinations(folder)).toEqual(cluster.consulServers.map(addressOf));
  }, 120_000);

  test("an agent that has ended is left for another although its machine still lets ssh in", async () => {
    const [first, second] = cluster.consulServers;
    await cluster.kill(first);
    await client.members();
    await client.members();
    expect(await destinations(folder)).toEqual([first, second].map(addressOf));
  });

  test("a tunnel that is cut is opened again", async () => {
    const [, only] = cluster.consulServers;
    const alone = await connected([only]);
    await alone.members();
    machines.get(only)?.cut();
    await alone.members();
    await alone.close();
    expect((await destinations(folder)).slice(1)).toEqual([only, only].map(addressOf));
  });

  const addressOf = (host: string): string => new URL(cluster.consul(host).url).hostname;

  async function connected(hosts: readonly string[]): Promise<ConsulClient> {
    const env = withSsh(folder, { ROLLOUT_SSH_CONFIG: await writeConfig() });
    const tunnels = tunnelsTo(CONSUL, env, hosts, (host) => Promise.resolve(addressOf(host)));
    return ConsulClient.fromEnvironment(env, ...tunnels);
  }

  /** Each machine has an sshd of its own, with a host key of its own. */
  async function writeConfig(): Promise<string> {
    const parts = [...machines].map(async ([host, sshd]) => {
      const { ROLLOUT_SSH_CONFIG: own = "" } = await sshd.env();
      return `Host ${addressOf(host)}\n  Include ${own}\n`;
    });
    const config = join(folder, "ssh_config");
    await writeFile(config, (await Promise.all(parts)).join(""));
    return config;
  }
});

describeReal("Tunnels to machines of a cluster on aws, asked of moto", ["moto", "sshd"], () => {
  const spec = smallAwsSpec();
  const region = spec.platform === "aws" ? spec.aws.region : "";
  const servers = [0, 1, 2].flatMap((index) => [
    `consul-server-${String(index)}`,
    `nomad-server-${String(index)}`,
  ]);
  let moto: Moto;
  let sshd: Sshd;
  let agent: LocalServer;
  let folder: string;
  let live: LiveCluster;
  let subnet: string;

  beforeAll(async () => {
    [moto, sshd] = [await startMoto({ region }), await startSshd()];
    folder = await mkdtemp(join(tmpdir(), "rollout-tunnels-"));
    await writeSsh(folder);
    agent = await startServer(json([{ Name: "x", Addr: "10.0.0.7", Port: 8301, Tags: {}, Status: 1 }]));
    [subnet] = (await moto.ec2.createNetwork()).subnetIds;
    for (const group of servers) await run(group);
  });
  afterEach(async () => {
    await live.close();
    await rm(join(folder, "ssh.log"));
  });
  afterAll(async () => {
    await Promise.all([moto.stop(), sshd.stop(), agent.close()]);
    await rm(folder, { recursive: true, force: true });
  });
  withEnvironment(() => moto.env);

  test("lead to a service's servers first, and to those of the group that is worked on last", async () => {
    live = await connected("consul-server-0");
    await live.consul.members();
    await failure(live.nomad.nodes());
    expect(await destinations(folder)).toEqual([
      await addressOf("consul-server-1-0"),
      await addressOf("nomad-server-0-0"),
    ]);
  });

  test("lead to where a machine is by the time that they are opened", async () => {
    live = await connected("consul-server-2");
    await live.consul.members();
    const before = await addressOf("consul-server-0-0");
    for (const { id } of await moto.ec2.instances()) await moto.ec2.terminate(id);
    await run("consul-server-0");
    sshd.cut();
    await eventually(async () => (await live.consul.members()).length === 1);
    expect(await destinations(folder)).toEqual([before, await addressOf("consul-server-0-0")]);
  });

  test("refuses in words where EC2 runs no machine of the cluster", async () => {
    for (const { id } of await moto.ec2.instances()) await moto.ec2.terminate(id);
    live = await connected("consul-server-0");
    const url = `http://127.0.0.1:${new URL(agent.url).port}`;
    const ways = ["consul-server-1-0", "consul-server-2-0", ...NOMADS, "broker-0-0"];
    const tried = ways.map((host) => `${url} of ${host} (no address of ${host} is known to Consul or EC2)`);
    expect(await failure(live.consul.members())).toBe(
      `Consul did not answer: GET /v1/agent/members at ${tried.join(", ")}; see that the agent runs, and check ROLLOUT_CONSUL_ADDRS`,
    );
    await writeFile(join(folder, "ssh.log"), "");
  });

  const NOMADS = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"];

  async function addressOf(host: string): Promise<string> {
    const machines = await new Ec2Machines({ region }).find(spec.name);
    return machines.find((machine) => machine.host === host)?.privateIp ?? "";
  }

  async function connected(group: string): Promise<LiveCluster> {
    // Read for the port alone: nobody is asked there.
    const url = `http://cluster.invalid:${new URL(agent.url).port}`;
    const env = { ...withSsh(folder, await sshd.env()), CONSUL_HTTP_ADDR: url, NOMAD_ADDR: url };
    return connect(spec, env, Date.now, undefined, group);
  }

  async function run(group: string): Promise<void> {
    const tags = { "rollout:cluster": spec.name, "rollout:group": group };
    await moto.ec2.run(subnet, { ...tags, Name: `${spec.name}-${group}-0` });
  }
});

describeReal("A tunnel to an agent that wants encrypted connections", ["sshd"], () => {
  let sshd: Sshd;
  let folder: string;
  let authority: Authority;
  let agent: LocalServer;

  beforeAll(async () => {
    sshd = await startSshd();
    folder = await mkdtemp(join(tmpdir(), "rollout-tunnels-"));
    authority = await Authority.create(folder, "ours");
    const tls = await readPair(await authority.issue("agent", "DNS:server.global.nomad"));
    agent = await startServer(json([]), { tls });
  });
  afterAll(async () => {
    await Promise.all([sshd.stop(), agent.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test("its certificate must bear the name that the environment says", async () => {
    expect(await nodes({ NOMAD_TLS_SERVER_NAME: "server.global.nomad" })).toEqual([]);
  });

  test("refuses one of another name", async () => {
    const { length } = agent.requests;
    expect(await failure(nodes({}))).toMatch(
      /^Nomad did not answer: GET \/v1\/nodes at https:\/\/127\.0\.0\.1:\d+ of nomad-server-0-0 \(ERR_TLS_CERT_ALTNAME_INVALID: .*\); see that the agent runs, and check ROLLOUT_NOMAD_ADDRS$/,
    );
    expect(agent.requests).toHaveLength(length);
  });

  test("refuses a machine whose host key is not known: nothing is sent there", async () => {
    const { length } = agent.requests;
    const name = { NOMAD_TLS_SERVER_NAME: "server.global.nomad" };
    expect(await failure(nodes(name, { knownHost: "nothing" }))).toContain(
      "of nomad-server-0-0 (unknown host key: 10.0.0.1; nothing was sent; ",
    );
    expect(agent.requests).toHaveLength(length);
  });

  async function nodes(own: Environment, client: ClientOptions = {}): Promise<unknown[]> {
    const env = {
      ...(await sshd.env(client)),
      ROLLOUT_NOMAD_ADDRS: "ssh",
      // Read for the scheme and the port alone.
      NOMAD_ADDR: `https://cluster.invalid:${new URL(agent.url).port}`,
      NOMAD_CACERT: authority.certificate,
      ...own,
    };
    const tunnels = tunnelsTo(NOMAD, env, ["nomad-server-0-0"], () => Promise.resolve("10.0.0.1"));
    const nomad = await NomadClient.fromEnvironment(env, ...tunnels);
    try {
      return await nomad.nodes();
    } finally {
      await nomad.close();
    }
  }
});

/**
 * Puts an `ssh` into a folder that notes where it is told to go, and is the system's. These machines are one machine, on
 * which each has an address of its own, so that what is meant for a machine's port 8500 on 127.0.0.1 is led there.
 */
async function writeSsh(folder: string): Promise<void> {
  const { stdout: ssh } = await execa("sh", ["-c", "command -v ssh"]);
  const script = `#!/bin/sh
for to; do [ "$before" = -- ] && break; before=$to; done
echo "$to" >>'${folder}/ssh.log'
for word; do
  shift
  case $word in *:127.0.0.1:8500) word="\${word%127.0.0.1:8500}$to:8500" ;; esac
  set -- "$@" "$word"
done
exec '${ssh}' "$@"
`;
  await writeFile(join(folder, "ssh"), script, { mode: 0o755 });
}

/** An environment with that `ssh` in it. */
const withSsh = (folder: string, env: Environment): Environment => ({
  ...env,
  PATH: `${folder}:${process.env["PATH"] ?? ""}`,
  ROLLOUT_CONSUL_ADDRS: "ssh",
  ROLLOUT_NOMAD_ADDRS: "ssh",
});

/** Where it has been told to go, in the order of the calls. */
const destinations = async (folder: string): Promise<string[]> =>
  (await readFile(join(folder, "ssh.log"), "utf8")).trimEnd().split("\n");

/** Looks again and again, with what the look itself takes in between; one that fails is looked at again. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = AbortSignal.timeout(60_000);
  while (!(await holds().catch(() => false))) {
    if (end.aborted) throw new Error("it has not become so within 60 s");
    await new Promise(setImmediate);
  }
}
