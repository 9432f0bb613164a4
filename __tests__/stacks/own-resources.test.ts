import { expect, test } from "@jest/globals";
import { Construct } from "constructs";
import { TerraformData } from "../../constructs/terraform-data.js";
import type { Deployed } from "../../cluster/deployed.js";
import {
  change,
  deployedAs,
  poolOf,
  refusal,
  resourceIn,
  resourcesOf,
  smallSpec,
  synthesize,
  type Tamper,
} from "../support/fixtures.js";

const standing = deployedAs(smallSpec());
const spec = change(smallSpec(), (edited) => {
  edited.rollout.ownResources = ["watch"];
  poolOf(edited, "broker").images[0] = "v2";
});
const ALARM = "terraform_data.alarm";
const deployed: Deployed = { ...standing, addresses: new Set([...standing.addresses, ALARM]) };
const alarm: Tamper = (view) => {
  new TerraformData(new Construct(view, "watch"), { name: "alarm", protection: "live", input: "loud" });
};

test("the cluster view creates a resource of the user's own, and keeps it from being destroyed", () => {
  expect(resourcesOf(spec, standing, "cluster", alarm).get(ALARM)).toMatchObject({
    input: "loud",
    lifecycle: { prevent_destroy: true },
  });
});

test("the cluster view leaves what the user says of its life otherwise", () => {
  const careful: Tamper = (view) => {
    alarm(view);
    resourceIn(view, ALARM).lifecycle = { ignoreChanges: ["input"] };
  };
  expect(resourcesOf(spec, standing, "cluster", careful).get(ALARM)).toMatchObject({
    lifecycle: { prevent_destroy: true, ignore_changes: ["input"] },
  });
});

test("the view of a group does not have it before, and has it frozen once it is deployed", () => {
  expect(resourcesOf(spec, standing, "broker-0", alarm).has(ALARM)).toBe(false);
  expect(resourcesOf(spec, deployed, "broker-0", alarm).get(ALARM)).toMatchObject({
    lifecycle: { prevent_destroy: true, ignore_changes: "all" },
  });
});

test("one block that stands for many is deployed once one of them is", () => {
  const many: Tamper = (view) => {
    alarm(view);
    resourceIn(view, ALARM).addOverride("count", 2);
  };
  const addresses = new Set([...standing.addresses, `${ALARM}[0]`, `${ALARM}[1]`]);
  for (const view of ["cluster", "broker-0"]) {
    expect(resourcesOf(spec, { ...standing, addresses }, view, many).get(ALARM)).toMatchObject({ count: 2 });
  }
});

test("a plan says where it stands", () => {
  const written = JSON.parse(
    synthesize(spec, deployed, ["broker-0"], alarm).get("broker-0") ?? "",
  ) as unknown;
  expect(written).toMatchObject({ variable: { rollout_own: { default: { [ALARM]: "watch/alarm" } } } });
});

test("refuses one that the spec does not name", () => {
  const unnamed = change(spec, (edited) => {
    edited.rollout.ownResources = [];
  });
  expect(refusal(unnamed, standing, "cluster", alarm)).toMatchInlineSnapshot(
    `"unattributed-change: resources that belong to no group would change: terraform_data.alarm at watch/alarm; name those that are your own by construct path in rollout.ownResources"`,
  );
});

test("refuses to drop one", () => {
  expect(refusal(spec, deployed, "cluster")).toMatchInlineSnapshot(
    `"shared-kept: shared parts would be destroyed: terraform_data.alarm; put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL"`,
  );
});

test("refuses create_before_destroy in the view of a group, since leave hooks could lose theirs by it", () => {
  const first: Tamper = (view) => {
    alarm(view);
    resourceIn(view, ALARM).addOverride("lifecycle.create_before_destroy", true);
  };
  expect(refusal(spec, deployed, "broker-0", first)).toMatchInlineSnapshot(
    `"leave-hook-runs: create_before_destroy would keep leave hooks from running: terraform_data.alarm; remove it: here the old goes first, once its work has left"`,
  );
});
