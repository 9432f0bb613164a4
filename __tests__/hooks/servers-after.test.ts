import { expect, test } from "@jest/globals";
import { findGroup } from "../../cluster/find-group.js";
import { hookFileOf } from "../../cluster/hooks/hook-file.js";
import { serversAfter } from "../../hooks/leave.js";
import { change, deployedAs, groupIn, localSpec, nothing, poolOf, withGroup } from "../support/fixtures.js";

const three = localSpec();
const five = change(three, (spec) => {
  poolOf(spec, "consul-server").hosts = [2, 2, 1];
});

const after = (deployed = deployedAs(five), name = "consul-server-0", spec = five): number =>
  serversAfter(hookFileOf({ spec, deployed, specFolder: "." }), findGroup(spec, name));

test("there are to be five where five stand, and where nothing does", () => {
  expect(after()).toBe(5);
  expect(after(nothing())).toBe(5);
  expect(after(nothing(), "nomad-server-0")).toBe(3);
});

test("on the way from three to five there are four, and on the way back", () => {
  expect(after(deployedAs(three))).toBe(4);
  expect(after(deployedAs(three), "consul-server-2")).toBe(3);
  expect(after(deployedAs(five), "consul-server-1", three)).toBe(4);
});

test("servers that another group has lost count all the same", () => {
  const standing = deployedAs(five);
  const { hosts } = groupIn(standing, "consul-server-1");
  expect(after(withGroup(standing, "consul-server-1", { hosts: hosts.slice(0, 1) }))).toBe(5);
  const cut = { ...groupIn(standing, "consul-server-2"), ready: undefined, hosts: [] };
  const groups = new Map(standing.groups).set("consul-server-2", cut);
  expect(after({ ...standing, groups })).toBe(5);
});

test("servers that go for good count as long as they stand, since they go one after another", () => {
  const seven = change(three, (spec) => {
    poolOf(spec, "consul-server").hosts = [3, 2, 2];
  });
  const group = { ...findGroup(three, "consul-server-0"), numbers: [0, 1] };
  expect(serversAfter(hookFileOf({ spec: three, deployed: deployedAs(seven), specFolder: "." }), group)).toBe(
    6,
  );
});
