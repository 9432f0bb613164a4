import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { sshAgents, type MachineAgents } from "../../live/machine-agents.js";
import { withLists } from "../../live/observe/server-lists.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { observed } from "../rollout/observed.js";
import { describeReal } from "../support/environment.js";
import { freePort } from "../support/free-port.js";
import { failure } from "../support/refusal.js";
import { startSshd, type Sshd } from "../support/sshd.js";

const HOST = "broker-0-0";

describeReal("A machine's own agents, through a real sshd", ["sshd"], () => {
  let sshd: Sshd;
  let server: Server;
  let port: number;
  let agents: MachineAgents;
  const asked: { path: string; token: unknown }[] = [];
  const addresses: string[] = [];
  let address: string;

  beforeAll(async () => {
    sshd = await startSshd();
    server = createServer((incoming, response) => {
      const { headers, url = "" } = incoming;
      asked.push({ path: url, token: headers["x-consul-token"] ?? headers["x-nomad-token"] });
      const answer = url.startsWith("/v1/agent/members")
        ? [{ Name: HOST, Addr: "10.0.0.7", Port: 8301, Tags: {}, Status: 1 }]
        : { config: { Region: "global", Datacenter: "dc1" }, member: null, stats: null };
      response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("no port");
    port = bound.port;
  });
  beforeEach(async () => {
    asked.length = 0;
    addresses.length = 0;
    address = "machine";
    // Read for the port alone: nobody is asked there.
    const url = `http://cluster.invalid:${String(port)}`;
    agents = sshAgents(
      {
        ...(await sshd.env()),
        CONSUL_HTTP_ADDR: url,
        NOMAD_ADDR: url,
        CONSUL_HTTP_TOKEN: "consul-secret",
        NOMAD_TOKEN: "nomad-secret",
      },
      (host) => {
        addresses.push(host);
        return Promise.resolve(address);
      },
    );
  });
  afterEach(async () => {
    await agents.close();
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await sshd.stop();
  });

  test("are asked at their loopback port, each with its own token", async () => {
    const consul = await agents.consul(HOST);
    expect(await consul.members()).toMatchObject([{ Name: HOST, Status: "alive" }]);
    const nomad = await agents.nomad(HOST);
    expect((await nomad.self()).config.Region).toBe("global");
    expect(asked.map(({ path, token }) => [path, token])).toEqual([
      ["/v1/agent/members", "consul-secret"],
      ["/v1/agent/self", "nomad-secret"],
    ]);
    expect(addresses).toEqual([HOST, HOST]);
  });

  test("keep their tunnel from one question to the next", async () => {
    const first = await agents.consul(HOST);
    await first.members();
    expect(await agents.consul(HOST)).toBe(first);
    expect(await first.members()).toHaveLength(1);
  });

  test("get another tunnel when the machine has another address", async () => {
    const before = await agents.consul(HOST);
    address = "127.0.0.1";
    const after = await agents.consul(HOST);
    expect(await after.members()).toHaveLength(1);
    expect(after.endpoint.socketPath).not.toBe(before.endpoint.socketPath);
  });

  test("are not to be reached any more once they are closed", async () => {
    const { socketPath = "" } = (await agents.consul(HOST)).endpoint;
    expect(existsSync(socketPath)).toBe(true);
    await agents.close();
    expect(existsSync(socketPath)).toBe(false);
  });

  test("Nomad is stopped by sudo and systemctl, and by nothing else", async () => {
    const log = join(sshd.folder, "sudo.log");
    await sshd.program("sudo", `printf '%s\\n' "$@" > '${log}'`);
    await agents.stopNomad(HOST, new AbortController().signal);
    expect(await readFile(log, "utf8")).toBe("-n\nsystemctl\nstop\nnomad\n");
  });

  test("refuses to take Nomad for stopped when sudo does not allow it", async () => {
    await sshd.program("sudo", 'echo "sudo: a password is required" >&2; exit 1');
    expect(await failure(agents.stopNomad(HOST, new AbortController().signal))).toBe(
      'Nomad was not stopped: broker-0-0: "systemctl stop nomad" by sudo ended with 1 and said: sudo: a password is required; see that the login may run it (docs/image.md, "Login and rights")',
    );
  });

  test("the list of Consul servers is read from the machine's disk; a machine that refuses is told apart", async () => {
    const folder = join(sshd.folder, "consul.d");
    await mkdir(folder);
    await sshd.program(
      "sh",
      `for word; do shift; [ "$word" = /etc/consul.d ] && word='${folder}'; set -- "$@" "$word"; done; exec /bin/sh "$@"`,
    );
    await sshd.program("consul", "exit 0");
    const { signal } = new AbortController();
    expect((await withLists(agents, observed(), [HOST], signal)).lists).toEqual([
      { host: HOST, servers: [] },
    ]);

    const file = await agents.serversFile(HOST, signal);
    await file.write(renderServersFile(["10.0.0.1", "10.0.1.1"]));
    const { lists } = await withLists(agents, observed(), [HOST], signal);
    expect(lists).toEqual([{ host: HOST, servers: ["10.0.0.1", "10.0.1.1"] }]);

    const env = await sshd.env({ port: await freePort() });
    const silent = sshAgents({ ...env, CONSUL_HTTP_ADDR: "http://cluster.invalid:1" }, () =>
      Promise.resolve("machine"),
    );
    const refused = await withLists(silent, observed(), [HOST], signal);
    expect(refused.lists).toMatchObject([
      { host: HOST, servers: { unknown: expect.stringContaining("Connection refused") } },
    ]);
  });
});
