import { expect, test } from "@jest/globals";
import { groupInFlight } from "../../../guard/rules/group-in-flight.js";
import { deployedAs, proposalOf, smallSpec, withGroup } from "../../support/fixtures.js";

const spec = smallSpec();
const standing = deployedAs(spec);
const closed = { hosts: "i-broker-1-0", hash: "x", gate: "closed" };

test("accepts any target while nothing is in flight", () => {
  expect(groupInFlight(proposalOf(spec, standing, "broker-0"))).toEqual([]);
});

test("accepts the group in flight itself, and the cluster view", () => {
  const deployed = withGroup(standing, "broker-1", { ready: closed });
  expect(groupInFlight(proposalOf(spec, deployed, "broker-1"))).toEqual([]);
  expect(groupInFlight(proposalOf(spec, deployed, "cluster"))).toEqual([]);
});

test("refuses any other target", () => {
  const deployed = withGroup(standing, "broker-1", { ready: closed });
  expect(groupInFlight(proposalOf(spec, deployed, "broker-0"))).toMatchObject([{ subjects: ["broker-1"] }]);
});

test("refuses the second in flight before the first, servers first", () => {
  const both = withGroup(withGroup(standing, "broker-1", { ready: closed }), "nomad-server-2", {
    leave: false,
  });
  expect(groupInFlight(proposalOf(spec, both, "broker-1"))).toMatchObject([{ subjects: ["nomad-server-2"] }]);
  expect(groupInFlight(proposalOf(spec, both, "nomad-server-2"))).toEqual([]);
});

test("refuses a target while a new group holds something tainted, which any view would replace", () => {
  const tainted = ["terraform_data.broker-2-0"];
  const half = withGroup(standing, "broker-2", { revisions: [], tainted });
  expect(groupInFlight(proposalOf(spec, half, "broker-0"))).toMatchObject([{ subjects: tainted }]);
  expect(groupInFlight(proposalOf(spec, half, "cluster"))).toEqual([]);
  const own = withGroup(standing, "broker-0", { revisions: [], tainted: ["terraform_data.broker-0-0"] });
  expect(groupInFlight(proposalOf(spec, own, "broker-0"))).toEqual([]);
  const healthy = withGroup(standing, "broker-2", { revisions: [] });
  expect(groupInFlight(proposalOf(spec, healthy, "broker-0"))).toEqual([]);
});

test("accepts the view of a Consul group that is to tell a machine whose config_consul failed", () => {
  const tainted = ["terraform_data.broker-1-0-config-consul"];
  const untold = withGroup(standing, "broker-1", { tainted });
  expect(groupInFlight(proposalOf(spec, untold, "consul-server-2"))).toEqual([]);
  expect(groupInFlight(proposalOf(spec, untold, "broker-1"))).toMatchObject([
    { subjects: ["consul-server-2"] },
  ]);
});
