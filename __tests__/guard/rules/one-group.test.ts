import { expect, test } from "@jest/globals";
import { oneGroup } from "../../../guard/rules/one-group.js";
import {
  change,
  deployedAs,
  groupIn,
  nothing,
  poolOf,
  proposalOf,
  smallSpec,
  withGroup,
} from "../../support/fixtures.js";

const standing = deployedAs(smallSpec());
const changed = (...groups: readonly (0 | 1 | 2)[]): ReturnType<typeof smallSpec> =>
  change(smallSpec(), (spec) => {
    for (const index of groups) poolOf(spec, "broker").images[index] = "v2";
  });

test("accepts one pending group, and none", () => {
  expect(oneGroup(proposalOf(changed(), standing, "cluster"))).toEqual([]);
  expect(oneGroup(proposalOf(changed(1), standing, "broker-1"))).toEqual([]);
});

test("accepts a repair that was cut off beside a pending group, and refuses it with another template", () => {
  const { ready, ...lost } = { ...groupIn(standing, "broker-2"), hosts: [] };
  expect(ready).toBeDefined();
  const cut = { ...standing, groups: new Map(standing.groups).set("broker-2", lost) };
  expect(oneGroup(proposalOf(changed(1), cut, "broker-2"))).toEqual([]);
  const [violation] = oneGroup(proposalOf(changed(1, 2), cut, "broker-2"));
  expect(violation).toMatchObject({ rule: "one-group", subjects: ["broker-1", "broker-2"] });
});

test("accepts any number of groups that are new", () => {
  expect(oneGroup(proposalOf(changed(0, 1, 2), nothing(), "cluster"))).toEqual([]);
});

test("refuses two, whichever the view", () => {
  for (const view of ["cluster", "broker-0", "broker-1"]) {
    const [violation] = oneGroup(proposalOf(changed(0, 2), standing, view));
    expect(violation).toMatchObject({ rule: "one-group", subjects: ["broker-0", "broker-2"] });
  }
});

test("accepts two that queue, and two while protection is off", () => {
  const queued = change(changed(0, 1), (spec) => {
    spec.rollout.pendingGroups = "queue";
  });
  const open = change(changed(0, 1), (spec) => {
    spec.protection = "off";
  });
  expect(oneGroup(proposalOf(queued, standing, "broker-0"))).toEqual([]);
  expect(oneGroup(proposalOf(open, standing, "cluster"))).toEqual([]);
});

test("tells to set back the others, where one of them is in flight", () => {
  const inFlight = withGroup(standing, "broker-1", { leave: false });
  const [violation] = oneGroup(proposalOf(changed(0, 1), inFlight, "cluster"));
  expect(violation?.remedy).toBe(
    "set all but broker-1, which is in flight, back, or set rollout.pendingGroups: queue to roll them one after another",
  );
});
