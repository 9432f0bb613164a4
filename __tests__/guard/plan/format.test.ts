import { describe, expect, test } from "@jest/globals";
import { isTried } from "../../../guard/plan/format.js";
import { EditedPlan, type Entry } from "./edit-plan.js";

const HOST = "terraform_data.broker-1-0";

const edited = (edit: (plan: EditedPlan, entry: Entry) => unknown, name = "roll-clients"): string[] => {
  const plan = new EditedPlan(name);
  edit(plan, plan.entry(HOST));
  return plan.violations();
};

const unknown = (what: string): string =>
  `complete-plan: the plan of Terraform 1.11.4 says what this version of rollout does not know: ${what}; leave it out, plan with a version that was tried (up to Terraform 1.14), or take a version of rollout that knows it`;

describe("What a plan says that is not known", () => {
  test.each<[what: string, edit: (plan: EditedPlan, entry: Entry) => unknown]>([
    ['the key "x" of the plan', ({ json }) => (json["x"] = null)],
    ['the key "x" of a resource', (_, entry) => (entry["x"] = 1)],
    ['the key "x" of a change', (_, { change }) => (change["x"] = 1)],
    [
      'the key "x" of a change',
      ({ json }, entry) => {
        const change = { ...entry.change, actions: ["update"], x: 1 };
        json["resource_drift"] = [{ ...entry, change }];
      },
    ],
    ['the key "x" of the configuration', ({ json }) => Object.assign(json["configuration"] ?? {}, { x: 1 })],
    ['the key "x" of the root module', ({ root }) => (root["x"] = 1)],
    ['the key "x" of a block', ({ root }) => Object.assign(root.resources[0] ?? {}, { x: 1 })],
    ['the mode "list"', ({ root }) => Object.assign(root.resources.at(-1) ?? {}, { mode: "list" })],
    [
      'the action_reason "replace_because_asked"',
      (_, entry) => (entry["action_reason"] = "replace_because_asked"),
    ],
    ['the key "toString" of a resource', (_, entry) => Reflect.set(entry, "toString", 1)],
  ])("rejects %s", (what, edit) => {
    expect(edited(edit)).toEqual([unknown(what)]);
  });

  test.each([
    ["an action of a newer version", ["renew"]],
    ["the resource that OpenTofu lets live and makes again", ["forget", "create"]],
    ["a combination that nobody writes", ["no-op", "create"]],
  ])("rejects %s, wherever it stands", (_, actions) => {
    const violations = edited((__, { change }) => (change.actions = actions));
    expect(violations[0]).toBe(unknown(`the action "${actions.join(", ")}"`));
    expect(
      edited((plan) => {
        plan.entry("terraform_data.broker-load-balancer").change.actions = actions;
      })[0],
    ).toBe(violations[0]);
  });

  test("rejects an ephemeral resource, as OpenTofu 1.11 lists it", () => {
    const violations = edited(({ entries, json }, entry) => {
      delete json["complete"];
      entries.push({
        ...entry,
        address: "ephemeral.random_password.x",
        mode: "ephemeral",
        type: "random_password",
        name: "x",
        change: { actions: ["open"], before: null, after: null },
      });
    });
    expect(violations).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan of OpenTofu 1.11.4 says what this version of rollout does not know: the action "open", the mode "ephemeral"; leave it out, plan with a version that was tried (up to OpenTofu 1.12), or take a version of rollout that knows it",
       "unattributed-change: resources that belong to no group would change: ephemeral.random_password.x (an action that this version does not know); name those that are your own by construct path in rollout.ownResources",
       "shared-kept: shared parts would not stay what they are: ephemeral.random_password.x (an action that this version does not know); change only what Terraform can update in place; a replaced target group is empty for all three groups",
     ]
    `);
  });

  test("names all that is not known at once, each once", () => {
    const violations = edited(({ json, entries }) => {
      json["x"] = 1;
      for (const entry of entries) entry["y"] = entry["z"] = 1;
    });
    expect(violations).toEqual([
      unknown('the key "x" of the plan, the key "y" of a resource, the key "z" of a resource'),
    ]);
  });
});

describe("What a plan says that nobody can judge", () => {
  test.each<[what: string, edit: (plan: EditedPlan, entry: Entry) => unknown]>([
    ["deferred changes", ({ json }) => (json["deferred_changes"] = [{}])],
    ["action invocations", ({ json }) => (json["action_invocations"] = [{}])],
    ["deferred action invocations", ({ json }) => (json["deferred_action_invocations"] = {})],
    ["index unknown", (_, entry) => (entry["index_unknown"] = true)],
    ["generated config", (_, { change }) => (change["generated_config"] = "resource {}")],
  ])("rejects %s", (what, edit) => {
    expect(edited(edit)).toEqual([
      `complete-plan: the plan cannot be judged: it has ${what}; plan the whole view again: without -target, -exclude and -refresh-only, and to the end`,
    ]);
  });
});

describe("What newer versions say that is known", () => {
  test("accepts their keys, where they are empty or do no harm", () => {
    const violations = edited(({ json, root }, { change }) => {
      Object.assign(json, { deferred_changes: [], action_invocations: null, applyable: true });
      root["actions"] = [];
      Object.assign(change, { before_identity: { id: "x" }, after_identity: { id: "x" } });
    });
    expect(violations).toEqual([]);
  });

  test("any patch of a minor version that was tried is known, and no later one", () => {
    const terraform = ["1.9.0", "1.14.99", "1.15.0", "1.15.0-beta1", "2.0.0"];
    expect(terraform.map((version) => isTried("Terraform", version))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(["1.12.6", "1.13.0"].map((version) => isTried("OpenTofu", version))).toEqual([true, false]);
  });
});
