import { readdirSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { otherGroup } from "../../../guard/rules/other-group.js";
import { formatViolation, RULE_IDS } from "../../../guard/verdict.js";
import {
  change,
  declaring,
  deployedAs,
  nothing,
  poolOf,
  proposalOf,
  smallSpec,
} from "../../support/fixtures.js";

const standing = deployedAs(smallSpec());
const spec = change(smallSpec(), (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});

test("accepts changes of the group that the view is for", () => {
  const proposal = proposalOf(spec, standing, "broker-0");
  expect(proposal.changes).toMatchObject([{ address: "terraform_data.broker-0-0", action: "replace" }]);
  expect(otherGroup(proposal)).toEqual([]);
});

test("accepts new groups in the cluster view", () => {
  expect(otherGroup(proposalOf(spec, nothing(), "cluster"))).toEqual([]);
});

test("refuses a change of another group, and of a deployed one in the cluster view", () => {
  const body = { input: { image: "v9", instanceType: "small" }, triggers_replace: "a651fe3015" };
  for (const view of ["broker-1", "cluster"]) {
    const proposal = declaring(proposalOf(spec, standing, view), "terraform_data.broker-2-0", { body });
    const violations = otherGroup(proposal);
    expect(violations).toMatchObject([{ rule: "target-group", subjects: ["terraform_data.broker-2-0"] }]);
    expect(violations.map(formatViolation)).toEqual([
      `target-group: broker-2 would change in the view ${view}: terraform_data.broker-2-0 (v1 -> v9); declare broker-2 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view`,
    ]);
  }
});

test("refuses a new group in the view of another", () => {
  const base = proposalOf(spec, standing, "broker-0");
  const proposal = {
    ...base,
    changes: [{ address: "terraform_data.cache-0-0", group: "cache-0", action: "create" as const }],
  };
  expect(otherGroup(proposal)).toMatchObject([{ remedy: "new groups come by: npx rollout deploy cluster" }]);
});

test("its id stays as it is published; every other rule is called as its file is", () => {
  const files = readdirSync(new URL("../../../guard/rules", import.meta.url)).map((file) =>
    file.replace(/\.ts$/, ""),
  );
  const ids = files.map((file) => (file === "other-group" ? "target-group" : file));
  expect(ids.sort()).toEqual([...RULE_IDS].sort());
});
