import { describe, expect, test } from "@jest/globals";
import { TerraformResource } from "cdktf";
import { Construct } from "constructs";
import { TerraformData } from "../../constructs/terraform-data.js";
import type { Verdict } from "../../guard/verdict.js";
import { formatViolation } from "../../guard/verdict.js";
import {
  change,
  deployedAs,
  poolOf,
  refusal,
  resourceIn,
  smallAwsSpec,
  smallSpec,
  synthesize,
  type Tamper,
} from "../support/fixtures.js";
import { judge, readFixture, type PlanFixture } from "./plan/plan-fixture.js";

const spec = change(smallSpec(), (edited) => {
  edited.rollout.ownResources = ["mine"];
  poolOf(edited, "broker").images[0] = "v2";
});
const deployed = deployedAs(smallSpec());
const aws = change(smallAwsSpec(), (edited) => {
  edited.rollout.ownResources = ["mine", "mine-ssh", "mine-edge"];
});
const HOST = "${terraform_data.broker-1-0.id}";

describe("at synth", () => {
  test("accepts what a user does beside a cluster", () => {
    const tamper: Tamper = (view) => {
      mine(view, "zone", "shared");
      view.addOverride("locals", { host: HOST, domain: "broker-1-0.example.com", name: "a" });
      view.addOverride("output.address", { value: `${HOST} \${local.host}` });
      view.addOverride("data.terraform_remote_state.network", { backend: "local", config: { path: "n" } });
      view.addOverride("terraform.required_providers.cloudflare", { source: "cloudflare/cloudflare" });
      view.addOverride("provider.cloudflare", [{ alias: "second" }, {}]);
      if (view.target !== undefined) return;
      view.addOverride("resource.terraform_data.zone.count", 2);
      view.addOverride("resource.terraform_data.zone.lifecycle.precondition", [
        { condition: '${var.rollout_gate != ""}', error_message: "no" },
      ]);
      view.addOverride("resource.terraform_data.zone.triggers_replace", [
        "${data.terraform_remote_state.network.outputs.a}",
        "broker-1-0.${local.name}",
        '${file("/dev/null")}',
      ]);
    };
    expect(synthesize(spec, deployed, ["cluster", "broker-0"], tamper).size).toBe(2);
  });

  test("accepts what a user does beside a cluster on aws", () => {
    const rule = "resource.aws_vpc_security_group_ingress_rule.ssh";
    const tamper: Tamper = (view) => {
      if (view.target !== undefined) return;
      ownOf(view, "ssh", "aws_vpc_security_group_ingress_rule");
      ownOf(view, "edge", "aws_acm_certificate");
      view.addOverride(rule, {
        security_group_id: "${aws_security_group.cluster.id}",
        cidr_ipv4: "10.0.0.0/8",
        ip_protocol: "tcp",
      });
      view.addOverride("resource.aws_acm_certificate.edge", {
        provider: "aws.edge",
        domain_name: "${data.aws_route53_zone.main.name}",
        lifecycle: { create_before_destroy: true },
      });
      view.addOverride("data.aws_route53_zone.main", { name: "example.com" });
      view.addOverride("data.aws_instances.all", { instance_tags: { "rollout:cluster": "demo" } });
      view.addOverride("provider.aws", [{ region: "eu-west-1" }, { alias: "edge", region: "us-east-1" }]);
    };
    expect(synthesize(aws, deployedAs(aws), ["cluster"], tamper).size).toBe(1);
  });

  const RUNS = "; remove that: run it beside Terraform, in a job of its own";
  const NAMES =
    "; look machines up by tag where they are needed, or publish what is needed of them as an output";
  const IDS = "; look machines up by tag where they are needed: an id ends with the next roll";

  test.each<[string, string, unknown, string]>([
    [
      "a provisioner",
      "provisioner",
      { "local-exec": { command: "reboot" } },
      `run a program: terraform_data.zone (provisioner)${RUNS}`,
    ],
    [
      "a connection",
      "connection",
      { host: "10.0.0.1" },
      `run a program: terraform_data.zone (connection)${RUNS}`,
    ],
    [
      "an action",
      "lifecycle.action_trigger",
      [{ events: ["after_update"] }],
      `run a program: terraform_data.zone (action_trigger)${RUNS}`,
    ],
    [
      "a machine in a value",
      "input",
      { a: [HOST] },
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine that it waits for",
      "depends_on",
      ["terraform_data.broker-1-0"],
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine that replaces it",
      "lifecycle.replace_triggered_by",
      ["terraform_data.broker-1-0"],
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine in a condition",
      "lifecycle.precondition",
      [{ condition: `\${${HOST.slice(2, -1)} != ""}` }],
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine by a named value",
      "input",
      "${local.host}",
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine by a data source",
      "input",
      "${data.terraform_remote_state.mine.outputs.a}",
      `names members of groups: terraform_data.zone (terraform_data.broker-1-0)${NAMES}`,
    ],
    [
      "a machine's id",
      "input",
      "i-broker-1-0",
      `names machines of groups by id: terraform_data.zone (i-broker-1-0, broker-1-0)${IDS}`,
    ],
    [
      "a machine's id by a data source",
      "input",
      "${data.terraform_remote_state.byId.outputs.a}",
      `names machines of groups by id: terraform_data.zone (i-broker-1-0, broker-1-0)${IDS}`,
    ],
  ])("refuses %s", (_what, path, value, said) => {
    const tamper: Tamper = (view) => {
      mine(view, "zone", "shared");
      view.addOverride(`resource.terraform_data.zone.${path}`, value);
      view.addOverride("locals", { host: "${local.deeper}", deeper: HOST });
      view.addOverride("data.terraform_remote_state", {
        mine: { backend: "local", config: { path: "${data.terraform_remote_state.further.outputs.a}" } },
        further: { backend: "local", depends_on: ["terraform_data.broker-1-0"] },
        byId: { backend: "local", config: { path: "i-broker-1-0" } },
      });
    };
    expect(refusal(spec, deployed, "cluster", tamper)).toBe(
      `unattributed-change: what belongs to no group would ${said}`.replace("would names", "names"),
    );
  });

  test.each(["external", "local_command", "shell_script", "aws_lambda_invocation"])(
    "refuses the data source %s, which runs a program",
    (type) => {
      const tamper: Tamper = (view) => {
        view.addOverride(`data.${type}.x`, { program: ["reboot"] });
      };
      expect(refusal(spec, deployed, "broker-0", tamper)).toBe(
        `unattributed-change: what belongs to no group would run a program: data.${type}.x (program)${RUNS}`,
      );
    },
  );

  test("refuses a data source that may write and is given the address of a machine", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("data.http.stop", { url: `http://${HOST}/`, method: "POST" });
    };
    expect(refusal(spec, deployed, "broker-0", tamper)).toBe(
      `unattributed-change: what belongs to no group names members of groups: data.http.stop (terraform_data.broker-1-0)${NAMES}`,
    );
  });

  test("refuses a provider that is given the address of a machine", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("provider.nomad", [{ address: `http://${HOST}:4646` }]);
    };
    expect(refusal(spec, deployed, "broker-0", tamper)).toBe(
      `unattributed-change: what belongs to no group names members of groups: provider.nomad (terraform_data.broker-1-0)${NAMES}`,
    );
  });

  test("refuses the same in a list of blocks, which Terraform's JSON may have in the place of one", () => {
    const body = { "//": { metadata: { path: "cluster/mine/zone" } }, provisioner: [{ "local-exec": {} }] };
    for (const [path, value] of [
      ["resource.terraform_data.zone", [body]],
      ["resource.null_resource", [{ zone: body }]],
    ] as const) {
      const tamper: Tamper = (view) => {
        view.addOverride(path, value);
      };
      expect(refusal(spec, deployed, "cluster", tamper)).toMatch(
        / would run a program: \w+\.zone \(provisioner\)/,
      );
    }
  });

  test("refuses a provisioner of a shared part", () => {
    const balanced = change(smallSpec(), (edited) => {
      poolOf(edited, "broker").loadBalancer = {
        port: 80,
        protocol: "tcp",
        internal: true,
        deregistrationDelay: "60s",
      };
    });
    const tamper: Tamper = (view) => {
      resourceIn(view, "terraform_data.broker-load-balancer").addOverride("provisioner", [
        { "local-exec": {} },
      ]);
    };
    expect(refusal(balanced, deployedAs(balanced), "cluster", tamper)).toBe(
      `unattributed-change: what belongs to no group would run a program: terraform_data.broker-load-balancer (provisioner)${RUNS}`,
    );
  });
});

describe("by a plan", () => {
  test("names what is the user's own, whether it changes or not", () => {
    expect(judge(readFixture("own-resource-created")).own).toEqual(["terraform_data.zone"]);
    expect(judge(readFixture("data-source"))).toMatchObject({
      verdict: "accepted",
      own: ["data.terraform_remote_state.self"],
    });
    expect(judge(readFixture("aws-no-op")).own).toEqual([]);
  });

  test.each<[string, (zone: Json, json: Json) => void, string]>([
    [
      "a provisioner",
      (zone) => {
        zone["provisioners"] = [
          { type: "local-exec", expressions: { command: { constant_value: "reboot" } } },
        ];
      },
      "what belongs to no group would run a program: terraform_data.zone (provisioner); remove that: run it beside Terraform, in a job of its own",
    ],
    [
      "a machine in a value",
      (zone) => {
        zone["expressions"] = {
          input: { references: ["terraform_data.broker-1-0.id", "terraform_data.broker-1-0"] },
        };
      },
      "what belongs to no group names members of groups: terraform_data.zone (terraform_data.broker-1-0); look machines up by tag where they are needed, or publish what is needed of them as an output",
    ],
    [
      "a machine in its count",
      (zone) => {
        zone["count_expression"] = { references: ["terraform_data.broker-1-0.id"] };
      },
      "what belongs to no group names members of groups: terraform_data.zone (terraform_data.broker-1-0); look machines up by tag where they are needed, or publish what is needed of them as an output",
    ],
    [
      "a machine that it waits for",
      (zone) => {
        zone["depends_on"] = ["terraform_data.broker-1-0"];
      },
      "what belongs to no group names members of groups: terraform_data.zone (terraform_data.broker-1-0); look machines up by tag where they are needed, or publish what is needed of them as an output",
    ],
    [
      "a module",
      (_, json) => {
        rootOf(json)["module_calls"] = { dns: { source: "./dns" } };
      },
      "the stack has blocks that cannot be judged: module.dns; remove them: members of groups come from the pools that are declared, and resources of your own from inEachView, one by one",
    ],
    [
      "an action",
      (_, json) => {
        rootOf(json)["actions"] = [{ address: "x", type: "aws_ec2_stop_instance", name: "stop" }];
      },
      "the stack has blocks that cannot be judged: action.aws_ec2_stop_instance.stop; remove them: members of groups come from the pools that are declared, and resources of your own from inEachView, one by one",
    ],
    [
      "a provider that is given the address of a machine",
      (_, json) => {
        (json["configuration"] as { provider_config: Json }).provider_config["nomad"] = {
          name: "nomad",
          expressions: { address: { references: ["terraform_data.broker-1-0.id"] } },
        };
      },
      "what belongs to no group names members of groups: provider.nomad (terraform_data.broker-1-0); look machines up by tag where they are needed, or publish what is needed of them as an output",
    ],
  ])("rejects %s", (_what, edit, said) => {
    expect(saidOf(edited("own-resource-created", edit))).toEqual([`unattributed-change: ${said}`]);
  });

  test("rejects a machine's id, in the configuration and in what is planned", () => {
    const fixture = readFixture("own-resource-created");
    const id = fixture.deployed.groups.get("broker-1")?.hosts[0]?.id ?? "none";
    const said = `unattributed-change: what belongs to no group names machines of groups by id: terraform_data.zone (${id}, broker-1-0); look machines up by tag where they are needed: an id ends with the next roll`;
    const configured = edited("own-resource-created", (zone) => {
      zone["expressions"] = { input: { constant_value: { instance_id: id } } };
    });
    const planned = edited("own-resource-created", (_, json) => {
      const changes = json["resource_changes"] as { address: string; change: { after: Json } }[];
      const change = changes.find(({ address }) => address === "terraform_data.zone")?.change;
      if (change) change.after["input"] = `x/${id}`;
      const values = json["planned_values"] as {
        root_module: { resources: { address: string; values: Json }[] };
      };
      const zone = values.root_module.resources.find(({ address }) => address === "terraform_data.zone");
      if (zone) zone.values["input"] = `x/${id}`;
    });
    expect([saidOf(configured), saidOf(planned)]).toEqual([[said], [said]]);
  });
});

type Json = Record<string, unknown>;

const rootOf = (json: Json): Json => (json["configuration"] as { root_module: Json }).root_module;

/** A fixture with an edit of the configuration of its own resource, or of the whole plan. */
function edited(name: string, edit: (zone: Json, json: Json) => void): Verdict {
  const fixture: PlanFixture = readFixture(name);
  const json = JSON.parse(fixture.plan) as Json;
  const zone = (rootOf(json)["resources"] as Json[]).find(({ address }) => address === "terraform_data.zone");
  if (!zone) throw new Error("there is no zone");
  edit(zone, json);
  return judge(fixture, JSON.stringify(json));
}

const saidOf = ({ violations }: Verdict): string[] => violations.map(formatViolation);

/** A resource of any type, below the construct that the spec names. */
function ownOf(view: Construct, name: string, terraformResourceType: string): void {
  const resource = new TerraformResource(new Construct(view, `mine-${name}`), name, {
    terraformResourceType,
  });
  resource.overrideLogicalId(name);
}

/** A resource of the user's own, below the construct that the spec names. */
function mine(view: Construct, name: string, input: string): void {
  new TerraformData(new Construct(view, "mine"), { name, protection: "live", input });
}
