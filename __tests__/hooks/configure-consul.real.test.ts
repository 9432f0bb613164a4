import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { realClock } from "../../clients/clock.js";
import { runConfigureConsulHook } from "../../hooks/configure-consul.js";
import type { HookFile } from "../../cluster/hooks/hook-file.js";
import { Interruption } from "../../cluster/interruption.js";
import { ConsulAgent } from "../../clients/consul/consul-agent.js";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { startAgent, type RealAgent } from "../contract/real-agent.js";
import { describeReal } from "../support/environment.js";
import { smallAwsSpec } from "../support/fixtures.js";
import { freePort } from "../support/free-port.js";
import { MachineOfContract2 } from "../support/machine-of-contract-2.js";
import { failure } from "../support/refusal.js";
import { Scratch } from "../support/scratch.js";
import { startSshd, type Sshd } from "../support/sshd.js";

describeReal(
  "configure-consul on a machine whose cluster denies by default",
  ["sshd", "consul"],
  ({ consul }) => {
    // Loopback addresses of this run's own, so that agents of other runs, which use the same ports, are not met.
    const network = `127.${String(64 + (process.pid % 128))}.${String((process.pid >> 7) % 256)}`;
    const [server, machine] = [`${network}.3`, `${network}.4`];
    const management = randomUUID();
    let sshd: Sshd;
    let port: number;
    let scratch: Scratch;
    let machineFolders: MachineOfContract2;
    let folder: string;
    let running: RealAgent;
    let own: RealAgent | undefined;
    const said: string[] = [];

    beforeAll(async () => {
      sshd = await startSshd({ path: process.env["PATH"] ?? "" });
      scratch = await Scratch.create();
      machineFolders = await MachineOfContract2.in(scratch);
      folder = machineFolders.consul;
      await rm(folder, { recursive: true });
      // The folders of the image's contract are the test's own here.
      await sshd.program(
        "sh",
        `for word; do
  shift
  case $word in /etc/consul.d) word='${folder}' ;; /var/lib/rollout) word='${machineFolders.lists}' ;; esac
  set -- "$@" "$word"
done
exec /bin/sh "$@"`,
      );
      port = await freePort();
      running = await start(join(sshd.folder, "server.d"), {
        node_name: "consul-server-0-0",
        bind_addr: server,
        client_addr: server,
        server: true,
        bootstrap_expect: 1,
      });
      const cluster = await ConsulClient.fromEnvironment(environment(management));
      await eventually(async () => (await cluster.nodes()).length === 1);
    });
    afterEach(async () => {
      await own?.kill();
      await rm(folder, { recursive: true, force: true });
    });
    afterAll(async () => {
      await running.kill();
      await sshd.stop();
      await scratch.remove();
    });

    test("writes the list and lets the agent read it; the next run finds it done", async () => {
      await startMachine({ retry_join: [server] });
      await configure(management);
      expect(said.at(-1)).toBe(
        `broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader ${server}:8300`,
      );
      expect(await readFile(join(folder, "rollout-servers.json"), "utf8")).toBe(renderServersFile([server]));
      await configure(management);
      expect(said.at(-1)).toBe(
        `broker-0-0: nothing to do: its list of Consul servers is there; its agent knows the leader ${server}:8300`,
      );
    });

    test("has a machine of contract 2 make the list itself, and its node says which contract that is", async () => {
      const contract = '{ "node_meta": { "rollout_contract": "2" } }';
      await mkdir(folder);
      await writeFile(join(folder, "rollout-contract.json"), contract);
      await startMachine({ retry_join: [server] });
      const end = machineFolders.readLists();
      await configure(management);
      expect(said.at(-1)).toBe(
        `broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader ${server}:8300`,
      );
      expect(await readFile(join(folder, "rollout-servers.json"), "utf8")).toBe(renderServersFile([server]));
      expect(await readFile(join(machineFolders.lists, "consul-servers"), "utf8")).toBe(`${server}\n`);
      await configure(management);
      end();
      expect(said.at(-1)).toBe(
        `broker-0-0: nothing to do: its list of Consul servers is there; its agent knows the leader ${server}:8300`,
      );
      // Of the node itself: the catalog keeps that of the test before, which was killed under the same name.
      const headers = { "X-Consul-Token": management };
      const self = await fetch(`http://127.0.0.1:${String(port)}/v1/agent/self`, { headers });
      expect(await self.json()).toMatchObject({ Meta: { rollout_contract: "2" } });
    });

    test("waits for an agent that has not joined, which refuses every token", async () => {
      await startMachine();
      const done = configure(management);
      await eventually(() =>
        Promise.resolve(
          said.some((line) =>
            line.startsWith("waiting: broker-0-0: its Consul agent does not answer: Consul has no leader"),
          ),
        ),
      );
      const { access } = (await ConsulClient.fromEnvironment(environment(management))).settings;
      await new ConsulAgent({ url: cluster() }, access).join(machine);
      await done;
      expect(said.at(-1)).toContain(`its agent knows the leader ${server}:8300`);
    });

    test.each(["joined", "fresh"])(
      "refuses a token that the cluster does not know at once (%s agent)",
      async (agent) => {
        await startMachine(agent === "joined" ? { retry_join: [server] } : {});
        const error = await failure(configure(randomUUID()));
        expect(error.replace(/GET \S+ at \S+/, "GET <path>")).toBe(
          "Consul is not configured: broker-0-0: Consul does not allow it: GET <path> (403 ACL not found); the cluster does not know this token: correct CONSUL_HTTP_TOKEN (its file was not changed; a rerun does what is left)",
        );
      },
    );

    test("waits for a token that the cluster does not know yet while no group of it has ever stood", async () => {
      await startMachine({ retry_join: [server] });
      const token = randomUUID();
      const done = configure(token, {}, undefined, []);
      await eventually(() => Promise.resolve(said.some((line) => line.includes("(403 ACL not found)"))));
      await tokenWith(await readFile("docs/acl/consul-rollout.hcl", "utf8"), token);
      await done;
      expect(said.at(-1)).toContain(`its agent knows the leader ${server}:8300`);
    });

    test("refuses it likewise where the servers are asked through tunnels", async () => {
      await startMachine({ retry_join: [server] });
      const error = await failure(configure(randomUUID(), { ROLLOUT_CONSUL_ADDRS: "ssh" }));
      expect(error).toContain(
        `at http://127.0.0.1:${String(port)} of ${server} (403 ACL not found); the cluster does not know this token`,
      );
    });

    test("refuses a token that lacks rights at once, and names them", async () => {
      await startMachine();
      expect(await failure(configure(await tokenWith('operator = "write"')))).toBe(
        "Consul is not configured: broker-0-0: the token in CONSUL_HTTP_TOKEN lacks the right agent:write (to reload and to join at broker-0-0) and node:read (to see the members); give it the policy in docs/acl.md (its file was not changed; a rerun does what is left)",
      );
      expect(await failure(configure(await tokenWith('node_prefix "" { policy = "read" }')))).toBe(
        "Consul is not configured: broker-0-0: the token in CONSUL_HTTP_TOKEN lacks the right agent:write (to reload and to join at broker-0-0); give it the policy in docs/acl.md (its file was not changed; a rerun does what is left)",
      );
    });

    test("refuses to go on without a token", async () => {
      await startMachine();
      expect(await failure(configure())).toBe(
        "Consul is not configured: broker-0-0: CONSUL_HTTP_TOKEN is not set, and without a token nobody has the right agent:write (to reload and to join at broker-0-0) and node:read (to see the members); set it to one that has the policy in docs/acl.md (its file was not changed; a rerun does what is left)",
      );
    });

    test("waits while nobody can say whether the token is right, and says how far it is when it is ended", async () => {
      await startMachine();
      const controller = new AbortController();
      const ended = failure(
        configure(
          randomUUID(),
          { CONSUL_HTTP_ADDR: `http://[::ffff:${network}.9]:${String(port)}` },
          controller.signal,
        ),
      );
      await eventually(() => Promise.resolve(said.some((line) => line.startsWith("waiting: "))));
      controller.abort(new Interruption("interrupted"));
      expect(await ended).toBe(
        "Consul is not configured: broker-0-0: interrupted (its list of servers is written; a rerun does what is left)",
      );
    });

    /** An address that is not written as a loopback one, so that the machine's own agent is expected at its port. */
    const cluster = (): string => `http://[::ffff:${server}]:${String(port)}`;

    function environment(token?: string): Record<string, string> {
      return {
        CONSUL_HTTP_ADDR: cluster(),
        ...(token === undefined ? {} : { CONSUL_HTTP_TOKEN: token }),
      };
    }

    async function configure(
      token?: string,
      more: Readonly<Record<string, string>> = {},
      signal = new AbortController().signal,
      deployed: HookFile["deployed"] = [
        { name: "consul-server-0", hosts: ["consul-server-0-0"], images: [] },
      ],
    ): Promise<void> {
      said.length = 0;
      const env = {
        ...(await sshd.env()),
        ...environment(token),
        ROLLOUT_HOST_ADDRESS: "127.0.0.1",
        ROLLOUT_CONSUL_SERVERS: server,
        ...more,
      };
      const file = { spec: smallAwsSpec(), specFolder: ".", deployed };
      await runConfigureConsulHook(
        {
          env,
          file,
          folder: ".",
          clock: realClock,
          say: (line) => void said.push(line),
          onCondition: () => undefined,
          signal,
          store: () => Promise.reject(new Error("it has no steps")),
        },
        { hook: "configure-consul", subject: "broker-0-0" },
      );
    }

    async function tokenWith(rules: string, secret: string = randomUUID()): Promise<string> {
      const put = async (path: string, body: object): Promise<unknown> => {
        const headers = { "X-Consul-Token": management };
        const response = await fetch(`${cluster()}${path}`, {
          method: "PUT",
          headers,
          body: JSON.stringify(body),
        });
        return response.json();
      };
      const name = `p-${randomUUID()}`;
      await put("/v1/acl/policy", { Name: name, Rules: rules });
      await put("/v1/acl/token", { SecretID: secret, Policies: [{ Name: name }] });
      return secret;
    }

    async function startMachine(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
      own = await start(folder, {
        node_name: "broker-0-0",
        bind_addr: machine,
        client_addr: "127.0.0.1",
        ...settings,
      });
      const members = async () => (await fetch(`http://127.0.0.1:${String(port)}/v1/status/leader`)).status;
      const wanted = "retry_join" in settings ? 200 : 500;
      await eventually(async () => (await members()) === wanted);
    }

    async function start(at: string, settings: Readonly<Record<string, unknown>>): Promise<RealAgent> {
      await mkdir(at, { recursive: true });
      const agent = {
        data_dir: join(sshd.folder, `data-${randomUUID()}`),
        disable_update_check: true,
        performance: { raft_multiplier: 1 },
        ports: { http: port, dns: -1, grpc: -1, serf_wan: -1 },
        acl: {
          enabled: true,
          default_policy: "deny",
          // A client agent remembers for so long that a token is unknown.
          token_ttl: "1s",
          tokens: { agent: management, ...("server" in settings ? { master: management } : {}) },
        },
        ...settings,
      };
      await writeFile(join(at, "agent.json"), JSON.stringify(agent));
      return startAgent(consul, ["agent", "-config-dir", at]);
    }
  },
);

/** Looks again and again, with what the look itself takes in between; one that fails is looked at again. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = AbortSignal.timeout(60_000);
  while (!(await holds().catch(() => false))) {
    if (end.aborted) throw new Error("it has not become so within 60 s");
    await new Promise(setImmediate);
  }
}
