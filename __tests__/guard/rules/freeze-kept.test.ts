import { expect, test } from "@jest/globals";
import { freezeKept } from "../../../guard/rules/freeze-kept.js";
import { change, declaring, deployedAs, nothing, proposalOf, smallSpec } from "../../support/fixtures.js";

const spec = smallSpec();
const standing = deployedAs(spec);
const thawed = { preventsDestroy: false, ignoresChanges: false };

test("accepts views as they are rendered", () => {
  expect(freezeKept(proposalOf(spec, standing, "cluster"))).toEqual([]);
  expect(freezeKept(proposalOf(spec, standing, "broker-0"))).toEqual([]);
  expect(freezeKept(proposalOf(spec, nothing(), "cluster"))).toEqual([]);
});

test.each([
  ["terraform_data.broker-1-0", { preventsDestroy: false }],
  ["terraform_data.broker-1-0", { ignoresChanges: false }],
  ["terraform_data.broker-1-leave", { preventsDestroy: false }],
  ["terraform_data.broker-1-revision", { ignoresChanges: false }],
  ["terraform_data.broker-1-ready", { ignoresChanges: false }],
])("refuses %s with %o", (address, values) => {
  const proposal = declaring(proposalOf(spec, standing, "broker-0"), address, values);
  expect(freezeKept(proposal)).toMatchObject([{ rule: "freeze-kept", subjects: [address] }]);
});

test("asks of ready no more than to ignore changes, and of config_consul nothing", () => {
  const proposal = proposalOf(spec, standing, "broker-0");
  const ready = declaring(proposal, "terraform_data.broker-1-ready", { preventsDestroy: false });
  expect(freezeKept(ready)).toEqual([]);
  expect(freezeKept(declaring(proposal, "terraform_data.broker-1-0-config-consul", thawed))).toEqual([]);
});

test("does not look at the target, nor at anything while protection is off", () => {
  const own = declaring(proposalOf(spec, standing, "broker-0"), "terraform_data.broker-0-0", thawed);
  expect(freezeKept(own)).toEqual([]);
  const open = change(spec, (edited) => {
    edited.protection = "off";
  });
  expect(freezeKept(proposalOf(open, standing, "cluster"))).toEqual([]);
});
