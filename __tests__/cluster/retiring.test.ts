import { expect, test } from "@jest/globals";
import type { Deployed } from "../../cluster/deployed.js";
import { inFlightOf, pendingGroups } from "../../cluster/pending.js";
import { emptiedPools, forgetBlocks, leftoversOf } from "../../cluster/retiring.js";
import { change, deployedAs, localSpec, poolOf, withGroup } from "../support/fixtures.js";

const spec = change(localSpec(), (edited) => {
  poolOf(edited, "broker").retire = "keep-volumes";
});
const standing = deployedAs(localSpec());
const BROKERS = ["broker-0", "broker-1", "broker-2"];

test("each group of a pool that retires is pending until it has no host", () => {
  const names = (deployed: Deployed): string[] => pendingGroups(spec, deployed).map(({ name }) => name);
  expect(names(standing)).toEqual(BROKERS);
  expect(names(without(standing, "broker-1"))).toEqual(["broker-0", "broker-2"]);
  expect(names(without(standing, ...BROKERS))).toEqual([]);
});

test("another template of a pool that retires makes no group pending", () => {
  const changed = change(spec, (edited) => {
    poolOf(edited, "broker").images = ["ami-0ccc", "ami-0ccc", "ami-0ccc"];
  });
  expect(pendingGroups(changed, without(standing, ...BROKERS))).toEqual([]);
});

test("a pool is empty once none of its groups has a host, and never one that stays", () => {
  const emptied = (deployed: Deployed, of = spec): string[] =>
    emptiedPools(of, deployed).map(({ name }) => name);
  expect(emptied(standing)).toEqual([]);
  expect(emptied(without(standing, "broker-0", "broker-1"))).toEqual([]);
  expect(emptied(without(standing, ...BROKERS))).toEqual(["broker"]);
  expect(emptied(without(standing, ...BROKERS), localSpec())).toEqual([]);
});

test("hosts that were taken out of the state by hand do not make a pool empty", () => {
  const { ready } = standing.groups.get("broker-2") ?? {};
  const byHand = withGroup(without(standing, ...BROKERS), "broker-2", ready ? { ready } : {});
  expect(emptiedPools(spec, byHand)).toEqual([]);
});

test("an old object that is still to be destroyed keeps a pool from being empty", () => {
  const deposed = withGroup(without(standing, ...BROKERS), "broker-2", {
    deposed: ["terraform_data.broker-2-0"],
  });
  expect(emptiedPools(spec, deposed)).toEqual([]);
});

test("what is left of an empty pool is in nobody's flight, also where its end was cut off", () => {
  const cut = withGroup(without(standing, ...BROKERS), "broker-0", { leave: false });
  expect(inFlightOf(spec, cut)).toEqual([]);
  expect(inFlightOf(localSpec(), cut).map(({ group }) => group)).toEqual(["broker-0"]);
});

test("its leftovers are its records, its load balancer and its data volumes", () => {
  const [leftovers] = leftoversOf(spec, without(standing, ...BROKERS));
  expect(leftovers?.pool).toBe("broker");
  expect(leftovers?.volumes).toHaveLength(9);
  const others = [...(leftovers?.addresses ?? [])].filter((address) => !address.endsWith("-data"));
  expect(others.sort()).toEqual(
    [
      ...BROKERS.map((name) => [`${name}-leave`, `${name}-ready`, `${name}-revision`]).flat(),
      "broker-load-balancer",
    ]
      .map((name) => `terraform_data.${name}`)
      .sort(),
  );
});

test("data volumes are let go of, and where the spec says so none is", () => {
  const deleting = change(spec, (edited) => {
    poolOf(edited, "broker").retire = "delete-volumes";
  });
  const deployed = without(standing, ...BROKERS);
  expect(forgetBlocks(leftoversOf(spec, deployed))[0]).toEqual({
    from: "terraform_data.broker-0-0-data",
    lifecycle: [{ destroy: false }],
  });
  expect(forgetBlocks(leftoversOf(deleting, deployed))).toEqual([]);
});

/** What is deployed once groups have been rolled to no host. */
function without(deployed: Deployed, ...groups: readonly string[]): Deployed {
  const emptied = groups.reduce(
    (before, name) =>
      withGroup(before, name, { hosts: [], ready: { hosts: "", hash: "gone", gate: "open" } }),
    deployed,
  );
  const isOfHost = (address: string): boolean =>
    groups.some((name) => new RegExp(`\\.${name}-\\d+(-|$)`).test(address)) && !address.endsWith("-data");
  return {
    ...emptied,
    addresses: new Set([...emptied.addresses].filter((address) => !isOfHost(address))),
  };
}
