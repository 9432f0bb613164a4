import { describe, expect, test } from "@jest/globals";
import { EditedPlan, type Entry } from "./edit-plan.js";

const driftOf = (plan: EditedPlan): unknown[] => (plan.json["resource_drift"] ??= []) as unknown[];

/** An entry of `resource_drift` by which an object was deleted outside. */
const goneEntry = (entry: Entry): Entry => ({
  ...structuredClone(entry),
  change: { ...structuredClone(entry.change), actions: ["delete"], after: null },
});

const SECOND = "broker-1";

describe("A second group's changes that a plan makes invisible", () => {
  test("rejects those that are left out, and that drift calls deleted", () => {
    const plan = new EditedPlan("two-groups");
    for (const entry of plan.changing(SECOND)) {
      driftOf(plan).push(goneEntry(entry));
      plan.drop(entry.address, "changes", "planned");
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (gone outside) and 5 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
  });

  test("rejects the same where state and configuration were edited alike", () => {
    const plan = new EditedPlan("two-groups");
    for (const entry of plan.changing(SECOND)) {
      driftOf(plan).push(goneEntry(entry));
      plan.drop(entry.address);
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (gone outside) and 5 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
    expect(plan.touched()).toEqual(["broker-0", "broker-1"]);
  });

  test("rejects a claim of drift that says nothing but an address and a deletion", () => {
    const plan = new EditedPlan("two-groups");
    for (const { address } of plan.changing(SECOND)) {
      driftOf(plan).push({ address, change: { actions: ["delete"] } });
      plan.drop(address);
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan of Terraform 1.11.4 says what this version of rollout does not know: the mode undefined; leave it out, plan with a version that was tried (up to Terraform 1.14), or take a version of rollout that knows it",
       "complete-plan: the plan does not say what happens to 7 deployed resources: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
     ]
    `);
  });

  test("rejects those that are blanked", () => {
    const plan = new EditedPlan("two-groups");
    for (const { change } of plan.changing(SECOND)) {
      Object.assign(change, { actions: ["no-op"], before: null, after: null });
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: its state, its changes and its values differ about terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (deleted) and 5 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
  });

  test("rejects those that are blanked, and gone from everything but the changes", () => {
    const plan = new EditedPlan("two-groups");
    for (const entry of plan.changing(SECOND)) {
      driftOf(plan).push(goneEntry(entry));
      plan.drop(entry.address, "planned", "prior", "declared");
      Object.assign(entry.change, { actions: ["no-op"], before: null, after: null });
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (deleted) and 5 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
  });

  test("rejects those that are said to stay as they are", () => {
    const plan = new EditedPlan("two-groups");
    for (const { change } of plan.changing(SECOND)) {
      Object.assign(change, { actions: ["no-op"], after: change.before });
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: its state, its changes and its values differ about terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("rejects those that are said to be deposed", () => {
    const plan = new EditedPlan("two-groups");
    for (const entry of plan.changing(SECOND)) {
      entry.deposed = "aaaa0000";
      Object.assign(entry.change, { actions: ["no-op"], after: entry.change.before });
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision, its state, its changes and its values differ about terraform_data.broker-1-0 (deposed aaaa0000), terraform_data.broker-1-0-config-consul (deposed aaaa0000), terraform_data.broker-1-0-data-attachment (deposed aaaa0000), terraform_data.broker-1-0-target (deposed aaaa0000), terraform_data.broker-1-leave (deposed aaaa0000), terraform_data.broker-1-ready (deposed aaaa0000), terraform_data.broker-1-revision (deposed aaaa0000); plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("rejects a foreign host that is blanked in a plan that is accepted else", () => {
    const plan = new EditedPlan("roll-clients");
    Object.assign(plan.entry("terraform_data.broker-1-0").change, { before: null, after: null });
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: its state, its changes and its values differ about terraform_data.broker-1-0; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (deleted)); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
  });

  test("rejects what was there before and is not in the state that the plan shows", () => {
    const plan = new EditedPlan("aws-roll-clients");
    const machine = "aws_instance.broker-1-0";
    const attachment = plan.entry("aws_volume_attachment.broker-0-0-data-attachment");
    attachment.change.before = {
      ...attachment.change.before,
      instance_id: plan.entry(machine).change.before?.["id"],
    };
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: its state, its changes and its values differ about aws_volume_attachment.broker-0-0-data-attachment; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("rejects the creation of an object by count that is left out", () => {
    const plan = new EditedPlan("index-key").drop("terraform_data.broker-1-revision[1]", "changes");
    expect(plan.violations()[0]).toBe(
      "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-1-revision[1]; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
    );
  });

  test("rejects a deposed object that is left out", () => {
    const plan = new EditedPlan("deposed");
    plan.json["resource_changes"] = plan.entries.filter(({ deposed }) => deposed === undefined);
    expect(plan.violations().map((violation) => violation.replace(/deposed \w+/, "deposed KEY")))
      .toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-0-1 (deposed KEY); plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });
});

describe("A plan of OpenTofu's, which never says whether it is whole", () => {
  const REST = ["leave", "ready", "0-config-consul", "1-config-consul"].map(
    (name) => `terraform_data.broker-0-${name}`,
  );

  test.each<[what: string, complete: unknown]>([
    ["that says nothing of it", undefined],
    ["that says it is complete", true],
  ])("rejects the resume of a roll %s and leaves out what is made last", (_, complete) => {
    const plan = new EditedPlan("resumed-after-leave");
    for (const address of REST) plan.drop(address, "changes", "planned");
    plan.json["complete"] = complete;
    expect(plan.violations()).toEqual([
      "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-0-0-config-consul, terraform_data.broker-0-1-config-consul, terraform_data.broker-0-leave, terraform_data.broker-0-ready; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
    ]);
  });

  test("rejects one that leaves out a group that stays, as with -target", () => {
    const plan = new EditedPlan("opentofu");
    for (const { address, name } of plan.entries) {
      if (name.startsWith(SECOND)) plan.drop(address, "changes", "planned");
    }
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test.each([false, "yes"])("rejects one whose word for complete is %s", (complete) => {
    const plan = new EditedPlan("roll-clients");
    plan.json["complete"] = complete;
    expect(plan.violations()).toEqual([
      "complete-plan: the plan cannot be judged: it is partial, as with -target; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
    ]);
  });
});

test("rejects that a tainted leave stays as it is", () => {
  const plan = new EditedPlan("tainted-leave");
  for (const { address, change } of plan.changing("broker-0")) {
    Object.assign(change, { actions: ["no-op"], after: change.before });
    for (const part of ["planned_values", "prior_state"] as const)
      plan.valuesOf(part, address).values = change.before;
  }
  expect(plan.violations()[0]).toBe(
    "complete-plan: the plan does not say what happens to 1 deployed resource: terraform_data.broker-0-leave; plan the whole view again, without -refresh-only; if it is whole, the state has changed since",
  );
});

describe("An object that a part of the plan has twice", () => {
  test.each(["planned_values", "prior_state"] as const)("is no plan, in %s", (key) => {
    const plan = new EditedPlan("roll-clients");
    const { resources } = plan.values(key);
    const twin = resources.find(({ address }) => address === "terraform_data.broker-1-0");
    if (twin) plan.addModule(key, [{ ...twin, values: { id: "x" } }]);
    expect(() => plan.violations()).toThrow(
      `not a plan: terraform_data.broker-1-0 stands twice in ${key}; make it with: terraform show -json PLANFILE`,
    );
  });
});

describe("What was gone before the plan", () => {
  /** Ended outside: Terraform finds it gone, lists no change of it, and takes it out of the state. */
  function gone(name: string, address: string): EditedPlan {
    const plan = new EditedPlan(name);
    driftOf(plan).push(goneEntry(plan.entry(address)));
    return plan.drop(address);
  }

  test("accepts a host that the group loses anyway", () => {
    const plan = gone("group-shrinks", "terraform_data.broker-0-1");
    expect(plan.violations()).toEqual([]);
    expect(plan.touched()).toEqual(["broker-0"]);
  });

  test("accepts a resource of the user's own, which is no group's", () => {
    const plan = gone("own-resource-beside-roll", "terraform_data.zone");
    expect(plan.violations()).toEqual([]);
    expect(plan.touched()).toEqual(["broker-0"]);
  });

  test("rejects a load balancer that three groups share", () => {
    expect(gone("load-balancer-port", "terraform_data.broker-load-balancer").violations()).toEqual([
      "shared-kept: shared parts would be destroyed: terraform_data.broker-load-balancer; put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL",
    ]);
  });

  test("accepts the load balancer of a pool that has retired", () => {
    expect(gone("retire-end", "terraform_data.broker-load-balancer").violations()).toEqual([]);
  });

  test("rejects a host that the group is to keep", () => {
    const plan = gone("group-shrinks", "terraform_data.broker-0-0");
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of broker-0 would be destroyed in the view broker-0, without a hook: terraform_data.broker-0-0; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-0",
       "image-as-desired: broker-0 would have 0 hosts, desired 1; synthesize and plan again from the spec as it is now",
     ]
    `);
  });

  test("rejects a data volume of the group", () => {
    const plan = gone("group-shrinks", "terraform_data.broker-0-1-data");
    expect(plan.violations()).toMatchInlineSnapshot(`
     [
       "data-volume-kept: data volumes would be lost: terraform_data.broker-0-1-data; keep declaring the volumes that the state holds, those of hosts that are gone included",
     ]
    `);
  });

  test("accepts volumes of a pool that has retired, whose end lets go of them", () => {
    expect(gone("retire-end", "terraform_data.broker-1-0-data").violations()).toEqual([]);
  });
});
