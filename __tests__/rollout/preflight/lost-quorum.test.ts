import { expect, test } from "@jest/globals";
import { describeLost, lostQuorum } from "../../../rollout/preflight/lost-quorum.js";
import { roleOf, type Role } from "../../../cluster/groups.js";
import { withoutRegion } from "../../../rollout/observation/host-of.js";
import { ALL, groupOfHost, known, observed, type World } from "../observed.js";

const GROUPS = [...new Set(ALL.map(groupOfHost))].map((name) => {
  const pool = groupOfHost(name);
  return { name, pool, role: roleOf(pool), hosts: ALL.filter((host) => groupOfHost(host) === name) };
});

const KINDS = ["consul", "nomad"] as const;
type Kind = (typeof KINDS)[number];
type Edit = (world: World) => void;

const host = (kind: Kind, index: number): string => `${kind}-server-${String(index)}-0`;

const dead =
  (kind: Kind, ...indices: readonly number[]): Edit =>
  (world) => {
    for (const member of known(world[kind].members))
      if (indices.some((index) => withoutRegion(member.name) === host(kind, index))) member.status = "failed";
  };

/** Nothing lives of these machines, whoever is asked. */
const gone =
  (kind: Kind, ...indices: readonly number[]): Edit =>
  (world) => {
    dead(kind, ...indices)(world);
    for (const member of known(world.consul.members))
      if (indices.some((index) => member.name === host(kind, index))) member.status = "failed";
  };

/** What `peers.json` makes of raft. */
const alone =
  (kind: Kind, index: number): Edit =>
  (world) => {
    const { raft } = world[kind];
    world[kind].raft = known(raft)
      .filter(({ name }) => withoutRegion(name) === host(kind, index))
      .map((peer) => ({ ...peer, leader: true }));
  };

const seen = (role: Role, ...edits: readonly Edit[]): string | undefined => {
  const lost = lostQuorum(observed(...edits), role, { name: "demo", groups: GROUPS });
  return lost && describeLost(lost, `${role}-0`, (names) => `forget ${names.join(" ")}`);
};

test.each(KINDS)(
  "most %s servers that are not alive keep every one from its roll, and the page is named",
  (kind) => {
    const unit = kind;
    expect(seen(`${kind}-server`, dead(kind, 0, 1))).toBe(
      `${kind}-server-0 is not rolled: 2 of 3 ${kind === "consul" ? "Consul" : "Nomad"} servers are not alive (${host(kind, 0)} is failed, ${host(kind, 1)} is failed), and a majority has to be; where their machines still stand: sudo systemctl start ${unit} on ${host(kind, 0)}, and sudo systemctl start ${unit} on ${host(kind, 1)}; where they are gone for good, make ${host(kind, 2)} the only peer, as docs/how-to/11-quorum-is-lost.md says, and run this again`,
    );
  },
);

test.each(KINDS)("once raft of %s counts none of them, their groups are created anew together", (kind) => {
  expect(seen(`${kind}-server`, gone(kind, 0, 1), alone(kind, 2))).toMatch(
    new RegExp(
      `and each would wait for the others; where their machines are gone for good, ${kind}-server-0 and ${kind}-server-1 are created anew together, as docs/how-to/11-quorum-is-lost.md says: forget ${kind}-server-0 ${kind}-server-1$`,
    ),
  );
});

test("nothing is created anew before a leader stands that counts on none of them, or where the cluster may be another", () => {
  const page = /make consul-server-2-0 the only peer/;
  const both = dead("consul", 0, 1);
  // A leader that has died is named for some seconds by the others.
  expect(seen("consul-server", both)).toMatch(page);
  const follower: Edit = (world) => {
    for (const peer of known(world.consul.raft)) peer.leader = false;
  };
  expect(seen("consul-server", both, alone("consul", 2), follower)).toMatch(page);
  const stranger: Edit = (world) => {
    for (const node of known(world.consul.catalog)) node.meta = { rollout_cluster: "other" };
  };
  expect(seen("consul-server", both, alone("consul", 2), stranger)).toMatch(page);
  const unknown: Edit = (world) => {
    world.consul.raft = { unknown: "500 No cluster leader" };
  };
  expect(seen("consul-server", both, unknown)).toMatch(page);
});

test("nothing is created anew whose machine still stands, or of a Nomad that may be another cluster's", () => {
  const still = /where their machines still stand: sudo systemctl start nomad on nomad-server-0-0/;
  expect(seen("nomad-server", dead("nomad", 0, 1), alone("nomad", 2))).toMatch(still);
  const running: Edit = (world) => {
    world.machines = [0, 1].map((index) => ({
      host: host("nomad", index),
      id: `i-0${String(index)}`,
      image: "ami-0aaa",
      state: "running",
    }));
  };
  expect(seen("nomad-server", gone("nomad", 0, 1), alone("nomad", 2), running)).toMatch(still);
  const stranger: Edit = (world) => {
    for (const node of known(world.nomad.nodes)) node.meta = { rollout_cluster: "other" };
    for (const member of known(world.nomad.members)) member.address = "10.9.9.9";
  };
  expect(seen("nomad-server", gone("nomad", 0, 1), alone("nomad", 2), stranger)).toMatch(still);
});

test("of five servers the group that is gone whole is created anew, and one of which some are alive is mended after that", () => {
  const hosts = (index: number): string[] =>
    Array.from({ length: index < 2 ? 2 : 1 }, (_, at) => `consul-server-${String(index)}-${String(at)}`);
  const five = [0, 1, 2].map((index) => {
    const name = `consul-server-${String(index)}`;
    return { name, pool: "consul-server", role: "consul-server", hosts: hosts(index) } as const;
  });
  const names = ["consul-server-0-0", "consul-server-0-1", "consul-server-1-0"];
  const observation = observed((world) => {
    const [member] = known(world.consul.members);
    const [peer] = known(world.consul.raft);
    if (!member || !peer) throw new Error("nobody is there");
    world.consul.members = five.flatMap((group) =>
      group.hosts.map((name) => ({
        ...member,
        name,
        status: names.includes(name) ? ("failed" as const) : ("alive" as const),
      })),
    );
    world.consul.raft = ["consul-server-1-1", "consul-server-2-0"].map((name, at) => ({
      ...peer,
      name,
      leader: at === 0,
    }));
  });
  expect(lostQuorum(observation, "consul-server", { name: "demo", groups: five })?.anew).toEqual([
    "consul-server-0",
  ]);
});

test("nothing is said while most are alive, where nobody knows, of a cluster that nobody of is seen, or for clients", () => {
  expect(seen("consul-server", dead("consul", 0))).toBeUndefined();
  expect(seen("nomad-server", dead("consul", 0, 1))).toBeUndefined();
  expect(seen("client", dead("consul", 0, 1))).toBeUndefined();
  expect(seen("consul-server", dead("consul", 0, 1, 2))).toBeUndefined();
  const silent: Edit = (world) => {
    world.consul.members = { unknown: "connection refused" };
  };
  expect(seen("consul-server", silent)).toBeUndefined();
});
