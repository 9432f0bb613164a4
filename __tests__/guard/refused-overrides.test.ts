import { describe, expect, test } from "@jest/globals";
import { Construct } from "constructs";
import { TerraformData } from "../../constructs/terraform-data.js";
import type { Deployed } from "../../cluster/deployed.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  deployedAs,
  exampleSpec,
  localSpec,
  poolOf,
  refusal,
  resourceIn,
  resourcesOf,
  withoutAddresses,
  type Tamper,
} from "../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);
/** broker-0 gets a new image. */
const rolling = newImage("broker", 0);
/** consul-server-1 gets a new image. */
const telling = newImage("consul-server", 1);

describe("a host", () => {
  test("refuses another image for a host of another group", () => {
    const aws = exampleSpec();
    const spec = change(aws, (edited) => {
      poolOf(edited, "broker").images[0] = "ami-0bbb";
    });
    const tamper = override("aws_instance.broker-1-2", "ami", "ami-0bbb");
    expect(refusal(spec, deployedAs(aws), "broker-0", tamper)).toMatchInlineSnapshot(
      `"target-group: broker-1 would change in the view broker-0: aws_instance.broker-1-2 (ami-0aaa -> ami-0bbb); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
  });

  test("refuses another image for a host of the group that is rolled", () => {
    const aws = exampleSpec();
    const spec = change(aws, (edited) => {
      poolOf(edited, "broker").images[0] = "ami-0bbb";
    });
    const tamper = override("aws_instance.broker-0-2", "ami", "ami-0ccc");
    expect(refusal(spec, deployedAs(aws), "broker-0", tamper)).toMatchInlineSnapshot(
      `"image-as-desired: hosts of broker-0 would be otherwise than the spec says: aws_instance.broker-0-2 (image ami-0ccc, desired ami-0bbb); change broker-0 in cluster.yaml instead of overriding it"`,
    );
  });

  test("refuses another type, subnet or user data for a host of another group", () => {
    const aws = exampleSpec();
    const deployed = deployedAs(aws);
    const tamper =
      (...changes: readonly (readonly [string, string])[]): Tamper =>
      (view) => {
        for (const [path, value] of changes)
          resourceIn(view, "aws_instance.name-server-1-0").addOverride(path, value);
      };
    expect(
      refusal(aws, deployed, "cluster", tamper(["instance_type", "t3.large"], ["subnet_id", "subnet-0a1"])),
    ).toMatchInlineSnapshot(
      `"target-group: name-server-1 would change in the view cluster: aws_instance.name-server-1-0 (t3.small -> t3.large, subnet-0b1 -> subnet-0a1); declare name-server-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
    expect(refusal(aws, deployed, "cluster", tamper(["user_data", "#!/bin/sh"]))).toMatchInlineSnapshot(
      `"target-group: name-server-1 would change in the view cluster: aws_instance.name-server-1-0 (template a651fe3015 -> none); declare name-server-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
  });

  test("refuses an image that the stack, not the host, overrides", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("resource.terraform_data.broker-1-0.input.image", "ami-0ccc");
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-0 (ami-0aaa -> ami-0ccc); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
  });

  test("refuses user data that would not replace the machine", () => {
    const aws = exampleSpec();
    const spec = change(aws, (edited) => {
      poolOf(edited, "broker").images[0] = "ami-0bbb";
    });
    const tamper = override("aws_instance.broker-0-0", "user_data_replace_on_change", false);
    expect(refusal(spec, deployedAs(aws), "broker-0", tamper)).toMatchInlineSnapshot(
      `"image-as-desired: hosts of broker-0 would be otherwise than the spec says: aws_instance.broker-0-0 (template hash none, desired 1556e11189); change broker-0 in cluster.yaml instead of overriding it"`,
    );
  });

  test("refuses a host of the group that is rolled that would stay as it is", () => {
    const tamper = override("terraform_data.broker-0-0", "lifecycle", { ignore_changes: ["input"] });
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"image-as-desired: hosts of broker-0 would stay as they are, though they are to be replaced: terraform_data.broker-0-0; remove prevent_destroy and ignore_changes from them in this view"`,
    );
  });

  test("refuses a host that is rendered outside of the view that may", () => {
    const tamper = add("broker-1-3", ["pools", "broker", "broker-1"]);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-3 (created); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
  });

  test("refuses a host that is dropped from another group", () => {
    const tamper = drop("broker-1-2", ["pools", "broker", "broker-1"]);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-2; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1"`,
    );
  });

  test("refuses a block that stands for any number of hosts", () => {
    const tamper = override("terraform_data.broker-1-2", "count", 0);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(`
     "target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-2 (created); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view
     replace-not-delete: members of broker-1 would be destroyed in the view broker-0, without a hook: terraform_data.broker-1-2; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1"
    `);
  });

  test("refuses a resource of the user's own with the address of a member", () => {
    const tamper: Tamper = (view) => {
      new TerraformData(view, { name: "broker-1-0", protection: "live", input: { image: "ami-0ccc" } });
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"unattributed-change: addresses of a group are declared outside of it: terraform_data.broker-1-0 at broker-0/broker-1-0; give the resource another name, or declare it in the group"`,
    );
  });
});

describe("the freeze", () => {
  test("refuses a group that lost it", () => {
    const tamper: Tamper = (view) => {
      resourceIn(view, "terraform_data.broker-2-0").lifecycle = {};
      resourceIn(view, "terraform_data.broker-2-ready").addOverride("lifecycle.ignore_changes", ["input"]);
      resourceIn(view, "terraform_data.name-server-0-leave").addOverride("lifecycle.prevent_destroy", false);
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(`
     "freeze-kept: broker-2 is not frozen in the view broker-0: terraform_data.broker-2-0, terraform_data.broker-2-ready; leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override
     freeze-kept: name-server-0 is not frozen in the view broker-0: terraform_data.name-server-0-leave; leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override"
    `);
  });

  test("refuses a group that lost it in the cluster view, too", () => {
    const tamper = override("terraform_data.broker-2-0", "lifecycle.prevent_destroy", false);
    expect(refusal(local, standing, "cluster", tamper)).toMatchInlineSnapshot(
      `"freeze-kept: broker-2 is not frozen in the view cluster: terraform_data.broker-2-0; leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override"`,
    );
  });

  test("refuses shared parts that are not frozen in the view of a group", () => {
    const tamper = override("terraform_data.broker-load-balancer", "lifecycle.ignore_changes", ["input"]);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"shared-kept: shared parts could change in the view broker-0: terraform_data.broker-load-balancer; shared parts come by: npx rollout deploy cluster; here they are declared only if deployed, with prevent_destroy and ignore_changes"`,
    );
  });

  test("refuses shared parts that the view of a group would create", () => {
    const deployed = withoutAddresses(standing, "terraform_data.broker-load-balancer");
    const tamper = add("broker-load-balancer", ["pools", "broker"]);
    expect(
      refusal(newImage("name-server", 0), noTargets(deployed), "name-server-0", tamper),
    ).toMatchInlineSnapshot(
      `"shared-kept: shared parts could change in the view name-server-0: terraform_data.broker-load-balancer; shared parts come by: npx rollout deploy cluster; here they are declared only if deployed, with prevent_destroy and ignore_changes"`,
    );
  });
});

describe("leave", () => {
  test("refuses one that runs nothing when it is destroyed", () => {
    const tamper: Tamper = (view) => {
      resourceIn(view, "terraform_data.broker-0-leave").provisioners = [];
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it runs nothing); leave the hooks as they are rendered; remove the override"`,
    );
  });

  test("refuses one that is frozen in the view that must replace it", () => {
    const frozen = override("terraform_data.broker-0-leave", "lifecycle.prevent_destroy", true);
    const deaf = override("terraform_data.broker-0-leave", "lifecycle.ignore_changes", ["triggers_replace"]);
    expect(refusal(rolling, standing, "broker-0", frozen)).toMatchInlineSnapshot(
      `"leave-hook-runs: machines of broker-0 could go before their work has left: terraform_data.broker-0-leave: it is frozen in the view that must replace it; leave the hook as it is rendered; remove the override"`,
    );
    expect(refusal(rolling, standing, "broker-0", deaf)).toBe(refusal(rolling, standing, "broker-0", frozen));
  });

  test("refuses one that is triggered by another template", () => {
    const tamper = override("terraform_data.broker-0-leave", "triggers_replace.hash", "old");
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"leave-hook-runs: machines of broker-0 could go before their work has left: terraform_data.broker-0-leave: its trigger hash is old, desired 1556e11189; leave the hook as it is rendered; remove the override"`,
    );
  });

  test("refuses one that is not declared", () => {
    const tamper = drop("broker-0-leave", ["pools", "broker", "broker-0"]);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(`
     "replace-not-delete: members of broker-0 would be destroyed in the view broker-0, without a hook: terraform_data.broker-0-leave; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-0
     leave-hook-runs: machines of broker-0 could go before their work has left: terraform_data.broker-0-leave: it is not declared; leave the hook as it is rendered; remove the override"
    `);
  });

  test("refuses create_before_destroy in a group, which would take the hook from leave", () => {
    const tamper = override("terraform_data.broker-0-ready", "lifecycle.create_before_destroy", true);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"leave-hook-runs: create_before_destroy would keep leave hooks from running: terraform_data.broker-0-ready; remove it: here the old goes first, once its work has left"`,
    );
  });

  test("refuses one that is rendered for a group outside of the view that may", () => {
    const spec = change(rolling, (edited) => {
      Object.assign(edited.pools, { cache: poolOf(edited, "name-server") });
    });
    const tamper = add("cache-0-leave", ["pools", "cache", "cache-0"]);
    expect(refusal(spec, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"target-group: cache-0 would change in the view broker-0: terraform_data.cache-0-leave (created); new groups come by: npx rollout deploy cluster"`,
    );
  });
});

describe("config_consul", () => {
  test("refuses a Consul target without the triggers on every one", () => {
    const tamper: Tamper = (view) => {
      const [replaced, ids, held] = [0, 1, 2].map((host) =>
        resourceIn(view, `terraform_data.broker-1-${String(host)}-config-consul`),
      );
      if (replaced) replaced.lifecycle = {};
      ids?.addOverride("triggers_replace.servers", "${terraform_data.consul-server-0-0.id}");
      held?.addOverride("lifecycle.ignore_changes", "all");
    };
    expect(refusal(telling, standing, "consul-server-1", tamper)).toMatchInlineSnapshot(
      `"config-consul-refresh: 3 config_consul would not learn of the new consul-server-1: terraform_data.broker-1-0-config-consul, terraform_data.broker-1-1-config-consul, terraform_data.broker-1-2-config-consul; give each the ids of all Consul servers as a trigger, replace_triggered_by on the server that goes, and no ignore_changes"`,
    );
  });

  test("refuses a Consul target where a machine has none", () => {
    const tamper = drop("broker-1-0-config-consul", ["pools", "broker", "broker-1"]);
    expect(refusal(telling, standing, "consul-server-1", tamper)).toMatchInlineSnapshot(`
     "replace-not-delete: members of broker-1 would be destroyed in the view consul-server-1, without a hook: terraform_data.broker-1-0-config-consul; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1
     hooks-as-rendered: hooks would be recorded as ended without a look at their marks: terraform_data.consul-server-1-revision; leave the precondition as it is rendered; remove the override
     config-consul-refresh: no config_consul would tell these machines of the new Consul server: terraform_data.broker-1-0; declare a config_consul for each host; remove the override"
    `);
  });

  test("refuses a client target with the triggers of a Consul target", () => {
    const tamper: Tamper = (view) => {
      resourceIn(view, "terraform_data.broker-1-0-config-consul").addOverride("lifecycle", {
        replace_triggered_by: ["terraform_data.broker-0-0.id"],
        ignore_changes: "all",
      });
      resourceIn(view, "terraform_data.broker-2-0-config-consul").lifecycle = {};
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(`
     "unattributed-change: members of groups and shared parts would use what is not theirs: terraform_data.broker-1-0-config-consul (terraform_data.broker-0-0.id); leave them as they are rendered; remove the override
     config-consul-refresh: config_consul of other groups could be replaced in the view broker-0, which replaces no Consul server: terraform_data.broker-1-0-config-consul, terraform_data.broker-2-0-config-consul; render them with ignore_changes and without replace_triggered_by"
    `);
  });

  test("refuses one that another group's view would create", () => {
    const deployed = withoutAddresses(standing, "terraform_data.broker-1-0-config-consul");
    const tamper = add("broker-1-0-config-consul", ["pools", "broker", "broker-1"]);
    expect(refusal(rolling, deployed, "broker-0", tamper)).toMatchInlineSnapshot(`
     "hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-1-0-config-consul (it runs nothing); leave the hooks as they are rendered; remove the override
     config-consul-refresh: config_consul of other groups could be replaced in the view broker-0, which replaces no Consul server: terraform_data.broker-1-0-config-consul; render them with ignore_changes and without replace_triggered_by"
    `);
  });

  test("refuses the cluster view to tell machines that stand, if it makes no Consul server", () => {
    const tamper = thaw("terraform_data.nomad-server-1-0-config-consul");
    expect(refusal(local, standing, "cluster", tamper)).toMatchInlineSnapshot(
      `"config-consul-refresh: config_consul of other groups could be replaced in the view cluster, which replaces no Consul server: terraform_data.nomad-server-1-0-config-consul; render them with ignore_changes and without replace_triggered_by"`,
    );
  });
});

describe("data volumes", () => {
  test("refuses one without prevent_destroy", () => {
    const tamper = thaw("terraform_data.broker-0-0-data");
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"data-volume-kept: data volumes could be destroyed: terraform_data.broker-0-0-data; leave prevent_destroy on every data volume; remove the override"`,
    );
  });

  test("refuses one that is dropped", () => {
    const tamper = drop("broker-0-0-data", ["pools", "broker", "broker-0"]);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"data-volume-kept: data volumes would be lost: terraform_data.broker-0-0-data; keep declaring the volumes that the state holds, those of hosts that are gone included"`,
    );
  });

  test("refuses another size for one of another group", () => {
    const tamper = override("terraform_data.broker-1-0-data", "input.sizeGib", 200);
    expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(
      `"target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-0-data (100 GiB -> 200 GiB); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view"`,
    );
  });
});

test("tells all that is wrong at once", () => {
  const tamper: Tamper = (view) => {
    resourceIn(view, "terraform_data.broker-1-0").addOverride("input.image", "ami-0ccc");
    resourceIn(view, "terraform_data.broker-0-0-data").lifecycle = {};
    resourceIn(view, "terraform_data.name-server-0-0").lifecycle = {};
  };
  expect(refusal(rolling, standing, "broker-0", tamper)).toMatchInlineSnapshot(`
   "target-group: broker-1 would change in the view broker-0: terraform_data.broker-1-0 (ami-0aaa -> ami-0ccc); declare broker-1 there as it is deployed; what is wanted of it belongs in cluster.yaml and comes by its own view
   freeze-kept: name-server-0 is not frozen in the view broker-0: terraform_data.name-server-0-0; leave prevent_destroy and ignore_changes of foreign groups as they are rendered; remove the override
   data-volume-kept: data volumes could be destroyed: terraform_data.broker-0-0-data; leave prevent_destroy on every data volume; remove the override"
  `);
});

describe("blocks that are written as lists or objects, which Terraform reads alike", () => {
  test.each([
    ["terraform_data.broker-0-leave", "lifecycle", [{ create_before_destroy: true }], "leave-hook-runs"],
    ["terraform_data.broker-0-leave", "lifecycle", { create_before_destroy: "true" }, "leave-hook-runs"],
    ["terraform_data.broker-0-leave", "lifecycle", [{ ignore_changes: "all" }], "leave-hook-runs"],
    ["terraform_data.broker-0-0", "provisioner", { "local-exec": { command: "true" } }, "hooks-as-rendered"],
    [
      "terraform_data.broker-1-ready",
      "lifecycle",
      { ignore_changes: "all", replace_triggered_by: ["terraform_data.broker-0-0"] },
      "freeze-kept",
    ],
  ])("refuses %s with %s %j", (address, path, value, rule) => {
    expect(refusal(rolling, standing, "broker-0", override(address, path, value))).toContain(`${rule}: `);
  });
});

describe("the stack itself", () => {
  test.each([
    "module",
    "moved",
    "import",
    "removed",
    "ephemeral",
    "action",
    "check",
    "anything_new",
    "terraform.cloud",
    "terraform.encryption",
    "terraform.experiments",
    "terraform.state_store",
    "terraform.provider_meta",
  ])("refuses a %s block", (block) => {
    const tamper: Tamper = (view) => {
      view.addOverride(block, [{}]);
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toBe(
      `unattributed-change: the stack has blocks that cannot be judged: ${block}; remove them: members of groups come from the pools that are declared, and resources of your own from inEachView, one by one`,
    );
  });

  test.each([
    ["variable.rollout_view", "variable.rollout_view.default", "broker-1"],
    ["variable.rollout_base", "variable.rollout_base.default.broker-1", 9],
    ["variable.rollout_own", "variable.rollout_own.default", { "terraform_data.broker-x": "zone" }],
    ["terraform.backend", "terraform.backend.local.path", "another.tfstate"],
    ["terraform.backend", "terraform.backend.s3.bucket", "another"],
  ])("refuses another %s", (what, path, value) => {
    const tamper: Tamper = (view) => {
      view.addOverride(path, value);
    };
    expect(refusal(rolling, standing, "broker-0", tamper)).toBe(
      `base-revision: the view broker-0 would say otherwise than it was made from: ${what}; leave them as they are rendered; the backend belongs in cluster.yaml`,
    );
  });

  test("refuses another key of a bucket", () => {
    const backend = { type: "s3", bucket: "states", key: "demo.tfstate", region: "eu-west-1" } as const;
    const tamper: Tamper = (view) => {
      view.addOverride("terraform.backend.s3.key", "other.tfstate");
    };
    expect(resourcesOf({ ...rolling, backend }, standing, "broker-0").size).toBe(101);
    expect(refusal({ ...rolling, backend }, standing, "broker-0", tamper)).toMatch(
      /^base-revision: .*terraform\.backend; /,
    );
  });

  test("accepts a state's path however it is written", () => {
    for (const path of ["./terraform.demo.tfstate", "../states/demo.tfstate", "/states/demo.tfstate"]) {
      const spec = { ...rolling, backend: { type: "local", path } as const };
      expect(resourcesOf(spec, standing, "broker-0").size).toBe(101);
    }
  });
});

test("refuses hooks of another program", () => {
  const tamper: Tamper = (view) => {
    for (const each of view.node.findAll()) {
      const [call] = (each as { provisioners?: { command: string }[] }).provisioners ?? [];
      if (call) call.command = call.command.replace("../../..", "/tmp");
    }
  };
  expect(refusal(rolling, standing, "broker-0", tamper)).toMatch(
    /^hooks-as-rendered: hooks would not run what they are rendered with: terraform_data\.broker-0-0-config-consul \(it runs: exec node "\/tmp\/dist\/bin\/rollout\.js" hook /,
  );
});

test("what is not tampered with passes", () => {
  expect(resourcesOf(rolling, standing, "broker-0").size).toBe(101);
  expect(resourcesOf(telling, standing, "consul-server-1").size).toBe(101);
});

function newImage(pool: string, index: 0 | 1 | 2): Spec {
  return change(local, (spec) => {
    poolOf(spec, pool).images[index] = "ami-0bbb";
  });
}

/** The escape hatch of a resource. */
function override(address: string, path: string, value: unknown): Tamper {
  return (view) => {
    resourceIn(view, address).addOverride(path, value);
  };
}

/** Takes the lifecycle block of a resource away. */
function thaw(address: string): Tamper {
  return (view) => {
    resourceIn(view, address).lifecycle = {};
  };
}

/** Declares one resource more, frozen, in the construct of that path. */
function add(name: string, path: readonly string[]): Tamper {
  return (view) => {
    new TerraformData(constructAt(view, path), { name, protection: "frozen", input: { image: "ami-0aaa" } });
  };
}

/** Takes the construct of a member out of its group. */
function drop(name: string, group: readonly string[]): Tamper {
  return (view) => {
    expect(constructAt(view, group).node.tryRemoveChild(name)).toBe(true);
  };
}

const constructAt = (root: Construct, path: readonly string[]): Construct =>
  path.reduce(
    (scope, id) => childrenOf(scope).find(({ node }) => node.id === id) ?? new Construct(scope, id),
    root,
  );

const childrenOf = ({ node }: Construct): Construct[] =>
  node.children.filter((child): child is Construct => Construct.isConstruct(child));

/** What is deployed, without anything that attaches hosts to a load balancer. */
function noTargets(deployed: Deployed): Deployed {
  const attached = [...deployed.addresses].filter((address) => address.endsWith("-target"));
  return withoutAddresses(deployed, ...attached);
}
