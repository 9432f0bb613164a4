import { expect, test } from "@jest/globals";
import type { Plan, PlannedResource } from "../../guard/plan/plan.js";
import { planSummarySchema, summarizePlan, type PlanSummary } from "../../program/plan-summary.js";

const GROUPS = ["broker-0", "broker-1", "consul-server-0"];

test("a plan without changes freezes all", () => {
  expect(summary(change("aws_instance.broker-0-0", ["no-op"]))).toEqual({
    view: "broker-0",
    groups: [],
    changes: [],
    frozen: GROUPS,
  });
  expect(summary().changes).toEqual([]);
});

test("counts machines by what becomes of them, and names their images once", () => {
  const roll = { before: { ami: "ami-0aaa" }, after: { ami: "ami-0bbb" } };
  expect(
    summary(
      change("aws_instance.broker-0-0", ["delete", "create"], roll),
      change("aws_instance.broker-0-1", ["create", "delete"], roll),
      change("aws_instance.broker-0-2", ["delete"], { before: { ami: "ami-0aaa" }, after: null }),
      change("aws_instance.broker-0-3", ["create"], { before: null, after: { ami: "ami-0bbb" } }),
      change("aws_instance.broker-0-4", ["update"], {
        before: { ami: "ami-0bbb" },
        after: { ami: "ami-0bbb" },
      }),
    ).groups,
  ).toEqual([
    {
      name: "broker-0",
      machines: { created: 1, replaced: 2, updated: 1, destroyed: 1 },
      images: ["ami-0aaa -> ami-0bbb", "ami-0bbb"],
    },
  ]);
});

test("reads images on the local platform, too", () => {
  const roll = { before: { input: { image: "v1" } }, after: { input: { image: "v2" } } };
  expect(summary(change("terraform_data.broker-0-0", ["delete", "create"], roll)).groups).toMatchObject([
    { images: ["v1 -> v2"] },
  ]);
});

test("does not count hooks and volumes as machines, but as changes of their group", () => {
  expect(
    summary(
      change("null_resource.broker-0-leave", ["delete", "create"]),
      change("aws_ebs_volume.broker-0-0-data", ["update"]),
    ),
  ).toMatchObject({
    groups: [{ name: "broker-0", machines: { created: 0, replaced: 0, updated: 0, destroyed: 0 } }],
    changes: [
      { address: "null_resource.broker-0-leave", action: "replace" },
      { address: "aws_ebs_volume.broker-0-0-data", action: "update" },
    ],
    frozen: ["broker-1", "consul-server-0"],
  });
});

test("leaves a group frozen of which nothing but config_consul is replaced", () => {
  const found = summary(change("null_resource.broker-1-0-config-consul", ["delete", "create"]));
  expect(found.frozen).toEqual(GROUPS);
  expect(found.changes).toHaveLength(1);
});

test("shows what is let go of, and passes over what moves or is not understood", () => {
  expect(
    summary(
      change("aws_ebs_volume.broker-0-0-data", ["forget"]),
      { ...change("aws_lb.other", ["no-op"]), previousAddress: "aws_lb.old" },
      change("aws_lb.third", ["levitate"]),
      change("aws_lb.broker", ["update"]),
    ).changes,
  ).toEqual([
    { address: "aws_ebs_volume.broker-0-0-data", action: "forget" },
    { address: "aws_lb.broker", action: "update" },
  ]);
});

test("never mixes up broker-1 and broker-10 or a pool's own name", () => {
  const names = summary(
    change("aws_instance.broker-1-0", ["create"]),
    change("aws_instance.broker1-0-0", ["create"]),
    change("aws_instance.broker-10-0", ["create"]),
  ).groups.map(({ name }) => name);
  expect(names).toEqual(["broker-1", "broker1-0"]);
});

const change = (
  address: string,
  actions: readonly string[],
  { before, after }: { before?: unknown; after?: unknown } = {},
): PlannedResource => ({ address, imported: false, actions, before, after });

function summary(...resources: readonly PlannedResource[]): PlanSummary {
  const found = summarizePlan({ ...EMPTY, resources }, "broker-0", GROUPS);
  expect(planSummarySchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
  return found;
}

const EMPTY: Plan = {
  formatVersion: "1.2",
  terraformVersion: "1.11.4",
  base: new Map(),
  own: new Map(),
  gate: "open",
  laterHosts: [],
  gaps: [],
  unknown: [],
  tool: "Terraform",
  gone: [],
  resources: [],
  wiring: [],
  drift: [],
};
