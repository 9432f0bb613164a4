import { describe, expect, test } from "@jest/globals";
import { formatFinding } from "../../../rollout/preflight/finding.js";
import { goesOn, objectionsOf } from "../../../rollout/preflight/pool.js";
import { BROKERS, groupOfHost, known, NEW, observed, OLD, pick, replaced, type World } from "../observed.js";

const group = { name: "broker-0", pool: "broker", role: "client", image: "ami-0bbb", hash: NEW } as const;
const hosts = ["broker-0-0", "broker-0-1"];

describe("the pool of a group is asked whether that may leave", () => {
  const asks = (
    world: World,
    more: { readonly image?: string; readonly hash?: string } = {},
    images = ["ami-0aaa"],
    batch: Parameters<typeof goesOn>[3] = {},
  ) => !goesOn(world, { ...group, ...more }, { hosts, images }, batch);

  test("while the group is as it was rolled last, also where its machines are only made anew", () => {
    expect(asks(observed())).toBe(true);
    expect(asks(observed(), { image: "ami-0aaa" }, ["ami-0aaa"])).toBe(true);
  });

  test("where it only shrinks or retires, which leaves its template as it is", () => {
    expect(asks(observed(), { image: "ami-0aaa", hash: OLD })).toBe(true);
  });

  test.each<[string, (world: World) => void]>([
    ["is ineligible", (one) => void (pick(one.nomad.nodes, "broker-0-1-node").eligibility = "ineligible")],
    ["drains", (one) => void (pick(one.nomad.nodes, "broker-0-1-node").drain = { deadlineAt: null })],
    ["is down", (one) => void (pick(one.nomad.nodes, "broker-0-1-node").status = "down")],
    ["has left Consul", (one) => void (pick(one.consul.members, "broker-0-1").status = "left")],
    ["leaves the load balancer", (one) => void (one.targets = [{ host: "broker-0-0", state: "draining" }])],
    [
      "was ended",
      (one) =>
        void (one.machines = [{ host: "broker-0-0", id: "i-0a", image: "ami-0aaa", state: "terminated" }]),
    ],
    ["is new already", replaced("broker-0-0")],
  ])("and not once one of its machines %s", (_, edit) => {
    expect(asks(observed(edit))).toBe(false);
  });

  test("nor where it goes back to an image that it has run", () => {
    expect(asks(observed(), { image: "ami-0999" }, ["ami-0999", "ami-0aaa"])).toBe(false);
  });

  test("nor for the batches of an undo, and for those of a roll it is", () => {
    // One was made anew from the image that all have, so nothing in Consul tells an undo from another roll.
    const world = observed(
      (one) => void (pick(one.consul.catalog, "broker-0-0").meta["rollout_template_hash"] = NEW),
    );
    const batch = { inBatches: true, inFlight: 1 };
    expect(asks(world, { image: "ami-0aaa" }, ["ami-0aaa"], batch)).toBe(true);
    expect(asks(world, { image: "ami-0aaa" }, ["ami-0aaa"], { ...batch, goesBack: true })).toBe(false);
  });

  test("nor where it is in flight, or runs what was never proven: whatever comes then mends it", () => {
    expect(asks(observed(), {}, ["ami-0aaa"], { inFlight: 1 })).toBe(false);
    expect(asks(observed(), {}, ["ami-0999"])).toBe(false);
  });

  describe("between two batches, in whatever run", () => {
    const BATCH = { inBatches: true, inFlight: 1 };
    const between = (one: World): void => {
      replaced("broker-0-0")(one);
      pick(one.nomad.nodes, "broker-0-1-node").eligibility = "ineligible";
    };

    test("before the next leaves, whose machines await it without new work", () => {
      expect(asks(observed(between), {}, ["ami-0aaa"], BATCH)).toBe(true);
    });

    test("and not of machines that go all at once", () => {
      expect(asks(observed(between), {}, ["ami-0aaa"], { inFlight: 1 })).toBe(false);
    });

    test.each<[string, (world: World) => void]>([
      ["drains", (one) => void (pick(one.nomad.nodes, "broker-0-1-node").drain = { deadlineAt: null })],
      [
        "has been drained",
        (one) => {
          const node = pick(one.nomad.nodes, "broker-0-1-node");
          node.lastDrain = { status: "complete" };
          node.events.push({ at: one.at, message: "Node drain complete", deadlineReached: false });
        },
      ],
      ["leaves the load balancer", (one) => void (one.targets = [{ host: "broker-0-1", state: "draining" }])],
      ["is down", (one) => void (pick(one.nomad.nodes, "broker-0-1-node").status = "down")],
      ["has left Consul", (one) => void (pick(one.consul.members, "broker-0-1").status = "left")],
    ])("nor once one of the next %s", (_, edit) => {
      expect(asks(observed(between, edit), {}, ["ami-0aaa"], BATCH)).toBe(false);
    });

    test("a machine of a later batch and one that was replaced before do not count as begun", () => {
      const three = (one: World): void => {
        const dead = { ...pick(one.nomad.nodes, "broker-0-1-node"), id: "before", status: "down" as const };
        known(one.nomad.nodes).push({ ...dead, drain: { deadlineAt: null } });
        one.targets = [{ host: "broker-0-0", state: "draining" }];
      };
      expect(asks(observed(between, three), {}, ["ami-0aaa"], BATCH)).toBe(true);
      const drains = (one: World): void =>
        void (pick(one.nomad.nodes, "broker-0-1-node").drain = { deadlineAt: null });
      const later = { ...BATCH, laterHosts: ["broker-0-1"] };
      expect(asks(observed(between, drains), {}, ["ami-0aaa"], later)).toBe(true);
    });

    test("nor where the rest goes back, or runs what was never proven", () => {
      expect(asks(observed(between), { image: "ami-0aaa" }, ["ami-0aaa"], BATCH)).toBe(false);
      expect(asks(observed(between), {}, ["ami-0999"], BATCH)).toBe(false);
    });
  });
});

describe("what a pool has against it", () => {
  const groups = ["broker-0", "broker-1", "broker-2"].map((name) => ({
    ...{ name, pool: "broker", role: "client" as const },
    hosts: BROKERS.filter((host) => groupOfHost(host) === name),
  }));
  const answer = { name: "in-sync", host: "broker-1-0", passed: false, value: "3000 messages behind" };
  const said = (world: World, ...answers: readonly (typeof answer)[]): string =>
    objectionsOf(world, group, groups, answers).map(formatFinding).join("\n");

  test("is nothing while all answers pass and the others' services do, whatever its own are", () => {
    const own = observed((one) => {
      const [check] = known(one.consul.health);
      if (check)
        known(one.consul.health).push({ ...check, node: "broker-0-0", id: "web", status: "critical" });
    });
    expect(said(own, { ...answer, passed: true })).toBe("");
  });

  test("refuses with each check that fails and each service of another group, at once", () => {
    const world = observed((one) => {
      known(one.consul.health).push({
        node: "broker-2-0",
        id: "web-http",
        service: "web",
        status: "critical",
      });
    });
    expect(said(world, answer, { ...answer, host: "broker-0-1" })).toMatchInlineSnapshot(`
     "broker: broker-2-0: web (web-http) is critical; see to it before broker-0 leaves
     broker-1-0: check in-sync: 3000 messages behind; see to it before broker-0 leaves, and try it: npx rollout checks broker; or give the check when: after
     broker-0-1: check in-sync: 3000 messages behind; see to it before broker-0 leaves, and try it: npx rollout checks broker; or give the check when: after"
    `);
  });
});
