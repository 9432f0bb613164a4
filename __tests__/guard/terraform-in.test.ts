import { expect, test } from "@jest/globals";
import { terraformIn } from "../../guard/terraform-in.js";
import { readPlan } from "../../guard/plan/read-plan.js";
import { readFixture } from "./plan/plan-fixture.js";

test("what is to be run is called by the name of what made the plan", () => {
  const called = ["roll-clients", "opentofu"].map((name) => {
    const { spec, plan } = readFixture(name);
    return terraformIn({ spec, view: "broker-0", plan: readPlan(new TextEncoder().encode(plan)) });
  });
  expect(called).toEqual(["terraform -chdir=cdktf.out/demo/broker-0", "tofu -chdir=cdktf.out/demo/broker-0"]);
});
