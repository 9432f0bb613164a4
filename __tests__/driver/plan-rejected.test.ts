import { expect, test } from "@jest/globals";
import { PlanRejected } from "../../driver/plan-view.js";
import type { CheckResult } from "../../program/check-result.js";

test("a rejected plan fails a run with its verdict first, then each violation with its remedy", () => {
  const result: CheckResult = {
    verdict: "rejected",
    view: "broker-0",
    touched: ["broker-0", "broker-1"],
    others: [],
    own: [],
    differs: [],
    violations: [
      { rule: "one-group", subjects: ["broker-1"], message: "2 groups change", remedy: "set one back" },
      { rule: "complete-plan", subjects: [], message: "it is partial", remedy: "plan all of it" },
    ],
    changes: {
      machines: 2,
      byAction: { create: 0, update: 0, replace: 2, delete: 0, forget: 0, move: 0, unknown: 0 },
      images: [],
    },
    drift: [],
    gate: "closed",
    configuration: true,
    deployed: "terraform.demo.tfstate, serial 3",
    rules: 18,
    plan: { sha256: "ab".repeat(32), tool: "Terraform", terraformVersion: "1.11.4", formatVersion: "1.2" },
  };
  const { message, exitCode } = new PlanRejected(result);
  expect({ message, exitCode }).toEqual({
    message: [
      "rejected: the plan of broker-0 (broker-0, broker-1) breaks 2 of 18 rules",
      "one-group: 2 groups change; set one back",
      "complete-plan: it is partial; plan all of it",
    ].join("\n"),
    exitCode: 1,
  });
});
