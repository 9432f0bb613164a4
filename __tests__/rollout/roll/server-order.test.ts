import { expect, test } from "@jest/globals";
import { serverOrder } from "../../../rollout/roll/server-order.js";
import { known, observed, pick } from "../observed.js";

const CONSUL = ["consul-server-0-0", "consul-server-1-0", "consul-server-2-0"];
const NOMAD = ["nomad-server-0-0", "nomad-server-1-0", "nomad-server-2-0"];

test("the leader goes last, of Nomad with the region behind its name", () => {
  expect(serverOrder(observed(), "consul-server", CONSUL)).toEqual([CONSUL[1], CONSUL[2], CONSUL[0]]);
  expect(serverOrder(observed(), "nomad-server", NOMAD)).toEqual([NOMAD[1], NOMAD[2], NOMAD[0]]);
});

test("one that has left or died is none that works", () => {
  const world = observed((one) => {
    pick(one.consul.members, "consul-server-2-0").status = "left";
    one.nomad.members = known(one.nomad.members).filter(({ name }) => name !== "nomad-server-2-0.global");
  });
  expect(serverOrder(world, "consul-server", CONSUL)).toEqual([CONSUL[1], CONSUL[0]]);
  expect(serverOrder(world, "nomad-server", NOMAD)).toEqual([NOMAD[1], NOMAD[0]]);
});

test("one that does not vote, or is not healthy, is none that works", () => {
  const world = observed((one) => {
    pick(one.consul.raft, "consul-server-1-0").voter = false;
    pick(known(one.nomad.autopilot).servers, "nomad-server-2-0.global").healthy = false;
  });
  expect(serverOrder(world, "consul-server", CONSUL)).toEqual([CONSUL[2], CONSUL[0]]);
  expect(serverOrder(world, "nomad-server", NOMAD)).toEqual([NOMAD[1], NOMAD[0]]);
});

test("where nobody answers they go by number", () => {
  const world = observed((one) => {
    one.consul.members = one.consul.raft = { unknown: "connection refused" };
  });
  expect(serverOrder(world, "consul-server", CONSUL)).toEqual(CONSUL);
});
