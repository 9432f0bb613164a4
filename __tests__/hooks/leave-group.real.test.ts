import { afterEach, describe, expect, test } from "@jest/globals";
import type { LiveCluster } from "../../live/live-cluster.js";
import { Interruption } from "../../cluster/interruption.js";
import { leaveGroup, type LeaveDeps } from "../../hooks/leave-group.js";
import { SshFailure, sshFailure } from "../../clients/ssh/ssh-failure.js";
import { UserError } from "../../cluster/user-error.js";
import type { Finding } from "../../rollout/preflight/finding.js";
import { isUnknown, type Observation } from "../../rollout/observation/observation.js";
import type { LeaveOrder } from "../../rollout/leave/order.js";
import type { Environment } from "../../clients/environment.js";
import { gateSettingsOf } from "../../cluster/gate-settings.js";
import { findGroup } from "../../cluster/find-group.js";
import type { InFlight } from "../../cluster/pending.js";
import { groupsOf, hostNames } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { serviceJob } from "../contract/service-job.js";
import { change, poolOf, smallSpec } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { startSimulatedCluster, type SimulatedWorld } from "../support/simulated-cluster.js";
import type { NomadRules } from "../../packages/simulator/nomad/access.js";
import type { SimulatorOptions } from "../../packages/simulator/http/simulator.js";

/** Two hosts in each group of brokers. */
const spec = change(smallSpec(), (edited) => {
  poolOf(edited, "broker").hosts = [2, 2, 2];
});

/** As docs/acl/nomad-rollout.hcl has them. */
const RULES: NomadRules = {
  node: "write",
  operator: "read",
  agent: "read",
  namespaces: { "*": ["list-jobs", "read-job"] },
};

let world: SimulatedWorld;
let cluster: LiveCluster;
const lines: string[] = [];

async function start(
  options?: Omit<SimulatorOptions, "clock" | "factor" | "machines">,
  tokens: Environment = {},
): Promise<void> {
  world = await startSimulatedCluster(spec, options, tokens);
  cluster = await world.connect(spec);
  lines.length = 0;
  await world.whole();
}

afterEach(async () => {
  await cluster.close();
  await world.close();
});

/** The order to leave that a roll of a group gives: nobody stays, since the new template's hash is another. */
function orderFor(name: string, values: Partial<LeaveOrder> = {}, of: Spec = spec): LeaveOrder {
  const group = findGroup(of, name);
  const { workload, drain } = gateSettingsOf(group.pool, of);
  const hosts = hostNames(group);
  return {
    group: name,
    role: group.role,
    servers: 3,
    hash: "ffffffffff",
    stay: hosts,
    hosts,
    workload,
    retires: false,
    drain,
    ...values,
  };
}

const everyGroup = groupsOf(spec).map((group) => ({
  name: group.name,
  pool: group.pool,
  role: group.role,
  hosts: hostNames(group),
}));

async function leave(
  order: LeaveOrder,
  signal = new AbortController().signal,
  inFlight: readonly InFlight[] = [],
  onLine: (line: string) => void = () => undefined,
  more: Pick<LeaveDeps, "askPool" | "onLeaving" | "steps"> = {},
): Promise<void> {
  const { clock } = world;
  const say = (line: string): void => {
    lines.push(line.replace(/^\+\d+s /, ""));
    onLine(line);
  };
  const snapshotFile = `${world.folder}/consul.snapshot`;
  const deps = { cluster, clock, say, onCondition: () => undefined, signal, snapshotFile };
  await leaveGroup({ ...deps, ...more }, order, { cluster: everyGroup, inFlight });
}

/** Makes the drain of a node get nowhere, until the function that comes back is called. */
function neverDrain(host: string): () => void {
  const { drainer } = world.simulator.cluster.nomad;
  drainer.endless.add(host);
  return () => void drainer.endless.delete(host);
}

/** The names of the steps, and how it ended. */
const stepsOf = (said: readonly string[]): string[] =>
  said.filter((line) => !/^( |the snapshot is )/.test(line)).map((line) => line.replace(/:.*/, ""));

/** Without what differs from run to run. */
const untimed = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/\b[0-9a-f]{8}\b/g, "<id>");

describe("clients", () => {
  test("are ineligible, drained, whole elsewhere and out of Consul, and asked again nothing is left to do", async () => {
    await start();
    await world.run(serviceJob("web", 4));
    const saidThen: (string | undefined)[] = [];
    const onLeaving = (): void => void saidThen.push(stepsOf(lines).at(-1));
    await leave(orderFor("broker-0"), undefined, [], undefined, { onLeaving });
    expect(saidThen[0]).toBe("mark-ineligible");
    // What is seen while it waits depends on how fast this machine is, and whether its work is healthy yet.
    expect(lines.filter((line) => !/^( {2}still|wait-|warning: broker-0: work of it)/.test(line)))
      .toMatchInlineSnapshot(`
     [
       "mark-ineligible: broker-0: broker-0-0, broker-0-1 may get no new work",
       "drain: broker-0: broker-0-0, broker-0-1 drained, deadline 3600 s",
       "consul-leave: broker-0-0, broker-0-1 leave Consul",
       "broker-0 has left",
     ]
    `);
    const work = await world.allocations();
    expect(work.filter(({ host, status }) => host.startsWith("broker-0-") && status === "running")).toEqual(
      [],
    );
    expect(work.filter(({ status }) => status === "running")).toHaveLength(4);
    expect(await world.members()).toMatchObject({
      "broker-0-0": "left",
      "broker-0-1": "left",
      "broker-1-0": "alive",
    });
    lines.length = 0;
    await leave(orderFor("broker-0"));
    expect(lines).toEqual(["broker-0 nothing to do: nothing of it goes, or all of it has left"]);
  });

  test("of the template that stays are let alone, so that a group that grows moves no work", async () => {
    await start();
    const hash = groupsOf(spec).find(({ name }) => name === "broker-0")?.hash ?? "";
    await leave(orderFor("broker-0", { hash, stay: ["broker-0-0", "broker-0-1", "broker-0-2"] }));
    expect(lines).toEqual(["broker-0 nothing to do: nothing of it goes, or all of it has left"]);
  });

  test("are left alone while their pool has something against it: nothing is done, and no machine is configured", async () => {
    await start();
    const seen: string[] = [];
    const askPool = (observation: Observation): Promise<Finding[]> => {
      const health = isUnknown(observation.consul.health) ? [] : observation.consul.health;
      seen.push(...health.map(({ node }) => node));
      return Promise.resolve([{ subject: "broker-1-0", message: "check in-sync: no", remedy: "see to it" }]);
    };
    expect(await failure(leave(orderFor("broker-0"), undefined, [], undefined, { askPool }))).toBe(
      "nothing has been done: no work may leave while this is so:\n  broker-1-0: check in-sync: no; see to it",
    );
    expect(lines).toEqual([]);
    expect((await cluster.nomad.nodes()).map((node) => node.SchedulingEligibility)).not.toContain(
      "ineligible",
    );
    expect([...new Set(seen)].sort()).toEqual(
      everyGroup.flatMap(({ pool, hosts }) => (pool === "broker" ? hosts : [])).sort(),
    );
  });

  test.each<[string, (happens: () => Promise<void>) => Pick<LeaveDeps, "askPool" | "steps">]>([
    [
      "a step has run",
      (happens) => ({
        steps: async (list) => {
          await happens();
          return list === "beforeLeave";
        },
      }),
    ],
    [
      "the pool was asked for long",
      (happens) => ({
        askPool: async () => {
          await happens();
          world.skip(11_000);
          return [];
        },
      }),
    ],
  ])("are left alone where another group is no longer whole once %s", async (_, moreOf) => {
    await start();
    const more = moreOf(() => world.ineligible("broker-1-0"));
    expect(await failure(leave(orderFor("broker-0"), undefined, [], undefined, more))).toContain(
      "nothing has been done: no work may leave while this is so:\n  broker-1-0: is not well",
    );
    expect(await world.eligibility()).toMatchObject({ "broker-0-0": "eligible", "broker-0-1": "eligible" });
  });

  test("are left alone while another group is not whole: nothing is done", async () => {
    await start();
    await world.ineligible("broker-1-0");
    expect(untimed(await failure(leave(orderFor("broker-0"))))).toMatchInlineSnapshot(`
     "nothing has been done: no work may leave while this is so:
       broker-1-0: is not well, and broker-1 is a group of the same pool: its node is ineligible; make broker-1 whole before broker-0 is rolled: finish its roll where one was begun (npx rollout deploy broker-1), or where it is to stay as it is: nomad node eligibility -enable <id>"
    `);
    expect(await world.eligibility()).toMatchObject({ "broker-0-0": "eligible", "broker-1-0": "ineligible" });
  });

  test("whose drain never ends fail, and say what is still there", async () => {
    await start();
    await world.run(serviceJob("web", 4));
    neverDrain("broker-0-0");
    const drain = { deadlineSeconds: 30, onDeadline: "fail" } as const;
    const said = failure(leave(orderFor("broker-0", { drain })));
    await world.until(() => lines.some((line) => line.startsWith("  still: broker-0-0")));
    world.skip(631_000);
    expect(untimed(await said)).toMatchInlineSnapshot(`
     "wait-drained has not ended within 630 s; mend what is in the way; or go back: npx rollout undo broker-0
       broker-0-0 (node <id>): draining, past its deadline <time>; <id> of web.g running since <time>
     done: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here"
    `);
  });

  test("whose drain was ended by its deadline fail, and say what to do", async () => {
    await start();
    await world.run({ ...serviceJob("web", 6), Type: "batch" });
    const drain = { deadlineSeconds: 10, onDeadline: "fail" } as const;
    const said = untimed(await failure(leave(orderFor("broker-0", { drain }))));
    // Of two machines the one's deadline may come a look later than the other's.
    expect(said.replace(/^ {2}broker-0-1 \(node.*\n/m, "")).toMatchInlineSnapshot(`
     "broker-0 cannot leave:
       broker-0-0 (node <id>): its drain was ended by the deadline, so work was stopped before it had left: <id> of web.g; see to that work, then drain again (nomad node eligibility -enable <id>, and run this again with a longer drain.deadline), or set drain.onDeadline: accept; or go back: npx rollout undo broker-0
     done: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here"
    `);
    expect(await world.members()).toMatchObject({ "broker-0-0": "alive", "broker-0-1": "alive" });
  });

  test("are asked again when the leader goes at that moment", async () => {
    await start();
    const body = "rpc error: failed to get conn: dial tcp 10.0.0.1:4647: connect: connection refused";
    world.simulator.cluster.faults.add({
      kind: "status",
      status: 500,
      body,
      method: "PUT",
      path: "/v1/node/",
      // Both nodes, at every address.
      times: 6,
    });
    await leave(orderFor("broker-0"));
    expect(lines.filter((line) => line.includes("finds no servers yet, or they change"))).toHaveLength(1);
    expect(lines.at(-1)).toBe("broker-0 has left");
  });

  test("that are interrupted say how far they are, and the next run goes on from there", async () => {
    await start();
    await world.run(serviceJob("web", 4));
    // Until Nomad has called it healthy, which is a change of the allocation.
    world.skip(10_000);
    const moves = neverDrain("broker-0-0");
    const controller = new AbortController();
    const interrupted = leave(orderFor("broker-0"), controller.signal);
    const said = failure(interrupted);
    await world.until(() => lines.some((line) => line.startsWith("wait-drained")));
    const then = world.clock.now();
    await world.until(() => world.clock.now() > then + 20_000);
    controller.abort(new Interruption("interrupted"));
    expect(await said).toBe(
      "interrupted\ndone: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here",
    );
    expect(await world.members()).toMatchObject({ "broker-0-0": "alive", "broker-0-1": "alive" });
    // What does not change is said once.
    expect(lines.filter((line) => line.startsWith("  still: broker-0-0"))).toHaveLength(1);
    moves();
    await leave(orderFor("broker-0"));
    expect(await world.members()).toMatchObject({ "broker-0-0": "left", "broker-0-1": "left" });
  });

  test("that are dead are not asked for what needs their agents", async () => {
    await start();
    await world.kill("broker-0-0");
    await leave(orderFor("broker-0"));
    expect(lines.filter((line) => line.includes("broker-0-0"))).toMatchInlineSnapshot(`
     [
       "broker-0-0: down in Nomad, so it is not drained; its work counts as lost",
       "broker-0-0: failed in Consul, so its agent is not asked to leave",
     ]
    `);
  });
});

describe("an election at the first look", () => {
  const election = { kind: "status", status: 500, body: "No cluster leader", product: "nomad" } as const;

  test("is waited for", async () => {
    await start();
    // Two looks, each at every address.
    world.simulator.cluster.faults.add({ ...election, path: "/v1/nodes", times: 6 });
    await leave(orderFor("broker-0"));
    expect(lines.slice(0, 3).map((line) => line.replace(/ at http.*?\(/, " at <address> (")))
      .toMatchInlineSnapshot(`
     [
       "preflight: broker-0: waiting for what passes by itself",
       "  still: preflight: could not ask for Nomad's nodes: Nomad has no leader: GET /v1/nodes?resources=true at <address> (500 No cluster leader); wait for an election, or bring the missing servers back; what is not known counts as not well; see to it and run this again",
       "mark-ineligible: broker-0: broker-0-0, broker-0-1 may get no new work",
     ]
    `);
    expect(lines.filter((line) => line.startsWith("  still: preflight"))).toHaveLength(1);
    expect(lines.at(-1)).toBe("broker-0 has left");
  });

  test("that does not end is refused after a minute: nothing is done", async () => {
    await start();
    world.simulator.cluster.faults.add({ ...election, path: "/v1/nodes" });
    const said = failure(leave(orderFor("broker-0")));
    await world.until(() => lines.some((line) => line.startsWith("  still: ")));
    world.skip(61_000);
    expect((await said).split("\n").map((line) => line.replace(/: Nomad has.*/, ""))).toMatchInlineSnapshot(`
     [
       "nothing has been done: no work may leave while this is so:",
       "  preflight: could not ask for Nomad's nodes",
       "done: nothing; not ended: preflight; run it again: it goes on from here",
     ]
    `);
    expect(await world.members()).toMatchObject({ "broker-0-0": "alive" });
  });
});

describe("a Nomad server", () => {
  test.each(["leader", "follower"])("leaves raft while the other two vote (%s)", async (which) => {
    await start();
    const leader = await world.nomadLeader();
    const host =
      which === "leader" ? leader : ["nomad-server-0-0", "nomad-server-1-0"].find((name) => name !== leader);
    if (host === undefined) throw new Error("no server");
    await leave(orderFor(host.replace(/-0$/, "")));
    expect((await cluster.nomad.raftConfiguration()).map(({ Node }) => Node)).not.toContain(`${host}.global`);
    expect(await world.members()).toMatchObject({ [host]: "left" });
    // A peer whose member has left is either removed or seen to be gone, whichever comes first.
    const steps = stepsOf(lines).filter((name) => !/^(wait-|remove-nomad-peer)/.test(name));
    const transfer = which === "leader" ? ["transfer-nomad-leadership"] : [];
    expect(steps).toEqual([
      "snapshot-nomad",
      ...transfer,
      "stop-nomad-server",
      "consul-leave",
      `${host.replace(/-0$/, "")} has left`,
    ]);
  });
});

describe("a server", () => {
  test.each(["nomad-server", "consul-server"])(
    "does not go while another one has died a moment ago, which nobody has seen yet (%s)",
    async (pool) => {
      await start();
      world.simulator.cluster.killMachine(`${pool}-1-0`);
      expect(await world.members()).toMatchObject({ [`${pool}-1-0`]: "alive" });
      const said = await failure(leave(orderFor(`${pool}-2`)));
      // Who notices it first, autopilot, the members or its own agent, depends on the moment.
      expect(said).toMatch(/done: (nothing|snapshot-(consul|nomad)); not ended: /);
      const harmless = /^(preflight|wait-quorum|snapshot-(consul|nomad))$/;
      expect(stepsOf(lines).filter((name) => !harmless.test(name))).toEqual([]);
      expect(await world.members()).toMatchObject({ [`${pool}-2-0`]: "alive" });
    },
  );
});

describe("a Consul server", () => {
  test("leaves raft once a snapshot is kept, and never while another is out", async () => {
    await start();
    await leave(orderFor("consul-server-1"));
    expect(stepsOf(lines).filter((name) => !name.startsWith("wait-"))).toEqual([
      "snapshot-consul",
      "consul-leave",
      "consul-server-1 has left",
    ]);
    expect(lines).toContain(
      `the snapshot is ${world.folder}/consul.snapshot, which goes with this computer; copy it away`,
    );
    expect((await cluster.consul.raftConfiguration()).map(({ Node }) => Node).sort()).toEqual([
      "consul-server-0-0",
      "consul-server-2-0",
    ]);
    expect(await failure(leave(orderFor("consul-server-2")))).toMatchInlineSnapshot(`
     "nothing has been done: no work may leave while this is so:
       consul-server-1-0: is not well, and consul-server-1 is a group of the same pool: its Consul agent is left; make consul-server-1 whole before consul-server-2 is rolled: finish its roll where one was begun (npx rollout deploy consul-server-1), or where it is to stay as it is: sudo systemctl start consul on consul-server-1-0
       consul-server-2: Consul tolerates no failure now: 2 of 2 peers vote in raft, 2 for autopilot; 3 are declared; wait until Consul's 3 servers are whole, without any other (consul operator raft list-peers)"
    `);
  });
});

describe("a token", () => {
  test("that may not see jobs is refused before anything is done: its lists are empty", async () => {
    const rules = { ...RULES, namespaces: { "*": ["list-jobs"] } };
    await start({ nomad: { tokens: new Map([["weak", rules]]) } }, { NOMAD_TOKEN: "weak" });
    let hasBegun = false;
    const onLeaving = (): void => void (hasBegun = true);
    const refused = leave(orderFor("broker-0"), undefined, [], undefined, { onLeaving });
    expect(await failure(refused)).toMatchInlineSnapshot(`
     "nothing has been done: no work may leave while this is so:
       NOMAD_TOKEN: lacks the right read-job (in every namespace: without it lists of allocations are empty, which looks like a drain that is done); use a token whose policy allows it"
    `);
    expect(hasBegun).toBe(false);
  });

  test("that may read jobs but not list them is refused before anything is done, and nothing is waited for", async () => {
    const rules = { ...RULES, namespaces: { "*": ["read-job"] } };
    await start({ nomad: { tokens: new Map([["weak", rules]]) } }, { NOMAD_TOKEN: "weak" });
    expect(await failure(leave(orderFor("broker-0")))).toMatchInlineSnapshot(`
     "nothing has been done: no work may leave while this is so:
       NOMAD_TOKEN: lacks the right list-jobs (in every namespace: to see whether work that has left runs elsewhere); use a token whose policy allows it"
    `);
    expect(lines.filter((line) => !line.startsWith("warning: "))).toEqual([]);
  });

  test("that ends while work leaves ends the leave at once, with what was asked", async () => {
    const tokens = new Map([["ends", RULES]]);
    await start({ nomad: { tokens } }, { NOMAD_TOKEN: "ends" });
    world.simulator.do(() => {
      world.simulator.cluster.runJob(serviceJob("web", 4));
    });
    const message = await failure(
      leave(orderFor("broker-0"), undefined, [], (line) => {
        if (line.includes("wait-drained")) tokens.clear();
      }),
    );
    expect(message.replace(/127\.0\.0\.1:\d+/, "HOST")).toMatchInlineSnapshot(`
     "broker-0 cannot leave:
       NOMAD_TOKEN: Nomad does not allow it: GET /v1/acl/token/self at http://HOST/nomad (403 Permission denied); the token in NOMAD_TOKEN needs to be known to the cluster; waiting does not change that
     done: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here"
    `);
  });
});

describe("before a Consul server leaves", () => {
  const listOf = (host: string): readonly string[] => world.simulator.cluster.machine(host).config.retryJoin;

  test("a machine whose own list of servers is wrong is configured first", async () => {
    await start();
    const right = listOf("broker-1-1").toSorted();
    world.simulator.do(() => {
      world.simulator.cluster.writeRetryJoin("broker-1-1", ["10.9.9.9"]);
    });
    await leave(orderFor("consul-server-0"));
    expect(lines[0]).toMatch(
      /^broker-1-1: its list of Consul servers is written; its agent knows the leader /,
    );
    expect(listOf("broker-1-1")).toEqual(right);
    expect(lines.at(-1)).toBe("consul-server-0 has left");
  });

  /** A list that is wrong, on a machine that lets nobody write. */
  const spoil = (): void => {
    world.simulator.do(() => {
      world.simulator.cluster.writeRetryJoin("broker-1-1", ["10.9.9.9"]);
    });
    const { agents } = cluster;
    const serversFile = agents.serversFile.bind(agents);
    agents.serversFile = async (host, signal) => ({
      ...(await serversFile(host, signal)),
      write: () => Promise.reject(new UserError("the login may not write")),
    });
  };

  test("one that cannot be configured does not keep a roll that has begun from going on", async () => {
    await start();
    spoil();
    const own = [{ group: "consul-server-0", reasons: ["terraform_data.consul-server-0-ready is tainted"] }];
    await leave(orderFor("consul-server-0"), new AbortController().signal, own);
    expect(lines[0]).toMatch(/^warning: broker-1-1: .*the login may not write/);
    expect(lines.at(-1)).toBe("consul-server-0 has left");
  });

  test("refuses while machines do not answer by ssh, names each of them, and nothing has left", async () => {
    await start();
    const { agents } = cluster;
    const serversFile = agents.serversFile.bind(agents);
    const silent = new Map([
      ["broker-1-1", sshFailure("10.0.1.7", "ssh: connect to host 10.0.1.7 port 22: Connection refused")],
      [
        "nomad-server-2-0",
        new SshFailure("timeout", "did not end in time: a command on 10.0.2.4, after 60 s"),
      ],
      ["broker-2-0", sshFailure("10.0.2.7", "admin@10.0.2.7: Permission denied (publickey).")],
    ]);
    agents.serversFile = (host, signal) => {
      const failed = silent.get(host);
      return failed ? Promise.reject(failed) : serversFile(host, signal);
    };
    const before = await world.members();
    expect(await failure(leave(orderFor("consul-server-0")))).toMatchInlineSnapshot(`
     "nothing has been done: no work may leave while this is so:
       nomad-server-2-0: its own list of Consul servers: did not end in time: a command on 10.0.2.4, after 60 s; see to it, since it may miss the successors of servers
       broker-1-1: its own list of Consul servers: cannot be reached by ssh: 10.0.1.7: ssh: connect to host 10.0.1.7 port 22: Connection refused; see that the machine runs and that ssh 10.0.1.7 works from here (ssh_config applies: ProxyJump, ProxyCommand); see to it, since it may miss the successors of servers
       broker-2-0: its own list of Consul servers: ssh is not let in: 10.0.2.7: admin@10.0.2.7: Permission denied (publickey); load the right key into ssh-agent, or name user and key in ssh_config; see to it, since it may miss the successors of servers"
    `);
    expect(await world.members()).toEqual(before);
    expect(before).toMatchObject({ "consul-server-0-0": "alive" });
  });

  test("refuses while one cannot be configured, and nothing has left", async () => {
    await start();
    spoil();
    expect(await failure(leave(orderFor("consul-server-0")))).toBe(
      "nothing has been done: no work may leave while this is so:\n  broker-1-1: its own list of Consul servers: Consul is not configured: broker-1-1: the login may not write (its file was not changed; a rerun does what is left); see to it, since it may miss the successors of servers",
    );
    expect(await world.members()).toMatchObject({ "consul-server-0-0": "alive" });
  });
});
