import { expect, test } from "@jest/globals";
import { sharedKept } from "../../../guard/rules/shared-kept.js";
import {
  change,
  declaring,
  deployedAs,
  localSpec,
  nothing,
  poolOf,
  proposalOf,
} from "../../support/fixtures.js";

const BALANCER = "terraform_data.broker-load-balancer";
const standing = deployedAs(localSpec());

test("accepts shared parts that the cluster view creates or updates", () => {
  expect(sharedKept(proposalOf(localSpec(), nothing(), "cluster"))).toEqual([]);
  const moved = change(localSpec(), (spec) => {
    const { loadBalancer } = poolOf(spec, "broker");
    if (loadBalancer) loadBalancer.port = 9877;
  });
  expect(sharedKept(proposalOf(moved, standing, "cluster"))).toEqual([]);
});

test("accepts frozen shared parts in the view of a group", () => {
  expect(sharedKept(proposalOf(localSpec(), standing, "broker-0"))).toEqual([]);
});

test.each([{ preventsDestroy: false }, { ignoresChanges: false }])(
  "refuses shared parts with %o in the view of a group",
  (values) => {
    const proposal = declaring(proposalOf(localSpec(), standing, "broker-0"), BALANCER, values);
    expect(sharedKept(proposal)).toMatchObject([{ rule: "shared-kept", subjects: [BALANCER] }]);
  },
);

test("refuses to create shared parts in the view of a group", () => {
  const base = proposalOf(localSpec(), standing, "broker-0");
  const proposal = { ...base, changes: [{ address: BALANCER, action: "create" as const }] };
  expect(sharedKept(proposal)).toMatchObject([{ subjects: [BALANCER] }]);
});

test("refuses to destroy shared parts, unless protection is off", () => {
  const base = proposalOf(localSpec(), standing, "cluster");
  const proposal = { ...base, changes: [{ address: BALANCER, action: "delete" as const }] };
  expect(sharedKept(proposal)).toMatchObject([{ subjects: [BALANCER] }]);
  const open = change(localSpec(), (spec) => {
    spec.protection = "off";
  });
  expect(sharedKept({ ...proposal, spec: open })).toEqual([]);
});
