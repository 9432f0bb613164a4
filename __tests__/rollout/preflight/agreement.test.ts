import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatFinding } from "../../../rollout/preflight/finding.js";
import { preflight } from "../../../rollout/preflight/preflight.js";
import type { ClusterGroup } from "../../../rollout/ready/expected.js";
import { readiness } from "../../../rollout/ready/readiness.js";
import { formatCondition } from "../../../rollout/ready/timeout.js";
import { roleOf } from "../../../cluster/groups.js";
import { isLong } from "../../support/long.js";
import { ALL, expecting, groupOfHost, known, observed, pick, replaced, type World } from "../observed.js";

const RUNS = { numRuns: isLong ? 20_000 : 1500, seed: 1 };

test("what preflight lets go can be ready again, and what it says never could be cannot", () => {
  let [passed, never] = [0, 0];
  fc.assert(
    fc.property(anyGroup, fc.array(anyEdit, { maxLength: 2 }), anyHidden, (group, edits, hidden) => {
      const before = observed(onAws, ...edits.map((edit) => edit(group)), hidden);
      const { refusals } = preflight(before, inputFor(group));
      const after = observed(onAws, ...edits.map((edit) => edit(group)), rolled(group), hidden);
      const gate = readiness(
        after,
        expecting(group, { hasMachines: true, hasLoadBalancer: group === "broker-0" }),
      );
      const unmet = gate.conditions.filter(({ status }) => status !== "met").map(formatCondition);
      if (refusals.length === 0) expect(unmet).toEqual([]);
      if (refusals.some(({ message }) => message.includes("with a new one"))) {
        never++;
        expect(unmet).not.toEqual([]);
      }
      if (refusals.length === 0) passed++;
    }),
    RUNS,
  );
  expect(passed).toBeGreaterThan(100);
  expect(never).toBeGreaterThan(50);
});

describe.each(["consul-server-0", "nomad-server-0"])("%s is refused before it leaves", (group) => {
  const kind = group.startsWith("consul") ? "consul" : "nomad";
  const refusalsOf = (...edits: readonly Edit[]): string[] =>
    preflight(observed(onAws, ...edits.map((edit) => edit(group))), inputFor(group)).refusals.map(
      formatFinding,
    );
  const whose = kind === "consul" ? "Consul" : "Nomad";
  const remedy = `wait until ${whose}'s 3 servers are whole, without any other (${kind} operator raft list-peers)`;

  test("refuses it beside a read replica, which never votes", () => {
    expect(refusalsOf(more("replica-0", false))).toEqual([
      `${group}: ${whose} tolerates no failure now: 3 of 4 peers vote in raft, 3 for autopilot; 3 are declared; of no group: replica-0; ${remedy}`,
    ]);
  });

  test("refuses it beside a peer that died and whose name another server has", () => {
    const raft =
      kind === "consul" ? "consul operator raft remove-peer -id" : "nomad operator raft remove-peer -peer-id";
    const name = kind === "consul" ? "consul-server-1-0" : "nomad-server-1-0.global";
    expect(refusalsOf(more(name, true, "raft"))).toEqual([
      `${group}: ${whose} tolerates no failure now: 4 of 4 peers vote in raft, 3 for autopilot; 3 are declared; raft alone knows a peer of ${name}: if this stays so: ${raft}=extra-id; ${remedy}`,
    ]);
  });

  test("what the roll itself mends speaks against nothing", () => {
    expect(refusalsOf(died, more("(unknown)", true, "raft"))).toEqual([]);
  });

  test("refuses it where its own agent is alive and no peer: a new one would be a fourth", () => {
    const stray: Edit = (of) => (world) => {
      const { raft, autopilot } = sideOf(of, world);
      const own = nameIn(of, `${of}-0`);
      for (const one of [...known(raft), ...known(autopilot).servers])
        if (one.name === own) one.name = "stray";
    };
    expect(refusalsOf(stray)).toEqual([
      `${group}: with a new one ${whose} would not be whole: 4 of 4 peers vote in raft, 4 for autopilot; 3 are declared; of no group: stray; ${remedy}`,
    ]);
  });

  test("an autopilot that knows another server than raft is waited for: it lags", () => {
    const found = preflight(
      observed(onAws, more("replica-0", false, "autopilot")(group)),
      inputFor(group),
    ).refusals;
    expect(found.map(({ passing }) => passing)).toEqual([true]);
  });
});

function onAws(world: World): void {
  world.machines = ALL.map((host) => ({ host, id: `i-${host}`, image: "ami-0aaa", state: "running" }));
  world.targets = ["broker-0-0", "broker-0-1"].map((host) => ({ host, state: "healthy" }));
}

type Edit = (group: string) => (world: World) => void;

const sideOf = (group: string, { consul, nomad }: World) => (group.startsWith("consul") ? consul : nomad);

/** A server more, known to raft, to autopilot, or to both. */
const more =
  (name: string, voter: boolean, to: "raft" | "autopilot" | "both" = "both"): Edit =>
  (group) =>
  (world) => {
    const { raft, autopilot } = sideOf(group, world);
    const extra = { id: "extra-id", name, voter, leader: false };
    if (to !== "autopilot") known(raft).push({ ...extra, address: "10.9.9.9:8300" });
    if (to !== "raft") known(autopilot).servers.push({ ...extra, healthy: true, stableSince: 0 });
  };

/** The group's own server is dead, as the others see it. */
const died: Edit = (group) => (world) => {
  if (group.startsWith("broker")) return;
  const side = sideOf(group, world);
  const autopilot = known(side.autopilot);
  pick<{ name: string; status: string }>(
    known<{ name: string; status: string }[]>(side.members),
    nameIn(group, `${group}-0`),
  ).status = "failed";
  autopilot.servers = autopilot.servers.filter(({ name }) => !name.startsWith(`${group}-0`));
  Object.assign(autopilot, { failureTolerance: 0 });
};

const change =
  (index: number, what: "unhealthy" | "no vote"): Edit =>
  (group) =>
  (world) => {
    const { raft, autopilot } = sideOf(group, world);
    const server = known(autopilot).servers[index];
    const peer = known(raft)[index];
    if (server && what === "unhealthy") server.healthy = false;
    if (server && peer && what === "no vote") [server.voter, peer.voter] = [false, false];
  };

/** What the roll does: the machines of the group go, from raft, too, and new ones of their names come. Autopilot takes note. */
const rolled = (group: string) => (world: World) => {
  const hosts = ALL.filter((host) => groupOfHost(host) === group);
  const side = sideOf(group, world);
  const wasDead = known<{ name: string; status: string }[]>(side.members).some(
    ({ name, status }) => name.startsWith(`${group}-0`) && status === "failed",
  );
  for (const host of hosts) {
    replaced(host)(world);
    Object.assign(pick(known(world.machines), host), { id: `i-new-${host}`, image: "ami-0bbb" });
    pick(world.consul.members, host).status = "alive";
  }
  if (group.startsWith("broker")) return;
  const name = nameIn(group, `${group}-0`);
  const isGone = (one: { name: string }): boolean =>
    one.name === name || (wasDead && one.name === "(unknown)");
  const autopilot = known(side.autopilot);
  const next = { id: "new-id", name, voter: true, leader: false };
  side.raft = [...known(side.raft).filter((one) => !isGone(one)), { ...next, address: "10.9.9.8:8300" }];
  autopilot.servers = [
    ...autopilot.servers.filter((one) => !isGone(one)),
    { ...next, healthy: true, stableSince: 0 },
  ];
  const [first] = side.raft.filter(({ voter }) => voter);
  if (first && !side.raft.some(({ leader }) => leader)) first.leader = true;
  const voters = autopilot.servers.filter(({ voter }) => voter);
  autopilot.healthy = autopilot.servers.every(({ healthy }) => healthy);
  autopilot.failureTolerance =
    voters.filter(({ healthy }) => healthy).length - (Math.floor(voters.length / 2) + 1);
  const self = pick(world.agents, `${group}-0`);
  if (group.startsWith("consul")) {
    self.consul = { nodeId: "new-id" };
    pick(world.consul.catalog, `${group}-0`).id = "new-id";
  } else {
    self.nomad = { id: "new-id" };
    Object.assign(pick(world.nomad.members, name), { id: "new-id", status: "alive" });
  }
};

const nameIn = (group: string, host: string): string => (group.startsWith("nomad") ? `${host}.global` : host);

const anyGroup = fc.constantFrom(
  "consul-server-0",
  "consul-server-1",
  "nomad-server-0",
  "nomad-server-2",
  "broker-0",
);

const anyEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("replica-0", "(unknown)", "consul-server-1-0", "nomad-server-2-0.global", "stray"),
      fc.boolean(),
      fc.constantFrom("raft", "autopilot", "both"),
    )
    .map((of) => more(...of)),
  fc.constant(died),
  fc.tuple(fc.nat(2), fc.constantFrom("unhealthy", "no vote")).map((of) => change(...of)),
);

/** What cannot be asked, before the roll and after it; at most one, so that each has to be refused for itself. */
const anyHidden = fc
  .tuple(fc.constantFrom("none", "none", "consul", "nomad", "machines", "targets"), fc.nat(20))
  .map(([part, at]) => (world: World) => {
    const unknown = { unknown: "it does not answer" };
    if (part === "machines" || part === "targets") world[part] = unknown;
    if (part !== "consul" && part !== "nomad") return;
    const keys = Object.keys(world[part]).filter(
      (key) => key !== "rights" && key !== "canTransferLeadership",
    );
    Object.assign(world[part], { [keys[at % keys.length] ?? ""]: unknown });
  });

function inputFor(group: string) {
  const stay = CLUSTER.find(({ name }) => name === group)?.hosts ?? [];
  return { ...{ group, servers: 3, stay, inFlight: [] }, workload: "moves" as const, cluster: CLUSTER };
}

const CLUSTER: readonly ClusterGroup[] = [...new Set(ALL.map(groupOfHost))].map((name) => {
  const pool = groupOfHost(name);
  return { name, pool, role: roleOf(pool), hosts: ALL.filter((host) => groupOfHost(host) === name) };
});
