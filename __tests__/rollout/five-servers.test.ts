import { describe, expect, test } from "@jest/globals";
import { nextLeave } from "../../rollout/leave/next-leave.js";
import type { LeaveOrder } from "../../rollout/leave/order.js";
import { formatFinding } from "../../rollout/preflight/finding.js";
import { preflight } from "../../rollout/preflight/preflight.js";
import type { ClusterGroup } from "../../rollout/ready/expected.js";
import { readiness } from "../../rollout/ready/readiness.js";
import { formatCondition } from "../../rollout/ready/timeout.js";
import { listObjection } from "../../rollout/server-lists.js";
import { expecting, known, observed, orderOf, pick, START, type World } from "./observed.js";

const HOSTS = ["consul-server-0-0", "consul-server-0-1"];
const ORDER = orderOf("consul-server-0", { servers: 5, stay: HOSTS, hosts: HOSTS });

describe("the gate of a group of two", () => {
  const unmet = (world: World, servers = 5, hosts = HOSTS): string[] =>
    readiness(world, expecting("consul-server-0", { servers, hosts, hash: "0000000001", image: "ami-0aaa" }))
      .conditions.filter(({ status }) => status !== "met")
      .map(formatCondition);

  test("is passed with five voters of which two may fail", () => {
    expect(unmet(fiveServers())).toEqual([]);
  });

  test("is not passed with four where five are declared, nor with five where four are", () => {
    expect(unmet(fiveServers(gone("consul-server-1-1")))).toMatchInlineSnapshot(`
     [
       "voters (4 of 5): 4 of 4 peers vote in raft, 4 for autopilot; 5 are declared",
       "servers-stable (4 of 5): 4 of 5 servers are healthy",
     ]
    `);
    expect(unmet(fiveServers(), 4)).toHaveLength(2);
  });

  test("is passed with four on the way from three to five, of which one may fail", () => {
    expect(unmet(fiveServers(gone("consul-server-1-1"), tolerates(1)), 4)).toEqual([]);
  });

  test("says how many of the others may fail, where these are too few", () => {
    expect(unmet(fiveServers(tolerates(1)))).toMatchInlineSnapshot(`
     [
       "failure-tolerance (1): 1 of 2 other servers may fail",
     ]
    `);
    expect(unmet(fiveServers(tolerates(0)))).toMatchInlineSnapshot(`
     [
       "failure-tolerance (0): no other server may fail",
     ]
    `);
  });
});

describe("the leave of a group of two", () => {
  test("is none of a server that votes while its neighbour is new and does not, whoever has it go", () => {
    const isNew = (one: World): void => {
      pick(one.consul.catalog, "consul-server-0-0").meta = { rollout_template_hash: ORDER.hash };
      pick(one.consul.raft, "consul-server-0-0").voter = false;
    };
    expect(nextLeave(fiveServers(kept, isNew), ORDER)).toMatchObject({
      kind: "step",
      step: {
        message:
          "waiting until the other Consul servers are healthy voters, so that consul-server-0-1 may go",
        remaining: ["consul-server-0-0, of the same group, is no healthy voter"],
      },
    });
  });

  test("is that of the one that does not wait", () => {
    const world = fiveServers(kept);
    expect(steps(world, { laterHosts: ["consul-server-0-0"] })).toEqual(["consul-server-0-1 leaves Consul"]);
    expect(steps(world, { laterHosts: ["consul-server-0-1"] })).toEqual([
      "consul-server-0-0 hands the leadership of Consul over to consul-server-1-0",
    ]);
  });

  test("refuses a server while another group's is dead, and where the others are no majority of five", () => {
    const order = { laterHosts: ["consul-server-0-0"] };
    expect(steps(fiveServers(kept, dead("consul-server-2-0")), order)).toMatchInlineSnapshot(`
     [
       "consul-server-0-1: may not go: consul-server-2-0, another voter of Consul, is failed; bring that server back, or remove its peer if it is gone for good, and wait until Consul has 3 other healthy voters",
     ]
    `);
    const few = fiveServers(kept, gone("consul-server-1-1"), gone("consul-server-2-0"));
    expect(steps(few, order)).toMatchInlineSnapshot(`
     [
       "consul-server-0-1: may not go: Consul has 2 other voters (consul-server-0-0, consul-server-1-0), a majority of 5 needs 3; wait until the other servers vote (consul operator raft list-peers)",
     ]
    `);
  });

  test("does not wait for its neighbour where both are dead, as where a zone is lost", () => {
    const world = fiveServers(
      kept,
      dead("consul-server-0-0"),
      dead("consul-server-0-1"),
      leads("consul-server-1-0"),
    );
    const removed = "the peer of consul-server-0-0, which is failed, is removed from Consul's raft";
    expect(steps(world)).toEqual([removed]);
    expect(steps(world, { laterHosts: ["consul-server-0-1"] })).toEqual([removed]);
  });

  test("takes the one away that is too many, and leaves the other where it is", () => {
    const world = fiveServers(kept);
    const order = { servers: 4, hash: "0000000001", stay: ["consul-server-0-0"] };
    expect(steps(world, order)).toEqual(["consul-server-0-1 leaves Consul"]);
  });
});

describe("the preflight of a group of two", () => {
  test("lets it go where five servers are whole", () => {
    expect(refused(fiveServers())).toEqual([]);
  });

  test("refuses it while one of another group does not vote, and says of how many", () => {
    expect(refused(fiveServers(mute("consul-server-1-0")))).toMatchInlineSnapshot(`
     [
       "consul-server-0: Consul is not whole now: 4 of 5 peers vote in raft, 4 for autopilot; 5 are declared; wait until Consul's 5 servers are whole, without any other (consul operator raft list-peers)",
     ]
    `);
  });

  test("lets it go on where one of its own is dead or gone: that is what its roll mends", () => {
    expect(refused(fiveServers(dead("consul-server-0-1")))).toEqual([]);
    const left = fiveServers(dead("consul-server-0-1"), gone("consul-server-0-1"));
    expect(refused(left, { hosts: ["consul-server-0-0"] })).toEqual([]);
    // The state has lost it, and Consul has not seen to its peer.
    expect(refused(fiveServers(dead("consul-server-0-1")), { hosts: ["consul-server-0-0"] })).toEqual([]);
  });

  test("lets it become one of two, and one of one", () => {
    const three = observed();
    expect(refused(three, { hosts: ["consul-server-0-0"], servers: 4, others: 1 })).toEqual([]);
    expect(refused(fiveServers(), { stay: ["consul-server-0-0"], servers: 4 })).toEqual([]);
  });
});

test("a list may name more servers than there are while one is missing, of as many as the spec says", () => {
  const servers = ["10.0.0.1", "10.0.1.1", "10.0.2.1", "10.9.9.9"];
  const world = observed();
  expect(listObjection({ host: "broker-0-0", servers }, world)).toHaveProperty("unmet");
  expect(listObjection({ host: "broker-0-0", servers }, { ...world, consulServers: 5 })).toBeUndefined();
});

/** With a second server in the groups 0 and 1. */
function fiveServers(...edits: readonly ((world: World) => void)[]): World {
  return observed(
    (world) => {
      const { members, catalog, raft, autopilot } = world.consul;
      for (const group of [0, 1]) {
        const [from, name] = [`consul-server-${String(group)}-0`, `consul-server-${String(group)}-1`];
        const [id, address] = [`${name}-id`, `10.8.${String(group)}.1`];
        known(members).push({ name, address, status: "alive" });
        const node = structuredClone(pick(catalog, from));
        node.meta["rollout_host"] = name;
        known(catalog).push({ ...node, name, address });
        known(raft).push({ id, name, address: `${address}:8300`, voter: true, leader: false });
        known(autopilot).servers.push({
          id,
          name,
          voter: true,
          leader: false,
          healthy: true,
          stableSince: START,
        });
        known(world.consul.health).push({ node: name, id: "serfHealth", service: "", status: "passing" });
        world.agents.push({ host: name, consul: { nodeId: id }, nomad: { id } });
      }
      // The gate looks for the id that the catalog has; the servers' is that of raft.
      for (const node of known(catalog))
        if (node.name.startsWith("consul-server")) node.id = `${node.name}-id`;
      known(autopilot).failureTolerance = 2;
    },
    ...edits,
  );
}

const gone =
  (name: string) =>
  ({ consul }: World) => {
    consul.raft = known(consul.raft).filter((peer) => peer.name !== name);
    known(consul.autopilot).servers = known(consul.autopilot).servers.filter(
      (server) => server.name !== name,
    );
  };

const dead = (name: string) => (world: World) => {
  pick(world.consul.members, name).status = "failed";
  pick(known(world.consul.autopilot).servers, name).healthy = false;
  pick(world.agents, name).consul = "stopped";
};

const mute =
  (name: string) =>
  ({ consul }: World) => {
    pick(known(consul.autopilot).servers, name).voter = pick(consul.raft, name).voter = false;
  };

const leads =
  (name: string) =>
  ({ consul }: World) => {
    for (const peer of known(consul.raft)) peer.leader = peer.name === name;
  };

const tolerates =
  (failures: number) =>
  ({ consul }: World) => {
    known(consul.autopilot).failureTolerance = failures;
  };

const kept = (world: World): void => {
  world.snapshotAt = world.at;
};

/** What comes next, or why nothing does. */
function steps(world: World, more: Partial<LeaveOrder> = {}): string[] {
  const next = nextLeave(world, { ...ORDER, ...more });
  if (next.kind === "step") return [next.step.message];
  return next.kind === "blocked" ? next.findings.map(formatFinding) : [next.kind];
}

interface Group {
  readonly hosts?: readonly string[];
  readonly stay?: readonly string[];
  readonly servers?: number;
  /** How many servers the group 1 has. */
  readonly others?: number;
}

function refused(
  world: World,
  { hosts = HOSTS, stay = HOSTS, servers = 5, others = 2 }: Group = {},
): string[] {
  const pool = "consul-server";
  const group = (index: number, hosts: readonly string[]): ClusterGroup => ({
    name: `${pool}-${String(index)}`,
    pool,
    role: pool,
    hosts,
  });
  const second = ["consul-server-1-0", "consul-server-1-1"].slice(0, others);
  const cluster = [group(0, hosts), group(1, second), group(2, ["consul-server-2-0"])];
  const input = { group: "consul-server-0", servers, stay, cluster, inFlight: [] };
  return preflight(world, { ...input, workload: "moves" }).refusals.map(formatFinding);
}
