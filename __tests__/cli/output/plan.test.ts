import { describe, expect, test } from "@jest/globals";
import { formatMadePlan, formatQuestion } from "../../../cli/output/plan.js";
import { resultOf } from "../../../program/result-of.js";
import { summarizePlan, type PlanSummary } from "../../../program/plan-summary.js";
import { readPlan } from "../../../guard/plan/read-plan.js";
import { isNew } from "../../../cluster/pending.js";
import { readFixture } from "../../guard/plan/plan-fixture.js";

describe("A plan in words", () => {
  test("says which machines, what hangs on them, what stays, and Terraform's own count last", () => {
    expect(planOf("roll-clients")).toMatchInlineSnapshot(`
     "broker-0: 2 machines are replaced (v1 -> v2)
     config_consul: 2 machines are told of the Consul servers
     frozen: 8 groups (broker-1, broker-2, consul-server-0 to -2, nomad-server-0 to -2)

     -/+ terraform_data.broker-0-0
     -/+ terraform_data.broker-0-0-config-consul
     -/+ terraform_data.broker-0-0-data-attachment
     -/+ terraform_data.broker-0-0-target
     -/+ terraform_data.broker-0-1
     -/+ terraform_data.broker-0-1-config-consul
     -/+ terraform_data.broker-0-1-data-attachment
     -/+ terraform_data.broker-0-1-target
     -/+ terraform_data.broker-0-leave
     -/+ terraform_data.broker-0-ready
       ~ terraform_data.broker-0-revision

     Terraform: 10 to add, 1 to change, 10 to destroy"
    `);
  });

  test("says how many machines are told of a new Consul server", () => {
    expect(planOf("roll-consul-server").split("\n").slice(0, 3)).toMatchInlineSnapshot(`
     [
       "consul-server-1: 1 machine is replaced (v1 -> v2)",
       "config_consul: 10 machines are told of the Consul servers",
       "frozen: 8 groups (broker-0 to -2, consul-server-0, consul-server-2, nomad-server-0 to -2)",
     ]
    `);
  });

  test("tells a group that grows from one that shrinks", () => {
    expect([planOf("group-grows").split("\n")[0], planOf("group-shrinks").split("\n")[0]])
      .toMatchInlineSnapshot(`
     [
       "broker-1: 1 machine is created (v1)",
       "broker-0: 1 machine is destroyed",
     ]
    `);
  });

  test("names a new pool's machines and a change in place", () => {
    expect(planOf("pool-added").split("\n").slice(0, 5)).toMatchInlineSnapshot(`
     [
       "broker-eu-0: 1 machine is created (v1)",
       "broker-eu-1: 1 machine is created (v1)",
       "broker-eu-2: 1 machine is created (v1)",
       "config_consul: 3 machines are told of the Consul servers",
       "frozen: 9 groups (broker-0 to -2, consul-server-0 to -2, nomad-server-0 to -2)",
     ]
    `);
    expect(planOf("load-balancer-port")).toMatchInlineSnapshot(`
     "frozen: 9 groups (broker-0 to -2, consul-server-0 to -2, nomad-server-0 to -2)

       ~ terraform_data.broker-load-balancer

     Terraform: 0 to add, 1 to change, 0 to destroy"
    `);
  });

  test("does not say that a machine is told which is destroyed", () => {
    expect(planOf("group-shrinks").split("\n").slice(0, 2)).toEqual([
      "broker-0: 1 machine is destroyed",
      "frozen: 8 groups (broker-1, broker-2, consul-server-0 to -2, nomad-server-0 to -2)",
    ]);
  });

  test("says which steps of its own a pool runs", () => {
    expect(planOf("group-shrinks", { steps: ["step silence (beforeLeave)"] }).split("\n")[1]).toBe(
      "broker-0: step silence (beforeLeave)",
    );
  });

  test("says so where there is nothing to do", () => {
    expect(planOf("no-op")).toMatchInlineSnapshot(`"cluster: no changes, what is deployed is as desired"`);
  });

  test("calls OpenTofu by its name, in the count and in what is to be run", () => {
    expect(planOf("opentofu").split("\n").at(-1)).toBe("OpenTofu: 10 to add, 1 to change, 10 to destroy");
    const { spec, deployed, plan } = readFixture("opentofu");
    const read = readPlan(new TextEncoder().encode(plan));
    const result = resultOf(read, { spec, deployed }, new Uint8Array());
    const kept = { file: "/kept", folder: "/out" };
    expect(formatMadePlan({ summary: summarizePlan(read, "broker-0", []), result, kept }, "text")).toMatch(
      /^apply exactly this plan: tofu -chdir=\S+ apply \/kept$/m,
    );
  });

  test("does not say that all is as desired where a value of the cluster has not reached a group", () => {
    const summary = { view: "cluster", groups: [], changes: [], frozen: [] };
    const { spec, deployed, plan } = readFixture("aws-no-op");
    const read = readPlan(new TextEncoder().encode(plan));
    if (spec.platform !== "aws") throw new Error("not on aws");
    const told = [spec, { ...spec, aws: { ...spec.aws, keyName: "other" } }].map((of) => {
      const result = resultOf(read, { spec: of, deployed }, new Uint8Array());
      return formatMadePlan({ summary, result }, "text").split("\n").slice(0, 4);
    });
    expect(told).toMatchInlineSnapshot(`
     [
       [
         "cluster: no changes, what is deployed is as desired",
         "",
         "accepted: the plan of cluster (no group, 6 shared or own resources); 16 rules passed",
         "changes: 0 machines; Terraform: 6 update",
       ],
       [
         "cluster: no changes",
         "",
         "accepted: the plan of cluster (no group, 6 shared or own resources); 16 rules passed",
         "changes: 0 machines; Terraform: 6 update",
       ],
     ]
    `);
  });
});

function planOf(name: string, more: Partial<PlanSummary> = {}): string {
  const { plan, deployed } = readFixture(name);
  const read = readPlan(new TextEncoder().encode(plan));
  const standing = [...deployed.groups.values()].filter((group) => !isNew(group)).map((group) => group.name);
  const summary = { ...summarizePlan(read, read.view ?? "", standing), ...more };
  return formatQuestion({ group: "broker-0", role: "client", summary, tool: read.tool, laterHosts: [] });
}
