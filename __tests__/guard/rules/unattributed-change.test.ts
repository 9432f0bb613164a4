import { expect, test } from "@jest/globals";
import { unattributedChange } from "../../../guard/rules/unattributed-change.js";
import { change, declaring, deployedAs, proposalOf, smallSpec } from "../../support/fixtures.js";

const spec = smallSpec();
const base = proposalOf(spec, deployedAs(spec), "cluster");

const HOST = "terraform_data.broker-0-0";

test("accepts members that stand in the construct of their group", () => {
  expect(unattributedChange(base)).toEqual([]);
});

test("refuses the address of a member outside of its group, or in another", () => {
  const outside = {
    ...base,
    declared: base.declared.flatMap(({ group, ...resource }) =>
      resource.address === HOST && group !== undefined ? [{ ...resource, path: "cluster/mine" }] : [],
    ),
  };
  expect(unattributedChange(outside)).toMatchObject([{ subjects: [HOST] }]);
  expect(
    unattributedChange(declaring(base, "terraform_data.broker-1-0", { group: "broker-0" })),
  ).toMatchObject([{ subjects: ["terraform_data.broker-1-0"] }]);
});

test("refuses the change of a resource that nobody owns, unless the spec names it", () => {
  const alarm = {
    address: "terraform_data.alarm",
    path: "cluster/watch/alarm",
    body: {},
    preventsDestroy: true,
    ignoresChanges: false,
    triggeredBy: [],
  };
  const changes = [{ address: alarm.address, action: "create" as const }];
  const proposal = { ...base, declared: [...base.declared, alarm], changes };
  expect(unattributedChange(proposal)).toMatchObject([{ subjects: [alarm.address] }]);
  const named = change(spec, (edited) => {
    edited.rollout.ownResources = ["watch"];
  });
  expect(unattributedChange({ ...proposal, spec: named })).toEqual([]);
});
