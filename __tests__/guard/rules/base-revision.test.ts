import { expect, test } from "@jest/globals";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { EditedPlan } from "../plan/edit-plan.js";
import { change } from "../../support/fixtures.js";

const withoutBroker = (spec: Spec): Spec =>
  change(spec, (edited) => {
    Reflect.deleteProperty(edited.pools, "broker");
  });

test("refuses a plan of a view whose group the spec does not have, whatever it does there", () => {
  const plan = new EditedPlan("roll-clients", ({ spec }) => ({ spec: withoutBroker(spec) }));
  const { change: held } = plan.entry("terraform_data.broker-0-leave");
  Object.assign(held, { actions: ["no-op"], after: held.before });
  plan.valuesOf("planned_values", "terraform_data.broker-0-leave").values = held.before;
  expect(plan.violations()).toMatchInlineSnapshot(`
   [
     "base-revision: the plan is of the view broker-0, and the spec has no group of this name; put its pool back, or plan the view of a group that the spec has",
   ]
  `);
});

test("refuses a plan of a view that is nobody's", () => {
  const plan = new EditedPlan("no-op");
  const variables = [plan.json["variables"], plan.root["variables"]] as Record<string, object>[];
  for (const { rollout_view: view } of variables) {
    for (const key of Object.keys(view ?? {}))
      if (key !== "description") Reflect.set(view ?? {}, key, "nobody");
  }
  expect(plan.violations()).toMatchInlineSnapshot(`
   [
     "base-revision: the plan is of the view nobody, and the spec has no group of this name; put its pool back, or plan the view of a group that the spec has",
   ]
  `);
});

test.each([
  ["aws-roll-clients", "aws_volume_attachment"],
  ["roll-clients", "terraform_data"],
])("refuses the plan %s of a state in which a disk's attachment is another group's", (fixture, type) => {
  const plan = new EditedPlan(fixture);
  const [own, other] = [0, 1].map((group) => `${type}.broker-${String(group)}-0-data-attachment`);
  const { before } = plan.entry(other ?? "").change;
  plan.entry(own ?? "").change.before = before;
  plan.valuesOf("prior_state", own ?? "").values = before;
  expect(
    plan
      .violations()
      .map((text) => text.replace(/\(vai-\d+, deployed is vai-\d+\)/, "(<id>, deployed is <id>)")),
  ).toEqual([
    `base-revision: the plan was made from another state than is deployed: ${own ?? ""} (<id>, deployed is <id>); synthesize and plan again`,
  ]);
});

test("refuses a plan of a state that lacks a load balancer which is deployed: a second one would be made", () => {
  const address = "terraform_data.broker-load-balancer";
  const plan = new EditedPlan("no-op").drop(address, "prior");
  Object.assign(plan.entry(address).change, { actions: ["create"], before: null });
  expect(plan.violations()).toEqual([
    `base-revision: the plan was made from another state than is deployed, which holds already: ${address}; synthesize and plan again`,
  ]);
  // As where somebody has ended it by hand.
  plan.json["resource_drift"] = [
    {
      ...plan.entry(address),
      change: { actions: ["delete"], before: plan.valuesOf("planned_values", address).values, after: null },
    },
  ];
  expect(plan.violations()).toEqual([]);
});
