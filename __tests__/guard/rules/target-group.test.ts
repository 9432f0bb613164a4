import { expect, test } from "@jest/globals";
import { targetGroup } from "../../../guard/rules/target-group.js";
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
  expect(targetGroup(proposal)).toEqual([]);
});

test("accepts new groups in the cluster view", () => {
  expect(targetGroup(proposalOf(spec, nothing(), "cluster"))).toEqual([]);
});

test("refuses a change of another group, and of a deployed one in the cluster view", () => {
  const body = { input: { image: "v9", instanceType: "small" }, triggers_replace: "a651fe3015" };
  for (const view of ["broker-1", "cluster"]) {
    const proposal = declaring(proposalOf(spec, standing, view), "terraform_data.broker-2-0", { body });
    expect(targetGroup(proposal)).toMatchObject([
      { rule: "target-group", subjects: ["terraform_data.broker-2-0"] },
    ]);
  }
});

test("refuses a new group in the view of another", () => {
  const base = proposalOf(spec, standing, "broker-0");
  const proposal = {
    ...base,
    changes: [{ address: "terraform_data.cache-0-0", group: "cache-0", action: "create" as const }],
  };
  expect(targetGroup(proposal)).toMatchObject([{ remedy: "new groups come by: cdktf deploy cluster" }]);
});
