import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { rollOrder } from "../../../rollout/roll/order.js";
import { groupsOf } from "../../../cluster/groups.js";
import { change, localSpec } from "../../support/fixtures.js";

const spec = localSpec();
const ordered = (order: readonly string[]) =>
  change(spec, ({ rollout }) => {
    rollout.order = [...order];
  });
const names = (...args: Parameters<typeof rollOrder>): string => {
  const groups = rollOrder(...args).map(({ name }) => name);
  expect([...groups].sort()).toEqual(
    groupsOf(spec)
      .map(({ name }) => name)
      .sort(),
  );
  return groups.join(" ");
};
const NONE = { inFlight: [], leaders: [] };

test("Consul servers, Nomad servers, then client pools as they are written", () => {
  expect(names(spec, NONE)).toBe(
    "consul-server-0 consul-server-1 consul-server-2 nomad-server-0 nomad-server-1 nomad-server-2 name-server-0 name-server-1 name-server-2 broker-0 broker-1 broker-2",
  );
});

test("in a server pool the leader goes last; a client that somebody calls a leader keeps its place", () => {
  const leaders = ["consul-server-0", "nomad-server-1", "broker-0"];
  expect(names(spec, { inFlight: [], leaders })).toBe(
    "consul-server-1 consul-server-2 consul-server-0 nomad-server-0 nomad-server-2 nomad-server-1 name-server-0 name-server-1 name-server-2 broker-0 broker-1 broker-2",
  );
});

test("what rollout.order names goes first, a pool without those of its groups that are named", () => {
  expect(names(ordered(["broker-1", "nomad-server", "broker"]), NONE)).toBe(
    "broker-1 nomad-server-0 nomad-server-1 nomad-server-2 broker-0 broker-2 consul-server-0 consul-server-1 consul-server-2 name-server-0 name-server-1 name-server-2",
  );
  expect(names(ordered(["broker", "broker-1"]), NONE)).toMatch(/^broker-0 broker-2 broker-1 consul-server-0/);
});

test("a leader goes last in a pool that is named, and where it is named itself it keeps its place", () => {
  const leaders = ["nomad-server-0"];
  expect(names(ordered(["nomad-server"]), { inFlight: [], leaders })).toMatch(
    /^nomad-server-1 nomad-server-2 nomad-server-0 consul/,
  );
  expect(names(ordered(["nomad-server-0", "nomad-server"]), { inFlight: [], leaders })).toMatch(
    /^nomad-server-0 nomad-server-1 nomad-server-2 consul/,
  );
});

test("what is in flight goes before all, in the order in which it is to be finished", () => {
  const inFlight = ["nomad-server-2", "broker-1"];
  expect(names(ordered(["name-server"]), { inFlight, leaders: ["nomad-server-2"] })).toMatch(
    /^nomad-server-2 broker-1 name-server-0/,
  );
});

test("every group stands once, whatever is named", () => {
  const all = groupsOf(spec).map(({ name }) => name);
  const some = fc.subarray([...all, ...Object.keys(spec.pools)], { maxLength: 8 });
  fc.assert(
    fc.property(some, fc.subarray(all), fc.subarray(all), (order, inFlight, leaders) => {
      names(ordered(order), { inFlight, leaders });
    }),
  );
});
