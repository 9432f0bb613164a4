import { expect, test } from "@jest/globals";
import { processesIn } from "../deploy/running-deploy.js";
import { ask } from "./ask.js";
import type { DemoCluster } from "./demo-cluster.js";
import type { Fleet } from "./fleet.js";
import type { Report } from "./report.js";
import { Scenario } from "./scenario.js";
import { until } from "./until.js";
import { WatchedRun } from "./watched-run.js";

interface Context {
  readonly fleet: Fleet;
  readonly cluster: DemoCluster;
  readonly report: Report;
}

/** Several rolls each, on a busy machine. */
const LIMIT_MS = 1_200_000;

/** What happens when machines, ways to them and the driver fail, on the cluster that the tests before have left whole. */
export function failures(context: () => Context): void {
  test(
    "finishes a group of clients whose driver was killed in each phase",
    async () => {
      const group = `web-${await placeOfWork(context())}`;
      await killed(context(), `client group, driver killed three times`, group, / drain: /);
    },
    LIMIT_MS,
  );

  test(
    "finishes a Consul server whose driver was killed in each phase",
    async () => {
      await killed(
        context(),
        "Consul server, driver killed three times",
        "consul-server-1",
        / consul-leave: /,
      );
    },
    LIMIT_MS,
  );

  test(
    "says of a new machine that its Consul does not start, and takes the group back",
    async () => {
      const { cluster, fleet } = context();
      const image = await imageOf(cluster, "web-2");
      const wait = async (from: string, to: string): Promise<void> => {
        const text = await cluster.workspace.read();
        await cluster.workspace.write(
          text.replaceAll(`ready: { timeout: ${from} }`, `ready: { timeout: ${to} }`),
        );
      };
      await counted(context(), "image whose Consul cannot start, and undo", async () => {
        await cluster.workspace.rollout(["set", "image", "web-2=ami-0b01"]);
        await wait("15m", "90s");
        const { exitCode, output } = await cluster.roll("web-2");
        await wait("90s", "15m");
        expect(exitCode).toBe(1);
        const why = "its Consul agent does not answer: Consul did not answer: GET /v1/agent/members at ";
        expect(output).toContain(`Consul is not configured: web-2-0: ${why}`);
        expect(output).toContain("see on the machine: journalctl -u consul");
        expect(output.split(`  waiting: web-2-0: ${why}`).length).toBeLessThan(5);
        expect(await fleet.machine("web-2-0").run(["journalctl", "--unit=consul"])).toContain("libssl.so.9");

        const { phase, message, undo } = await cluster.workspace.status();
        expect({ phase, undo }).toEqual({ phase: "failed", undo: "npx rollout undo web-2" });
        expect(message).toContain(`Output: Consul is not configured: web-2-0: ${why}`);
        await cluster.workspace.rollout(["undo", "web-2"]);
        const { next } = await cluster.workspace.status();
        await succeeds(watch(cluster, next ?? ""));
      });
      expect(await imageOf(cluster, "web-2")).toBe(image);
      await isWhole(context());
    },
    LIMIT_MS,
  );

  test(
    "finishes a group while a Consul server dies, through which its way went, and begins no other",
    async () => {
      const { cluster, fleet } = context();
      const lost = "consul-server-0-0";
      const [way, next] = [lost, "consul-server-1-0"].map((host) => fleet.machine(host).props.address);
      const before = await imageOf(cluster, "web-1");
      let lostAt = 0;
      const act = async (): Promise<void> => {
        const run = await begin(cluster, "web-0");
        await run.see(/ drain: /);
        expect(waysOf(cluster)).toContain(way);
        expect(waysOf(cluster)).not.toContain(next);
        lostAt = Date.now();
        await fleet.lose(lost);
        await until("it goes through the next one", () => waysOf(cluster).includes(next ?? ""), {
          seconds: 600,
        });
        await succeeds(run);

        const { exitCode, output } = await (await begin(cluster, "web-1")).end();
        expect(exitCode).toBe(1);
        expect(output).toContain("web-1 cannot be rolled now:");
        expect(output).toMatch(
          /consul-server-0-0: is not well, and consul-server-0 is a group of another pool: its machine is gone/,
        );
        expect(output).toContain("make consul-server-0 whole before web-1 is rolled");
        await cluster.workspace.rollout(["set", "image", `web-1=${before}`]);
        await succeeds(watch(cluster, "npx rollout deploy consul-server-0"));
      };
      await counted(context(), "Consul server dies while a client group is in flight", act, () => lostAt);
      await isWhole(context());
    },
    LIMIT_MS,
  );

  test(
    "refuses to roll a Consul server while machines are not reached, and rolls it then",
    async () => {
      const { cluster, fleet } = context();
      const refusal = "consul-server-2 cannot be rolled now:\n";
      await counted(context(), "ssh refused, ssh hanging, partition", async () => {
        const [closed, hanging] = [fleet.machine("broker-1-0"), fleet.machine("broker-2-0")];
        await closed.run(["systemctl", "stop", "ssh"]);
        await hanging.run(["systemctl", "kill", "--signal=STOP", "ssh"]);
        const unreached = await (await begin(cluster, "consul-server-2")).end();
        await closed.run(["systemctl", "start", "ssh"]);
        await hanging.run(["systemctl", "kill", "--signal=CONT", "ssh"]);
        expect(unreached.exitCode).toBe(1);
        expect(unreached.output).toContain(refusal);
        for (const { props } of [closed, hanging])
          expect(unreached.output).toMatch(
            new RegExp(
              `${props.host}: its own list of Consul servers: cannot be reached by ssh: ${props.address}: `,
            ),
          );
        expect(await cluster.workspace.status()).toMatchObject({ phase: "pending" });

        const cut = fleet.machine("consul-server-1-0");
        const others = fleet.machines(/consul-server-[02]/).map(({ props }) => props.address);
        for (const address of others) await cut.run(["ip", "route", "add", "blackhole", address]);
        await until("Consul knows that it is cut off", async () => {
          const url = ":8500/v1/operator/autopilot/health";
          const answer = await ask(fleet.machine("web-0-0"), "GET", url, cluster.tokens.consul).catch(String);
          return JSON.stringify(answer).includes("429");
        });
        const { next } = await cluster.workspace.status();
        const partitioned = await watch(cluster, next ?? "").end();
        for (const address of others) await cut.run(["ip", "route", "del", "blackhole", address]);
        expect(partitioned.exitCode).toBe(1);
        expect(partitioned.output).toContain(
          `${refusal}  consul-server-2: Consul tolerates no failure now: `,
        );
        await until("Consul is healthy", async () => {
          const url = ":8500/v1/operator/autopilot/health";
          return (await ask(fleet.machine("web-0-0"), "GET", url, cluster.tokens.consul)) !== undefined;
        });
        await succeeds(watch(cluster, next ?? ""));
      });
      await isWhole(context());
    },
    LIMIT_MS,
  );
}

/** A roll that is killed while work leaves, while machines are told of the servers, and at the gate; then what status names is run. */
async function killed(context: Context, name: string, group: string, leaving: RegExp): Promise<void> {
  const { cluster, fleet } = context;
  const host = `${group}-0`;
  const made = fleet.made(host);
  const starts = await startsOf(fleet, host);
  await counted(context, name, async () => {
    const image = await another(cluster, group);
    const cuts: readonly [string, (run: WatchedRun) => Promise<void>][] = [
      ["its work has begun to leave, and no run is under way", (run) => run.see(leaving)],
      ["no run is under way", (run) => run.seeProcess("configure-consul")],
      ["no run is under way", (run) => run.see(/ gate: until/)],
    ];
    await cluster.workspace.rollout(["set", "image", `${group}=${image}`]);
    let next = `npx rollout deploy ${group}`;
    for (const [message, sight] of cuts) {
      const run = watch(cluster, next);
      await sight(run);
      await run.kill();
      const status = await cluster.workspace.status();
      expect(status).toMatchObject({
        phase: "in flight",
        message: expect.stringMatching(new RegExp(`^${group}[:;] ${message}$`)),
        next: `npx rollout deploy ${group}`,
      });
      next = status.next ?? "";
    }
    await succeeds(watch(cluster, next));
    expect(await imageOf(cluster, group)).toBe(image);
  });
  expect(fleet.made(host)).toBe(made + 1);
  expect(await startsOf(fleet, host)).toEqual(starts);
  await isWhole(context);
}

/** @param outageAt when Consul lost its leader, if that is what happens */
async function counted(
  { cluster, report }: Context,
  name: string,
  act: () => Promise<void>,
  outageAt: () => number = () => 0,
): Promise<void> {
  const row = await new Scenario(cluster, name).count(act);
  report.add(row);
  // Until there is another leader nothing leaves its catalog, so that work is still named which has ended meanwhile.
  const duringElection = (failure: string): boolean => {
    const after = Date.parse(failure.split(" ")[0] ?? "") - outageAt();
    return after > 0 && after < 60_000 && failure.includes("ECONNREFUSED");
  };
  const failures = row.failures.filter((failure) => !duringElection(failure));
  expect({ ...row, failures }).toMatchObject({ failures: [], lost: 0, movedTwice: 0 });
}

/** Waits for the end of a run. */
async function succeeds(run: WatchedRun): Promise<string> {
  const { exitCode, output } = await run.end();
  expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
  return output;
}

/** Runs a command as the program has named it. */
function watch(cluster: DemoCluster, command: string): WatchedRun {
  const [npx, rollout, ...words] = command.split(" ");
  const group = words.at(-1) ?? "";
  expect([npx, rollout, words[0]]).toEqual(["npx", "rollout", "deploy"]);
  const env = group.includes("server") ? cluster.management : cluster.policies;
  return new WatchedRun(cluster.workspace, [...words, "--yes", "--confirm", group], env);
}

/** Gives a group another image, and begins to roll it. */
async function begin(cluster: DemoCluster, group: string): Promise<WatchedRun> {
  await cluster.workspace.rollout(["set", "image", `${group}=${await another(cluster, group)}`]);
  return watch(cluster, `npx rollout deploy ${group}`);
}

/** The image that a group runs. */
async function imageOf(cluster: DemoCluster, name: string): Promise<string> {
  const { groups } = await cluster.workspace.status();
  return groups.find((group) => group.name === name)?.image.deployed ?? "";
}

async function another(cluster: DemoCluster, group: string): Promise<string> {
  const image = await imageOf(cluster, group);
  return image.endsWith("4") ? image.replace(/.$/, "3") : image.replace(/.$/, "4");
}

/** The index of a group of web that has work. */
async function placeOfWork({ cluster, fleet }: Context): Promise<string> {
  const server = fleet.machine("nomad-server-0-0");
  const url = ":4646/v1/job/web/allocations";
  const found = (await ask(server, "GET", url, cluster.tokens.nomad)) as {
    ClientStatus: string;
    NodeName: string;
  }[];
  const [some] = found.filter(({ ClientStatus }) => ClientStatus === "running");
  return /^web-([012])-0$/.exec(some?.NodeName ?? "")?.[1] ?? "0";
}

/** The machines that the program's tunnels to Consul go to now. */
function waysOf(cluster: DemoCluster): string[] {
  return processesIn(cluster.workspace.folder).flatMap(({ command }) =>
    command[0] === "ssh" && command.some((word) => word.endsWith(":127.0.0.1:8500"))
      ? [command[command.indexOf("--") + 1] ?? ""]
      : [],
  );
}

/** How often systemd has started the agents of all machines but one: what changes with every start of one. */
async function startsOf(fleet: Fleet, but: string): Promise<Record<string, string>> {
  const machines = fleet.machines().filter(({ props }) => props.host !== but);
  const found = await Promise.all(
    machines.map(async (machine) => {
      const words = ["systemctl", "show", "--property=InvocationID", "--value", "consul", "nomad"];
      return [machine.props.host, await machine.run(words)] as const;
    }),
  );
  return Object.fromEntries(found);
}

/** Every group is as desired; each host is one machine, which is a member of its own, and each server votes. */
async function isWhole({ cluster, fleet }: Context): Promise<void> {
  expect(await cluster.workspace.status()).toMatchObject({
    phase: "healthy",
    message: "all 12 groups are as desired",
    next: null,
  });
  const pools = ["broker", "consul-server", "nomad-server", "web"];
  const hosts = pools.flatMap((pool) => [0, 1, 2].map((index) => `${pool}-${String(index)}-0`));
  expect(fleet.machines().map(({ props }) => props.host)).toEqual(hosts);
  const { consul, nomad } = cluster.tokens;
  const look = async (host: string, url: string, token: string) =>
    (await ask(fleet.machine(host), "GET", url, token)) as Record<string, string>[];
  await until("whatever runs is in Consul and Nomad", async () => {
    const members = await look("web-0-0", ":8500/v1/agent/members", consul);
    const nodes = await look("nomad-server-0-0", ":4646/v1/nodes", nomad);
    expect(
      members
        .filter(({ Status }) => String(Status) === "1")
        .map(({ Name }) => Name)
        .sort(),
    ).toEqual(hosts);
    expect(
      nodes
        .filter(({ Status }) => Status === "ready")
        .map(({ Name }) => Name)
        .sort(),
    ).toEqual(hosts.filter((host) => !host.includes("server")));
    expect(new Set(nodes.map(({ SchedulingEligibility }) => SchedulingEligibility))).toEqual(
      new Set(["eligible"]),
    );
    return true;
  });
  for (const [host, url, token] of [
    ["consul-server-0-0", ":8500/v1/operator/raft/configuration", consul],
    ["nomad-server-0-0", ":4646/v1/operator/raft/configuration", nomad],
  ] as const) {
    const { Servers } = (await ask(fleet.machine(host), "GET", url, token)) as {
      Servers: { Voter: boolean }[];
    };
    expect(Servers.map(({ Voter }) => Voter)).toEqual([true, true, true]);
  }
}
