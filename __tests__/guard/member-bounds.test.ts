import { describe, expect, test } from "@jest/globals";
import { formatViolation } from "../../guard/verdict.js";
import {
  agentsSpec,
  change,
  deployedAs,
  localSpec,
  nothing,
  poolOf,
  refusal,
  resourceIn,
  smallAwsSpec,
  synthesize,
  type Tamper,
} from "../support/fixtures.js";
import { judge, readFixture } from "./plan/plan-fixture.js";

const aws = change(smallAwsSpec(), (edited) => {
  poolOf(edited, "broker").hosts = [2, 2, 2];
});
const rolling = change(aws, (edited) => {
  poolOf(edited, "broker").images[0] = "ami-0bbb";
});
const deployed = deployedAs(aws);

const THEIRS = "leave them as they are rendered; remove the override";
const PROVIDERS =
  "set them by cluster.yaml and the environment; what is your own may have a provider with an alias";

test("accepts every view as it is rendered, at the first creation, in a roll and with agents", () => {
  expect(synthesize(aws, nothing(), ["cluster"]).size).toBe(1);
  expect(synthesize(rolling, deployed, ["cluster", "broker-0", "consul-server-0"]).size).toBe(3);
  for (const spec of [localSpec(), agentsSpec()]) {
    expect(synthesize(spec, nothing(), ["cluster"]).size).toBe(1);
    expect(synthesize(spec, deployedAs(spec), ["broker-1", "consul-server-0"]).size).toBe(2);
  }
});

describe("at synth", () => {
  const HOST = "aws_instance.broker-1-0";

  test.each<[string, string, string, unknown, string]>([
    ["an own resource", HOST, "key_name", "${aws_key_pair.mine.key_name}", "aws_key_pair.mine.key_name"],
    ["a data source", HOST, "key_name", "${data.external.x.result}", "data.external.x.result"],
    ["a named value", HOST, "key_name", "${local.key}", "local.key"],
    ["a function", HOST, "key_name", '${file("x")}', '${file("x")}'],
    ["a directive", HOST, "tags.Name", "%{ if true }x%{ endif }", "%{ if true }x%{ endif }"],
    [
      "a member of another group",
      HOST,
      "key_name",
      "${aws_instance.broker-0-0.key_name}",
      "aws_instance.broker-0-0.key_name",
    ],
    ["an own resource that it waits for", HOST, "depends_on", ["aws_key_pair.mine"], "aws_key_pair.mine"],
    [
      "an own resource that replaces it",
      HOST,
      "lifecycle.replace_triggered_by",
      ["aws_key_pair.mine"],
      "aws_key_pair.mine",
    ],
    ["a provider with an alias", HOST, "provider", "aws.west", "provider aws.west"],
    ["a connection", HOST, "connection", { host: "10.0.0.1" }, "connection"],
    ["an action", HOST, "lifecycle.action_trigger", [{}], "action_trigger"],
    ["a block that is made up", HOST, "dynamic", { ebs_block_device: {} }, "dynamic"],
    ["a block that escapes", HOST, "_", { ami: "ami-0ccc" }, "_"],
    [
      "another load balancer",
      "aws_lb_target_group_attachment.broker-1-0-target",
      "target_group_arn",
      "${aws_lb_target_group.mine.arn}",
      "aws_lb_target_group.mine.arn",
    ],
    [
      "the zone of another subnet",
      "aws_ebs_volume.broker-1-0-data",
      "availability_zone",
      "${data.aws_subnet.subnet-2.availability_zone}",
      "data.aws_subnet.subnet-2.availability_zone",
    ],
    [
      "another machine of its group",
      "aws_lb_target_group_attachment.broker-0-0-target",
      "target_id",
      "${aws_instance.broker-0-1.id}",
      "aws_instance.broker-0-1.id",
    ],
    [
      "a provider with an alias for a shared part",
      "aws_security_group.cluster",
      "provider",
      "aws.west",
      "provider aws.west",
    ],
  ])("refuses %s", (_what, address, path, value, said) => {
    const tamper: Tamper = (view) => {
      resourceIn(view, address).addOverride(path, value);
    };
    expect(refusal(rolling, deployed, "broker-0", tamper).split("\n")).toContain(
      `unattributed-change: members of groups and shared parts would use what is not theirs: ${address} (${said}); ${THEIRS}`,
    );
  });

  test("refuses what a named value of this program's own is made to name", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("locals.broker-0-revision-by-gate.open", "${data.external.x.result}");
    };
    expect(refusal(rolling, deployed, "broker-0", tamper)).toBe(
      `unattributed-change: members of groups and shared parts would use what is not theirs: terraform_data.broker-0-revision (data.external.x.result); ${THEIRS}`,
    );
  });

  test("refuses a disk of another machine, and a disk or machine by id", () => {
    const attach = (path: string, value: string): string => {
      const tamper: Tamper = (view) => {
        resourceIn(view, "aws_volume_attachment.broker-0-0-data-attachment").addOverride(path, value);
      };
      return refusal(rolling, deployed, "broker-0", tamper);
    };
    const other = "${aws_ebs_volume.broker-1-0-data.id}";
    expect(
      [attach("volume_id", other), attach("volume_id", "vol-1"), attach("instance_id", "i-1")].join("\n"),
    ).toMatchInlineSnapshot(`
     "unattributed-change: members of groups and shared parts would use what is not theirs: aws_volume_attachment.broker-0-0-data-attachment ("\${aws_ebs_volume.broker-1-0-data.id}", not aws_ebs_volume.broker-0-0-data), aws_volume_attachment.broker-0-0-data-attachment (aws_ebs_volume.broker-1-0-data.id); leave them as they are rendered; remove the override
     unattributed-change: members of groups and shared parts would use what is not theirs: aws_volume_attachment.broker-0-0-data-attachment ("vol-1", not aws_ebs_volume.broker-0-0-data); leave them as they are rendered; remove the override
     unattributed-change: members of groups and shared parts would use what is not theirs: aws_volume_attachment.broker-0-0-data-attachment ("i-1", not aws_instance.broker-0-0); leave them as they are rendered; remove the override"
    `);
  });

  test.each<[string, unknown, string]>([
    ["provider.aws", [{ region: "us-east-1" }], "provider.aws (settings region)"],
    [
      "provider.aws",
      [{ region: "eu-west-1", endpoints: [{ ec2: "http://x" }] }],
      "provider.aws (settings endpoints, region)",
    ],
    [
      "provider.aws",
      [{ region: "us-east-1", default_tags: [{ tags: { team: "a" } }] }],
      "provider.aws (settings region)",
    ],
    ["provider.null", [{ a: 1 }], "provider.null (settings a)"],
    ["terraform.required_providers.aws.source", "evil/aws", "provider.aws (source evil/aws)"],
    [
      "terraform.required_providers.null.source",
      "evil.io/hashicorp/null",
      "provider.null (source evil.io/hashicorp/null)",
    ],
    [
      "terraform.required_providers.terraform",
      { source: "evil/terraform" },
      "provider.terraform (source evil/terraform)",
    ],
  ])("refuses another %s: %j", (path, value, said) => {
    const tamper: Tamper = (view) => {
      view.addOverride(path, value);
    };
    expect(refusal(rolling, deployed, "broker-0", tamper)).toBe(
      `unattributed-change: the providers of groups would be others than they are rendered with: ${said}; ${PROVIDERS}`,
    );
  });

  test("accepts a version of the provider from its whole address, and any provider on platform local but the built-in one", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("terraform.required_providers.aws.source", "registry.opentofu.org/hashicorp/aws");
    };
    expect(synthesize(rolling, deployed, ["broker-0"], tamper).size).toBe(1);
    const local = localSpec();
    const own: Tamper = (view) => {
      view.addOverride("provider.aws", [{ region: "us-east-1" }]);
      view.addOverride("terraform.required_providers.terraform.source", "terraform.io/builtin/terraform");
    };
    expect(synthesize(local, deployedAs(local), ["cluster"], own).size).toBe(1);
  });

  test("accepts what a provider is told of who calls and with which tags", () => {
    const tamper: Tamper = (view) => {
      view.addOverride("provider.aws", [
        {
          region: "eu-west-1",
          assume_role: [{ role_arn: "arn:aws:iam::1:role/roll" }],
          default_tags: [{ tags: { team: "a" } }],
        },
      ]);
    };
    expect(synthesize(rolling, deployed, ["cluster", "broker-0"], tamper).size).toBe(2);
  });
});

describe("by a plan", () => {
  test.each<[string, (plan: Planned) => void, string]>([
    [
      "an own resource",
      ({ host }) => {
        host["expressions"] = { key_name: { references: ["aws_key_pair.mine.id", "aws_key_pair.mine"] } };
      },
      `members of groups and shared parts would use what is not theirs: aws_instance.broker-0-0 (aws_key_pair.mine, aws_key_pair.mine.id); ${THEIRS}`,
    ],
    [
      "a function, which Terraform prints as a constant",
      ({ host }) => {
        host["expressions"] = { key_name: { constant_value: '${file("x")}' } };
      },
      `members of groups and shared parts would use what is not theirs: aws_instance.broker-0-0 (\${file("x")}); ${THEIRS}`,
    ],
    [
      "a provider with an alias",
      ({ host }) => {
        host["provider_config_key"] = "aws.west";
      },
      `members of groups and shared parts would use what is not theirs: aws_instance.broker-0-0 (provider aws.west); ${THEIRS}`,
    ],
    [
      "another source of a provider",
      ({ providers }) => {
        providers["aws"] = { ...providers["aws"], full_name: "registry.terraform.io/evil/aws" };
      },
      `the providers of groups would be others than they are rendered with: provider.aws (source registry.terraform.io/evil/aws); ${PROVIDERS}`,
    ],
    [
      "another source of the built-in provider",
      ({ providers }) => {
        providers["terraform"] = { full_name: "registry.terraform.io/evil/terraform" };
      },
      `the providers of groups would be others than they are rendered with: provider.terraform (source registry.terraform.io/evil/terraform); ${PROVIDERS}`,
    ],
    [
      "other settings of a provider",
      ({ providers }) => {
        const region = { constant_value: "eu-west-1" };
        providers["aws"] = { ...providers["aws"], expressions: { region, endpoints: [{}] } };
      },
      `the providers of groups would be others than they are rendered with: provider.aws (settings endpoints, region); ${PROVIDERS}`,
    ],
    [
      "a region that is read from somewhere",
      ({ providers }) => {
        providers["aws"] = { ...providers["aws"], expressions: { region: { references: ["var.region"] } } };
      },
      `the providers of groups would be others than they are rendered with: provider.aws (settings region); ${PROVIDERS}`,
    ],
    [
      "a disk of another machine",
      ({ attach, idOf }) => {
        attach({ volume_id: idOf("aws_ebs_volume.broker-1-0-data") });
      },
      `members of groups and shared parts would use what is not theirs: aws_volume_attachment.broker-0-0-data-attachment ("VOLUME", not aws_ebs_volume.broker-0-0-data); ${THEIRS}`,
    ],
  ])("rejects %s", (_what, edit, said) => {
    const fixture = readFixture("aws-roll-clients");
    const json = JSON.parse(fixture.plan) as Json;
    const plan = plannedIn(json);
    edit(plan);
    const { violations } = judge(fixture, JSON.stringify(json));
    expect(violations.map(formatViolation)).toEqual([
      `unattributed-change: ${said.replace("VOLUME", String(plan.idOf("aws_ebs_volume.broker-1-0-data")))}`,
    ]);
  });

  test("accepts an attachment that stays although its disk was restored under another id", () => {
    const fixture = readFixture("aws-roll-clients");
    const id = plannedIn(JSON.parse(fixture.plan) as Json).idOf("aws_ebs_volume.broker-1-0-data");
    const attachment = /("address":"aws_volume_attachment\.broker-1-0-data-attachment"(?:(?!"address").)*)/g;
    const stale = fixture.plan.replace(attachment, (entry) => entry.replaceAll(String(id), "vol-of-before"));
    expect(stale).not.toBe(fixture.plan);
    expect(judge(fixture, stale).violations).toEqual([]);
  });
});

type Json = Record<string, unknown>;

interface Planned {
  /** What the configuration says of broker-0-0. */
  readonly host: Json;
  readonly providers: Record<string, Json>;
  /** Gives the attachment of its disk other values, wherever the plan has them. */
  readonly attach: (values: Json) => void;
  readonly idOf: (address: string) => unknown;
}

function plannedIn(json: Json): Planned {
  const { root_module, provider_config } = json["configuration"] as {
    root_module: { resources: Json[] };
    provider_config: Record<string, Json>;
  };
  const planned = json["planned_values"] as {
    root_module: { resources: { address: string; values: Json }[] };
  };
  const changes = json["resource_changes"] as { address: string; change: { after: Json } }[];
  const after = (address: string): Json =>
    changes.find((each) => each.address === address)?.change.after ?? {};
  return {
    host: root_module.resources.find(({ address }) => address === "aws_instance.broker-0-0") ?? {},
    providers: provider_config,
    attach: (given) => {
      const address = "aws_volume_attachment.broker-0-0-data-attachment";
      Object.assign(after(address), given);
      Object.assign(
        planned.root_module.resources.find((each) => each.address === address)?.values ?? {},
        given,
      );
    },
    idOf: (address) => after(address)["id"],
  };
}
