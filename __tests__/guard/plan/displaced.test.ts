import { describe, expect, test } from "@jest/globals";
import { EditedPlan, type Entry } from "./edit-plan.js";

/** Makes an entry say that its object came from another address, as a `moved` block would. */
function move(plan: EditedPlan, from: string, to: string, actions?: string[]): EditedPlan {
  const [old, entry] = [plan.entry(from), plan.entry(to)];
  entry.previous_address = from;
  entry.change.before = structuredClone(old.change.before);
  if (actions) entry.change.actions = actions;
  plan.valuesOf("prior_state", to).values = structuredClone(old.change.before) ?? {};
  return plan.drop(from);
}

describe("A move or an import beside another action", () => {
  test("rejects the replacement of another group's host that was moved to the target", () => {
    const plan = move(
      new EditedPlan("roll-clients"),
      "terraform_data.broker-1-0",
      "terraform_data.broker-0-1",
    );
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan does not say what happens to 1 deployed resource: terraform_data.broker-1-0; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
       "base-revision: the plan was made from another state than is deployed: terraform_data.broker-0-1 (<id>, deployed is <id>); synthesize and plan again",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-0-1 (v1 -> v2, moved from terraform_data.broker-1-0)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-1 (v1 -> v2, moved from terraform_data.broker-1-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
    expect(plan.touched()).toEqual(["broker-0", "broker-1"]);
  });

  test("rejects the same of a machine on AWS", () => {
    const plan = move(
      new EditedPlan("aws-roll-clients"),
      "aws_instance.broker-1-0",
      "aws_instance.broker-0-0",
    );
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan does not say what happens to 1 deployed resource: aws_instance.broker-1-0; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
       "base-revision: the plan was made from another state than is deployed: aws_instance.broker-0-0 (<id>, deployed is <id>); synthesize and plan again",
       "one-group: 2 groups would change in one plan: broker-0 (aws_instance.broker-0-0 (ami-0aaa -> ami-0bbb, moved from aws_instance.broker-1-0) and 4 more), broker-1 (aws_instance.broker-0-0 (ami-0aaa -> ami-0bbb, moved from aws_instance.broker-1-0)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: aws_instance.broker-0-0 (ami-0aaa -> ami-0bbb, moved from aws_instance.broker-1-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the replacement of a host that was imported, even without an id", () => {
    const plan = new EditedPlan("roll-clients");
    plan.entry("terraform_data.broker-0-1").change["importing"] = {};
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-1 (v1 -> v2, imported); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects a data volume of another group that was moved to the target and is changed", () => {
    const plan = move(
      new EditedPlan("roll-clients"),
      "terraform_data.broker-1-0-data",
      "terraform_data.broker-0-1-data",
      ["update"],
    );
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan does not say what happens to 1 deployed resource: terraform_data.broker-1-0-data; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
       "base-revision: the plan was made from another state than is deployed: terraform_data.broker-0-1-data (<id>, deployed is <id>); synthesize and plan again",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 9 more), broker-1 (terraform_data.broker-0-1-data (updated, moved from terraform_data.broker-1-0-data)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-1-data (updated, moved from terraform_data.broker-1-0-data); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects hosts of two groups that were moved to addresses of the user's own, and names the groups", () => {
    const plan = new EditedPlan("own-resource-updated");
    const own = plan.entry("terraform_data.zone");
    for (const [index, host] of ["terraform_data.broker-1-0", "terraform_data.broker-2-0"].entries()) {
      const { before } = plan.entry(host).change;
      const name = `zone${String(index)}`;
      const moved: Entry = { ...structuredClone(own), address: `terraform_data.${name}`, name };
      plan.entries.push(moved);
      moved.previous_address = host;
      moved.change.before = before;
      for (const variables of [plan.json["variables"], plan.root["variables"]]) {
        const { rollout_own: paths } = variables as Record<string, Record<string, Record<string, string>>>;
        Object.assign(paths?.["value"] ?? paths?.["default"] ?? {}, { [moved.address]: "zone" });
      }
      plan.drop(host);
    }
    expect(plan.touched()).toEqual(["broker-1", "broker-2"]);
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: its state, its changes and its values differ about terraform_data.zone0, terraform_data.zone1; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
       "base-revision: the plan was made from another state than is deployed, which does not hold: terraform_data.zone0, terraform_data.zone1; synthesize and plan again",
       "one-group: 2 groups would change in one plan: broker-1 (terraform_data.zone0 (updated, moved from terraform_data.broker-1-0)), broker-2 (terraform_data.zone1 (updated, moved from terraform_data.broker-2-0)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.zone0 (updated, moved from terraform_data.broker-1-0), terraform_data.zone1 (updated, moved from terraform_data.broker-2-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects machines of two groups that were moved to config_consul and replaced", () => {
    const plan = new EditedPlan("roll-consul-server");
    move(plan, "terraform_data.broker-1-0", "terraform_data.broker-1-0-config-consul");
    move(plan, "terraform_data.broker-2-0", "terraform_data.broker-2-0-config-consul");
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan does not say what happens to 2 deployed resources: terraform_data.broker-1-0, terraform_data.broker-2-0; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
       "base-revision: the plan was made from another state than is deployed: terraform_data.broker-1-0-config-consul (<id>, deployed is <id>), terraform_data.broker-2-0-config-consul (<id>, deployed is <id>); synthesize and plan again",
       "one-group: 3 groups would change in one plan: broker-1 (terraform_data.broker-1-0-config-consul (replaced, moved from terraform_data.broker-1-0)), broker-2 (terraform_data.broker-2-0-config-consul (replaced, moved from terraform_data.broker-2-0)), consul-server-1 (terraform_data.consul-server-1-0 (v1 -> v2) and 3 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-1-0-config-consul (replaced, moved from terraform_data.broker-1-0), terraform_data.broker-2-0-config-consul (replaced, moved from terraform_data.broker-2-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the import of every config_consul", () => {
    const plan = new EditedPlan("roll-consul-server");
    for (const { name, change } of plan.entries) {
      if (name.endsWith("-config-consul")) change["importing"] = { id: "x" };
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "one-group: 9 groups would change in one plan: broker-0 (terraform_data.broker-0-0-config-consul (replaced, imported) and 1 more), broker-1 (terraform_data.broker-1-0-config-consul (replaced, imported)), broker-2 (terraform_data.broker-2-0-config-consul (replaced, imported)), consul-server-0 (terraform_data.consul-server-0-0-config-consul (replaced, imported)), consul-server-1 (terraform_data.consul-server-1-0 (v1 -> v2) and 4 more), consul-server-2 (terraform_data.consul-server-2-0-config-consul (replaced, imported)), nomad-server-0 (terraform_data.nomad-server-0-0-config-consul (replaced, imported)), nomad-server-1 (terraform_data.nomad-server-1-0-config-consul (replaced, imported)), nomad-server-2 (terraform_data.nomad-server-2-0-config-consul (replaced, imported)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-0-config-consul (replaced, imported), terraform_data.broker-0-1-config-consul (replaced, imported), terraform_data.broker-1-0-config-consul (replaced, imported), terraform_data.broker-2-0-config-consul (replaced, imported), terraform_data.consul-server-0-0-config-consul (replaced, imported), terraform_data.consul-server-1-0-config-consul (replaced, imported), terraform_data.consul-server-2-0-config-consul (replaced, imported), terraform_data.nomad-server-0-0-config-consul (replaced, imported) and 2 more; remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects it where protection is off, too", () => {
    const plan = new EditedPlan("roll-clients", ({ spec }) => ({
      spec: { ...spec, protection: "off" },
    }));
    plan.entry("terraform_data.broker-0-1").change["importing"] = { id: "x" };
    plan.entry("terraform_data.broker-load-balancer").previous_address = "terraform_data.balancer";
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-1 (v1 -> v2, imported); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
       "shared-kept: shared parts would not stay what they are: terraform_data.broker-load-balancer (moved from terraform_data.balancer); change only what Terraform can update in place; a replaced target group is empty for all three groups",
     ]
    `);
  });

  test("rejects changes of a second group that are left out and named as previous addresses", () => {
    const plan = new EditedPlan("two-groups");
    const target = plan.changing("broker-0");
    for (const [index, { address }] of plan.changing("broker-1").entries()) {
      plan.drop(address, "changes", "planned");
      const entry = target[index];
      if (entry) entry.previous_address = address;
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2, moved from terraform_data.broker-1-0) and 10 more), broker-1 (terraform_data.broker-0-0 (v1 -> v2, moved from terraform_data.broker-1-0) and 6 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-0 (v1 -> v2, moved from terraform_data.broker-1-0), terraform_data.broker-0-0-config-consul (replaced, moved from terraform_data.broker-1-0-config-consul), terraform_data.broker-0-0-data-attachment (replaced, moved from terraform_data.broker-1-0-data-attachment), terraform_data.broker-0-0-target (replaced, moved from terraform_data.broker-1-0-target), terraform_data.broker-0-1 (v1 -> v2, moved from terraform_data.broker-1-leave), terraform_data.broker-0-1-config-consul (replaced, moved from terraform_data.broker-1-ready), terraform_data.broker-0-1-data-attachment (replaced, moved from terraform_data.broker-1-revision); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });
});
