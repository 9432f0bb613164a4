import { expect, test } from "@jest/globals";
import { judge } from "../../../program/typed/guard.js";
import { fixtureNames, readFixture, readFixtureFiles } from "../../guard/plan/plan-fixture.js";

const fixtures = fixtureNames.map(readFixture);

test.each(["accepted", "rejected"] as const)("a plan that is %s by the guard is so by texts alone", (how) => {
  const found = fixtures.filter(({ verdict }) => verdict === how).slice(0, 5);
  expect(found).toHaveLength(5);
  for (const { name, rules } of found) {
    const { plan, spec, state } = readFixtureFiles(name);
    const { verdict, violations } = judge(plan, { cluster: spec, state });
    expect({ name, verdict }).toEqual({ name, verdict: how });
    expect([...new Set(violations.map(({ rule }) => rule))]).toEqual([...rules]);
  }
});

test("an empty state is a cluster of which nothing stands", () => {
  const { plan, spec } = readFixtureFiles("no-op");
  const { violations } = judge(plan, { cluster: spec, state: "" });
  expect(violations.map(({ rule }) => rule)).toContain("base-revision");
});

test("refuses what is no plan, no cluster and no state, each by its name", () => {
  const { plan, spec, state } = readFixtureFiles("no-op");
  expect(() => judge("{}", { cluster: spec, state })).toThrow("not a plan: format_version is missing");
  expect(() => judge(plan, { cluster: "name: 1", state })).toThrow("the cluster");
  expect(() => judge(plan, { cluster: spec, state: "{" })).toThrow("the state");
});
