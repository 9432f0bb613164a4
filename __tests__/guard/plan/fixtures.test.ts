import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { judgePlan } from "../../../guard/judge.js";
import { readPlan } from "../../../guard/plan/read-plan.js";
import { formatViolation, type RuleId } from "../../../guard/verdict.js";
import { EditedPlan } from "./edit-plan.js";
import { fixtureNames, judge, notAPlan, readFixture, readFixtureFiles, rulesOf } from "./plan-fixture.js";

describe("Plans of the real Terraform", () => {
  test("there are at least thirty of them", () => {
    expect(fixtureNames.length).toBeGreaterThanOrEqual(30);
  });

  test.each(fixtureNames)("%s gets the verdict that it deserves", (name) => {
    const fixture = readFixture(name);
    if (fixture.verdict === "not a plan") {
      expect(notAPlan(fixture.plan)).toMatch(/^not a plan: /);
      return;
    }
    const verdict = judge(fixture);
    expect({ verdict: verdict.verdict, rules: rulesOf(verdict) }).toEqual({
      verdict: fixture.verdict,
      rules: fixture.rules,
    });
  });

  test("each state and spec is kept once, by the hash of its text, and no file that no case names", () => {
    const texts = fixtureNames.map((name) => readFixtureFiles(name));
    const once = (kind: "state" | "spec"): string[] => [...new Set(texts.map((each) => hashOf(each[kind])))];
    expect(kept("plans")).toEqual(fixtureNames);
    expect(kept("states")).toEqual(once("state").sort());
    expect(kept("specs")).toEqual(once("spec").sort());
  });

  test("a plan names the groups that it touches", () => {
    const touched = (name: string): readonly string[] => judge(readFixture(name)).touched;
    expect(touched("no-op")).toEqual([]);
    expect(touched("roll-clients")).toEqual(["broker-0"]);
    expect(touched("prefix-of-another-pool")).toEqual(["broker-eu-1"]);
    expect(touched("two-groups")).toEqual(["broker-0", "broker-1"]);
  });

  test("a plan whose variables were given by hand is none", () => {
    expect(notAPlan(readFixture("view-by-hand").plan)).toMatchInlineSnapshot(
      `"not a plan: the variable rollout_view was given by hand and differs from the stack's own; make it with: terraform show -json PLANFILE"`,
    );
  });
});

const kept = (folder: string): string[] =>
  readdirSync(new URL(`./fixtures/${folder}/`, import.meta.url))
    .map((file) => file.replace(/\.(json\.gz|yaml)$/, ""))
    .sort();

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** What a rule says of a plan. The ids of machines are other ones whenever the plans are recorded again. */
const said = (rule: RuleId, name: string): string[] =>
  judge(readFixture(name))
    .violations.filter((violation) => violation.rule === rule)
    .map((violation) =>
      formatViolation(violation).replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>"),
    );

describe("complete-plan", () => {
  test("accepts a whole plan", () => {
    expect(said("complete-plan", "roll-clients")).toEqual([]);
  });

  test("rejects the plan target-option", () => {
    expect(said("complete-plan", "target-option")).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it is partial, as with -target; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("rejects the plan errored", () => {
    expect(said("complete-plan", "errored")).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it ended with an error; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("rejects the plan refresh-only", () => {
    expect(said("complete-plan", "refresh-only")).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it does not say what happens to terraform_data.broker-0-0, terraform_data.broker-0-0-config-consul, terraform_data.broker-0-0-data, terraform_data.broker-0-0-data-attachment, terraform_data.broker-0-0-target, terraform_data.broker-0-1, terraform_data.broker-0-1-config-consul, terraform_data.broker-0-1-data and 52 more; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });

  test("accepts a plan of OpenTofu's, which never says that it is complete", () => {
    expect(said("complete-plan", "opentofu")).toMatchInlineSnapshot(`[]`);
  });

  test("rejects the plan stale-view", () => {
    expect(said("complete-plan", "stale-view")).toMatchInlineSnapshot(`
     [
       "complete-plan: the plan cannot be judged: it ended with an error; plan the whole view again: without -target, -exclude and -refresh-only, and to the end",
     ]
    `);
  });
});

describe("base-revision", () => {
  test("accepts a plan of what is deployed", () => {
    expect(said("base-revision", "roll-clients")).toEqual([]);
  });

  test("rejects the plan stale", () => {
    expect(said("base-revision", "stale")).toMatchInlineSnapshot(`
     [
       "base-revision: the plan was made from an older or another state: broker-0 (revision 1, deployed is 2); synthesize and plan again",
       "base-revision: the plan was made from another state than is deployed: terraform_data.broker-0-0 (<id>, deployed is <id>), terraform_data.broker-0-0-config-consul (<id>, deployed is <id>), terraform_data.broker-0-0-data-attachment (<id>, deployed is <id>), terraform_data.broker-0-0-target (<id>, deployed is <id>), terraform_data.broker-0-1 (<id>, deployed is <id>), terraform_data.broker-0-1-config-consul (<id>, deployed is <id>), terraform_data.broker-0-1-data-attachment (<id>, deployed is <id>), terraform_data.broker-0-1-target (<id>, deployed is <id>) and 2 more; synthesize and plan again",
     ]
    `);
  });

  test("rejects the plan takes-back", () => {
    expect(said("base-revision", "takes-back")).toMatchInlineSnapshot(`
     [
       "base-revision: the plan was made from an older or another state: broker-0 (revision 1, deployed is 2); synthesize and plan again",
     ]
    `);
  });

  test("rejects the plan other-cluster", () => {
    expect(said("base-revision", "other-cluster")).toMatchInlineSnapshot(`
     [
       "base-revision: the plan is of the cluster other, the spec is of demo; name that cluster's spec by CLUSTER=FILE",
     ]
    `);
  });

  test("rejects the plan stranger", () => {
    expect(said("base-revision", "stranger")).toMatchInlineSnapshot(`
     [
       "base-revision: the plan does not say which view it is of (it has no variable rollout_view); plan a stack that this program synthesized",
     ]
    `);
  });

  test("rejects the plan stale-view", () => {
    expect(said("base-revision", "stale-view")).toMatchInlineSnapshot(`
     [
       "base-revision: the plan was made from an older or another state: broker-0 (revision 1, deployed is 2); synthesize and plan again",
     ]
    `);
  });
});

describe("one-group", () => {
  test("accepts a plan that touches one group", () => {
    expect(said("one-group", "roll-clients")).toEqual([]);
  });

  test("rejects the plan two-groups", () => {
    expect(said("one-group", "two-groups")).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (v1 -> v2) and 5 more); plan the view of one group; all others are frozen there",
     ]
    `);
  });

  test("rejects the plan two-server-groups", () => {
    expect(said("one-group", "two-server-groups")).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: consul-server-0 (terraform_data.consul-server-0-0 (v1 -> v2) and 3 more), nomad-server-0 (terraform_data.nomad-server-0-0 (v1 -> v2) and 3 more); plan the view of one group; all others are frozen there",
     ]
    `);
  });

  test("rejects the plan foreign-host-missing", () => {
    expect(said("one-group", "foreign-host-missing")).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (v1 -> v2) and 8 more), broker-1 (terraform_data.broker-1-0 (created)); plan the view of one group; all others are frozen there",
     ]
    `);
  });
});

describe("group-in-flight", () => {
  test("accepts the rest of a roll that was cut off", () => {
    expect(said("group-in-flight", "resumed-at-gate")).toEqual([]);
  });

  test("rejects the plan tainted-foreign-ready", () => {
    expect(said("group-in-flight", "tainted-foreign-ready")).toMatchInlineSnapshot(`
     [
       "group-in-flight: broker-0 cannot be rolled while broker-1 is in flight: terraform_data.broker-1-ready is tainted; finish it first with: rollout deploy broker-1",
     ]
    `);
  });

  test("rejects the plan foreign-host-missing", () => {
    expect(said("group-in-flight", "foreign-host-missing")).toMatchInlineSnapshot(`
     [
       "group-in-flight: broker-0 cannot be rolled while broker-1 is in flight: terraform_data.broker-1-ready was passed for the hosts <id>, there are none; finish it first with: rollout deploy broker-1",
     ]
    `);
  });
});

describe("target-group", () => {
  test("accepts a plan of the view's own group", () => {
    expect(said("target-group", "roll-nomad-server")).toEqual([]);
  });

  test("rejects the plan two-groups", () => {
    expect(said("target-group", "two-groups")).toMatchInlineSnapshot(`
     [
       "target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-0 (v1 -> v2), terraform_data.broker-1-0-data-attachment (replaced), terraform_data.broker-1-0-target (replaced), terraform_data.broker-1-leave (replaced), terraform_data.broker-1-ready (replaced), terraform_data.broker-1-revision (updated); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view",
     ]
    `);
  });

  test("rejects the plan foreign-host-missing", () => {
    expect(said("target-group", "foreign-host-missing")).toMatchInlineSnapshot(`
     [
       "target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-0 (created); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view",
     ]
    `);
  });
});

describe("unattributed-change", () => {
  test("accepts a resource of the user's own that the spec names", () => {
    expect(said("unattributed-change", "own-resource-created")).toEqual([]);
  });

  test("rejects the plan own-resource-not-named", () => {
    expect(said("unattributed-change", "own-resource-not-named")).toMatchInlineSnapshot(`
     [
       "unattributed-change: resources that belong to no group would change: terraform_data.zone at zone; name those that are your own by construct path in rollout.ownResources",
     ]
    `);
  });

  test("rejects the plan module", () => {
    expect(said("unattributed-change", "module")).toMatchInlineSnapshot(`
     [
       "unattributed-change: the stack has blocks that cannot be judged: module.dns; remove them: members of groups come from the pools that are declared, and resources of your own from inEachView, one by one",
       "unattributed-change: resources that belong to no group would change: module.dns.terraform_data.broker-1-0 (created); name those that are your own by construct path in rollout.ownResources",
     ]
    `);
  });

  test("rejects the plan index-key", () => {
    expect(said("unattributed-change", "index-key")).toMatchInlineSnapshot(`
     [
       "unattributed-change: resources that belong to no group would change: terraform_data.broker-1-revision[0] (moved from terraform_data.broker-1-revision), terraform_data.broker-1-revision[1] (created); name those that are your own by construct path in rollout.ownResources",
       "unattributed-change: what belongs to no group names machines of groups by id: terraform_data.broker-1-revision[1] (<id>, broker-1-0); look machines up by tag where they are needed: an id ends with the next roll",
     ]
    `);
  });
});

describe("replace-not-delete", () => {
  test("accepts a group that shrinks", () => {
    expect(said("replace-not-delete", "group-shrinks")).toEqual([]);
  });

  test("rejects the plan block-dropped", () => {
    expect(said("replace-not-delete", "block-dropped")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of broker-2 would be destroyed in the view broker-0, without a hook: terraform_data.broker-2-leave, terraform_data.broker-2-ready; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-2",
     ]
    `);
  });

  test("rejects the plan host-in-place", () => {
    expect(said("replace-not-delete", "host-in-place")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would not be replaced as they are to be: terraform_data.broker-0-0 (changed in place while its work runs); declare them as this program renders them, without create_before_destroy, moved, import or removed blocks",
     ]
    `);
  });

  test("rejects the plan moved-host", () => {
    expect(said("replace-not-delete", "moved-host")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-1-7 (moved from terraform_data.broker-1-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the plan moved-and-replaced", () => {
    expect(said("replace-not-delete", "moved-and-replaced")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-2 (v1 -> v2, moved from terraform_data.broker-1-0); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the plan imported-and-replaced", () => {
    expect(said("replace-not-delete", "imported-and-replaced")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-0-2 (replaced, imported); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the plan removed-block", () => {
    expect(said("replace-not-delete", "removed-block")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would not be replaced as they are to be: terraform_data.broker-2-leave (forgotten); declare them as this program renders them, without create_before_destroy, moved, import or removed blocks",
     ]
    `);
  });

  test("rejects the plan import-block", () => {
    expect(said("replace-not-delete", "import-block")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would be moved or imported: terraform_data.broker-1-1 (imported); remove what moves or imports them: moved and import blocks, and a count or for_each that came or went",
     ]
    `);
  });

  test("rejects the plan successor-first-host", () => {
    expect(said("replace-not-delete", "successor-first-host")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would not be replaced as they are to be: terraform_data.broker-0-0 (its successor is created before it goes), terraform_data.broker-0-1 (its successor is created before it goes); declare them as this program renders them, without create_before_destroy, moved, import or removed blocks",
     ]
    `);
  });
});

describe("tainted-replacement", () => {
  test("accepts a gate of the group's own that had failed", () => {
    expect(said("tainted-replacement", "tainted-ready")).toEqual([]);
  });

  test("rejects the plan tainted-leave", () => {
    expect(said("tainted-replacement", "tainted-leave")).toMatchInlineSnapshot(`
     [
       "tainted-replacement: terraform_data.broker-0-leave is tainted, so it would be replaced without its hook, and no work would leave; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-leave",
     ]
    `);
  });

  test("rejects the plan tainted-foreign-ready", () => {
    expect(said("tainted-replacement", "tainted-foreign-ready")).toMatchInlineSnapshot(`
     [
       "tainted-replacement: terraform_data.broker-1-ready is tainted, and any view would replace it, though it is broker-1's; finish broker-1 first with: rollout deploy broker-1",
     ]
    `);
  });
});

describe("leave-hook-runs", () => {
  test("accepts a roll that goes on after leave has run", () => {
    expect(said("leave-hook-runs", "resumed-after-leave")).toEqual([]);
  });

  test("rejects the plan leave-held", () => {
    expect(said("leave-hook-runs", "leave-held")).toMatchInlineSnapshot(`
     [
       "leave-hook-runs: 2 machines of broker-0 would go before their work has left, since the hook of terraform_data.broker-0-leave would not run; plan the view as it is synthesized, without -target and -replace: rollout plan broker-0",
     ]
    `);
  });

  test("rejects the plan tainted-unasked", () => {
    expect(said("leave-hook-runs", "tainted-unasked")).toMatchInlineSnapshot(`
     [
       "leave-hook-runs: tainted hosts of broker-0 would be replaced, and no hook would make their work leave: terraform_data.broker-0-1; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-1; then raise generations[0] of pool broker to replace the group whole",
     ]
    `);
  });

  test("rejects the plan relic-made", () => {
    expect(said("replace-not-delete", "relic-made")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of groups would not be replaced as they are to be: terraform_data.broker-0-1-lb-drained (created); declare them as this program renders them, without create_before_destroy, moved, import or removed blocks",
     ]
    `);
  });

  test("counts what goes of earlier versions for no group", () => {
    expect(judge(readFixture("relics-go"))).toMatchObject({ touched: ["broker-0"], violations: [] });
  });

  test("rejects what goes of earlier versions where something declares it, be it for no object, or it goes for another reason", () => {
    const name = "broker-1-0-lb-drained";
    const address = `terraform_data.${name}`;
    const declared = new EditedPlan("relics-go");
    declared.root.resources.push({
      ...{ address, mode: "managed", type: "terraform_data", name, for_each_expression: {} },
      provisioners: [{ type: "local-exec", expressions: { command: { constant_value: "true" } } }],
    });
    const counted = new EditedPlan("relics-go");
    counted.entry(address)["action_reason"] = "delete_because_each_key";
    for (const plan of [declared, counted])
      expect(plan.violations()).toContain(
        `replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: ${address}; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1`,
      );
  });

  test("rejects the plan leave-lost", () => {
    expect(said("leave-hook-runs", "leave-lost")).toMatchInlineSnapshot(`
     [
       "leave-hook-runs: broker-0 has no leave in the state, so these hosts would go before their work has left: broker-0-0 (v1), broker-0-1 (v1); make its leave anew and go on with: rollout deploy broker-0",
     ]
    `);
  });

  test("rejects the plan replace-own-host-and-hooks", () => {
    expect(said("leave-hook-runs", "replace-own-host-and-hooks")).toMatchInlineSnapshot(`
     [
       "leave-hook-runs: hosts of broker-0 would be replaced by the same template, so that leave would let their work stay: terraform_data.broker-0-0; raise generations[0] of pool broker to replace the group whole",
     ]
    `);
  });
});

describe("hooks-as-rendered", () => {
  test("accepts a group whose hooks are rendered, and the telling of a whole cluster", () => {
    expect(said("hooks-as-rendered", "roll-clients")).toEqual([]);
    expect(said("hooks-as-rendered", "roll-consul-server")).toEqual([]);
  });

  test("rejects the plan leave-runs-otherwise", () => {
    expect(said("hooks-as-rendered", "leave-runs-otherwise")).toMatchInlineSnapshot(`
     [
       "hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it runs: true); leave the hooks as they are rendered; remove the override",
     ]
    `);
  });

  test("rejects the plan ready-held", () => {
    expect(said("hooks-as-rendered", "ready-held")).toMatchInlineSnapshot(`
     [
       "hooks-as-rendered: machines would change, and what hangs on them would not be made again: terraform_data.broker-0-ready; leave triggers and lifecycle as they are rendered; remove the override",
     ]
    `);
  });

  test("rejects the plan leave-out-of-order", () => {
    expect(said("hooks-as-rendered", "leave-out-of-order")).toMatchInlineSnapshot(`
     [
       "hooks-as-rendered: members of groups would not wait for what comes before them: terraform_data.broker-0-leave (terraform_data.broker-0-1); leave depends_on as it is rendered; remove the override",
     ]
    `);
  });
});

describe("config-consul-refresh", () => {
  test("accepts a Consul server of which every machine is told", () => {
    expect(said("config-consul-refresh", "roll-consul-server")).toEqual([]);
  });

  test("rejects the plan config-consul-held", () => {
    expect(said("config-consul-refresh", "config-consul-held")).toMatchInlineSnapshot(`
     [
       "config-consul-refresh: 1 config_consul would not learn of the new consul-server-1: terraform_data.broker-2-0-config-consul; give each the ids of all Consul servers as a trigger, replace_triggered_by on the server that goes, and no ignore_changes",
     ]
    `);
  });

  test("rejects the plan config-consul-for-nothing", () => {
    expect(said("config-consul-refresh", "config-consul-for-nothing")).toMatchInlineSnapshot(`
     [
       "config-consul-refresh: config_consul of other groups could be replaced in the view broker-0, which replaces no Consul server: terraform_data.broker-2-0-config-consul; render them with ignore_changes and without replace_triggered_by",
     ]
    `);
  });
});

describe("data-volume-kept", () => {
  test("accepts a group that shrinks and keeps its volumes", () => {
    expect(said("data-volume-kept", "group-shrinks")).toEqual([]);
  });

  test("rejects the plan volume-of-shrunk-group", () => {
    expect(said("data-volume-kept", "volume-of-shrunk-group")).toMatchInlineSnapshot(`
     [
       "data-volume-kept: data volumes would be lost: terraform_data.broker-0-1-data; keep declaring the volumes that the state holds, those of hosts that are gone included",
     ]
    `);
  });

  test("rejects the plan volume-forgotten", () => {
    expect(said("data-volume-kept", "volume-forgotten")).toMatchInlineSnapshot(`
     [
       "data-volume-kept: data volumes would be lost: terraform_data.broker-0-1-data; keep declaring the volumes that the state holds, those of hosts that are gone included",
     ]
    `);
  });

  test("rejects the plan volume-smaller", () => {
    expect(said("data-volume-kept", "volume-smaller")).toMatchInlineSnapshot(`
     [
       "data-volume-kept: data volumes would be smaller, or otherwise than the spec says: terraform_data.broker-0-0-data (10 GiB gp3 -> 5 GiB gp3); synthesize and plan again from the spec as it is now",
     ]
    `);
  });
});

describe("shared-kept", () => {
  test("accepts a load balancer that is changed in place", () => {
    expect(said("shared-kept", "load-balancer-port")).toEqual([]);
  });

  test("rejects the plan shared-replaced", () => {
    expect(said("shared-kept", "shared-replaced")).toMatchInlineSnapshot(`
     [
       "shared-kept: shared parts would not stay what they are: terraform_data.broker-load-balancer (replaced); change only what Terraform can update in place; a replaced target group is empty for all three groups",
     ]
    `);
  });

  test("rejects the plan shared-by-group", () => {
    expect(said("shared-kept", "shared-by-group")).toMatchInlineSnapshot(`
     [
       "shared-kept: shared parts could change in the view broker-0: terraform_data.broker-load-balancer; shared parts come by: npx rollout deploy cluster; here they are declared only if deployed, with prevent_destroy and ignore_changes",
     ]
    `);
  });

  test("rejects the plan own-resource-moved", () => {
    expect(said("shared-kept", "own-resource-moved")).toMatchInlineSnapshot(`
     [
       "shared-kept: shared parts would not stay what they are: terraform_data.zone-new (moved from terraform_data.zone); change only what Terraform can update in place; a replaced target group is empty for all three groups",
     ]
    `);
  });
});

describe("image-as-desired", () => {
  test("accepts the desired image, though from a sensitive variable", () => {
    expect(said("image-as-desired", "sensitive-image")).toEqual([]);
  });

  test("rejects the plan image-other", () => {
    expect(said("image-as-desired", "image-other")).toMatchInlineSnapshot(`
     [
       "image-as-desired: hosts of broker-0 would be otherwise than the spec says: terraform_data.broker-0-1 (image v3, desired v2); synthesize and plan again from the spec as it is now",
     ]
    `);
  });

  test("rejects the plan image-unknown", () => {
    expect(said("image-as-desired", "image-unknown")).toMatchInlineSnapshot(`
     [
       "image-as-desired: hosts of broker-0 would be otherwise than the spec says: terraform_data.broker-0-0 (image known after apply, desired v2); synthesize and plan again from the spec as it is now",
     ]
    `);
  });

  test("rejects the plan history-forged", () => {
    expect(said("image-as-desired", "history-forged")).toMatchInlineSnapshot(`
     [
       "image-as-desired: the history of broker-0 would not end with what the spec says: terraform_data.broker-0-revision; synthesize and plan again from the spec as it is now",
     ]
    `);
  });
});

describe("a pool that retires", () => {
  const saidOf = (name: string): string[] =>
    judge(readFixture(name)).violations.map((violation) => formatViolation(violation));

  test("accepts the roll of one group to no host, and the end of what is left", () => {
    expect(["retire-group", "retire-end", "retire-end-deleting"].flatMap(saidOf)).toEqual([]);
  });

  test("rejects two groups at once", () => {
    expect(saidOf("retire-two-groups")).toMatchInlineSnapshot(`
     [
       "one-group: 2 groups would change in one plan: broker-0 (terraform_data.broker-0-0 (deleted) and 8 more), broker-1 (terraform_data.broker-1-0 (deleted) and 5 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-0-target, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
  });

  test("rejects removed blocks in the place of the hook", () => {
    expect(saidOf("retire-without-hook")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of broker-0 would be destroyed in the view broker-0, without a hook: terraform_data.broker-0-leave, terraform_data.broker-0-ready, terraform_data.broker-0-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-0",
     ]
    `);
  });

  test("rejects the end of a pool that has machines", () => {
    expect(saidOf("retire-too-early")).toMatchInlineSnapshot(`
     [
       "one-group: 3 groups would change in one plan: broker-0 (terraform_data.broker-0-0-data (deleted) and 4 more), broker-1 (terraform_data.broker-1-0 (deleted) and 6 more), broker-2 (terraform_data.broker-2-0 (deleted) and 6 more); plan the view of one group; all others are frozen there",
       "replace-not-delete: members of broker-0 would be destroyed in the view cluster, without a hook: terraform_data.broker-0-leave, terraform_data.broker-0-ready, terraform_data.broker-0-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-0",
       "replace-not-delete: members of broker-1 would be destroyed in the view cluster, without a hook: terraform_data.broker-1-0, terraform_data.broker-1-0-config-consul, terraform_data.broker-1-0-data-attachment, terraform_data.broker-1-leave, terraform_data.broker-1-ready, terraform_data.broker-1-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
       "replace-not-delete: members of broker-2 would be destroyed in the view cluster, without a hook: terraform_data.broker-2-0, terraform_data.broker-2-0-config-consul, terraform_data.broker-2-0-data-attachment, terraform_data.broker-2-leave, terraform_data.broker-2-ready, terraform_data.broker-2-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-2",
       "data-volume-kept: data volumes would be lost: terraform_data.broker-0-0-data, terraform_data.broker-0-1-data, terraform_data.broker-1-0-data, terraform_data.broker-2-0-data; keep declaring the volumes that the state holds, those of hosts that are gone included",
       "shared-kept: shared parts would be destroyed: terraform_data.broker-load-balancer; put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL",
     ]
    `);
  });

  test("rejects that a data volume is deleted unasked", () => {
    expect(saidOf("retire-volume-deleted")).toMatchInlineSnapshot(`
     [
       "data-volume-kept: data volumes of broker would be deleted, and it retires with keep-volumes: terraform_data.broker-0-0-data; synthesize and plan again; to delete them: rollout retire broker --delete-volumes",
     ]
    `);
  });

  test("rejects that a group of servers goes", () => {
    expect(saidOf("retire-server")).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of nomad-server-0 would be destroyed in the view nomad-server-0, without a hook: terraform_data.nomad-server-0-0, terraform_data.nomad-server-0-0-config-consul, terraform_data.nomad-server-0-leave, terraform_data.nomad-server-0-ready, terraform_data.nomad-server-0-revision; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy nomad-server-0",
       "image-as-desired: nomad-server-0 would have 0 hosts, desired 1; synthesize and plan again from the spec as it is now",
     ]
    `);
  });
});

describe("one-batch", () => {
  test.each(["batch-first", "batch-last", "roll-clients"])("accepts the plan %s", (name) => {
    expect(said("one-batch", name)).toEqual([]);
  });

  test("rejects the plan batch-touches-waiting", () => {
    expect(said("one-batch", "batch-touches-waiting")).toMatchInlineSnapshot(`
     [
       "one-batch: machines of broker-0 that wait for a later batch would change: terraform_data.broker-0-1 (v1 -> v2), terraform_data.broker-0-1-data-attachment (replaced), terraform_data.broker-0-1-target (replaced); declare them as they are deployed; remove the override",
       "one-batch: 2 machines of broker-0 would be replaced at once, and pools.broker.maxUnavailable is 1: broker-0-0, broker-0-1; make the plan by: rollout deploy broker-0",
     ]
    `);
  });

  test("rejects the plan batch-recorded", () => {
    expect(said("one-batch", "batch-recorded")).toMatchInlineSnapshot(`
     [
       "one-batch: broker-0 would be recorded as whole while machines wait for a later batch: broker-0-1; make the plan by: rollout deploy broker-0, which keeps the gate closed",
     ]
    `);
  });

  test("rejects machines of the batch that would keep the old image", () => {
    expect(said("image-as-desired", "batch-keeps-old-image")).toMatchInlineSnapshot(`
     [
       "image-as-desired: hosts of broker-0 would be otherwise than the spec says: terraform_data.broker-0-0 (image v1, desired v2; template hash 1d3d40f4ad, desired 0ae161754a); synthesize and plan again from the spec as it is now",
     ]
    `);
  });

  test("rejects a leave that is not told which machines wait", () => {
    expect(said("hooks-as-rendered", "batch-leaves-all")).toMatchInlineSnapshot(`
     [
       "hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it is called with: leave broker-0 --hash 0ae161754a --stay broker-0-0,broker-0-1, not with: leave broker-0 --hash 0ae161754a --stay broker-0-0,broker-0-1 --waiting broker-0-1); leave the hooks as they are rendered; remove the override",
     ]
    `);
  });

  test("rejects more machines at once than maxUnavailable in a plan of rollout deploy, and in no other", () => {
    const { plan, spec, deployed } = readFixture("batch-whole-group");
    const violations = (inBatches: boolean): string[] =>
      judgePlan(readPlan(new TextEncoder().encode(plan)), { spec, deployed, inBatches }).violations.map(
        formatViolation,
      );
    expect(violations(false)).toEqual([]);
    expect(violations(true)).toMatchInlineSnapshot(`
     [
       "one-batch: 2 machines of broker-0 would be replaced at once, and pools.broker.maxUnavailable is 1: broker-0-0, broker-0-1; make the plan by: rollout deploy broker-0",
     ]
    `);
  });
});
