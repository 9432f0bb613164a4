import { expect, test } from "@jest/globals";
import { offeredViews } from "../../../rollout/roll/views.js";
import type { Deployed } from "../../../cluster/deployed.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import {
  change,
  deployedAs,
  localSpec,
  nothing,
  poolOf,
  withGroup,
  withoutAddresses,
  withoutPool,
} from "../../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);
const queued = change(local, (spec) => {
  spec.rollout.pendingGroups = "queue";
  spec.pools["nomad-server"].images[2] = "ami-0bbb";
  poolOf(spec, "broker").images[1] = "ami-0bbb";
  poolOf(spec, "broker").hosts = [4, 3, 3];
});

test("offers the cluster alone where nothing is pending", () => {
  expect(offeredViews(local, standing)).toEqual(["cluster"]);
  expect(offeredViews(local, nothing())).toEqual(["cluster"]);
});

test("offers a view for each pending group, in the rollout's order", () => {
  expect(offeredViews(queued, standing)).toEqual(["cluster", "nomad-server-2", "broker-0", "broker-1"]);
});

test("offers while a group is in flight its view alone, servers first", () => {
  const one = withGroup(standing, "broker-2", { leave: false });
  expect(offeredViews(queued, one)).toEqual(["cluster", "broker-2"]);
  const two = withGroup(one, "consul-server-0", { leave: false });
  expect(offeredViews(queued, two)).toEqual(["cluster", "consul-server-0"]);
});

test("offers what is asked for, besides", () => {
  expect(offeredViews(local, standing, "name-server-1")).toEqual(["cluster", "name-server-1"]);
  expect(offeredViews(queued, standing, "broker-1")).toEqual([
    "cluster",
    "nomad-server-2",
    "broker-0",
    "broker-1",
  ]);
  const inFlight = withGroup(standing, "broker-2", { leave: false });
  expect(offeredViews(queued, inFlight, "broker-0")).toEqual(["cluster", "broker-2", "broker-0"]);
});

test("takes an empty request and the cluster for none", () => {
  expect(offeredViews(local, standing, "")).toEqual(["cluster"]);
  expect(offeredViews(local, standing, "cluster")).toEqual(["cluster"]);
});

test("offers with protection off the cluster alone, whatever is pending or in flight", () => {
  const inFlight = withGroup(standing, "broker-2", { leave: false });
  expect(offeredViews(off(queued), inFlight)).toEqual(["cluster"]);
});

test("offers a group in flight whose pool is gone from the spec: the cluster view says why not", () => {
  const spec = change(local, (edited) => {
    edited.pools = withoutPool(edited, "broker");
  });
  const inFlight = withGroup(standing, "broker-2", { leave: false });
  expect(offeredViews(spec, inFlight)).toEqual(["cluster", "broker-2"]);
});

test("refuses a group with protection off", () => {
  expect(refused(off(local), standing, "broker-0")).toMatchInlineSnapshot(
    `"protection is off and nothing would be drained, so broker-0 has no view; first: set protection: on in the spec"`,
  );
});

test("refuses a group that is new", () => {
  const spec = change(local, (edited) => {
    Object.assign(edited.pools, { cache: poolOf(edited, "name-server") });
  });
  expect(refused(spec, standing, "cache-1")).toMatchInlineSnapshot(
    `"cache-1 is new and has never stood, so cache-1 has no view; first: npx rollout deploy cluster"`,
  );
  const created = withoutAddresses(
    withGroup(standing, "broker-1", { revisions: [] }),
    "terraform_data.broker-1-revision",
  );
  expect(refused(local, created, "broker-1")).toMatchInlineSnapshot(
    `"broker-1 is new and has never stood, so broker-1 has no view; first: npx rollout deploy cluster"`,
  );
});

test("refuses a group that there is not", () => {
  expect(refused(local, standing, "brokr-1")).toMatchInlineSnapshot(
    `"no pool "brokr"; did you mean broker? pools: consul-server, nomad-server, name-server, broker, each with the groups 0, 1 and 2"`,
  );
  expect(refused(local, standing, "broker")).toMatchInlineSnapshot(
    `""broker" is a pool; name one of its groups: broker-0, broker-1, broker-2"`,
  );
});

const off = (spec: Spec): Spec =>
  change(spec, (edited) => {
    edited.protection = "off";
  });

function refused(spec: Spec, deployed: Deployed, requested: string): string {
  try {
    offeredViews(spec, deployed, requested);
  } catch (error) {
    expect(error).toMatchObject({ name: "UserError", exitCode: 2 });
    return (error as Error).message;
  }
  throw new Error(`${requested} was not refused`);
}
