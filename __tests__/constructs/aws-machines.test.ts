import { expect, test } from "@jest/globals";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { change, exampleSpec, nothing, poolOf, resourcesOf, type Resources } from "../support/fixtures.js";

const view = resourcesOf(exampleSpec(), nothing(), "cluster");

test("every machine takes tokens of the metadata service only, from itself, and has encrypted disks", () => {
  const machines = ofType(view, "aws_instance");
  expect(machines).toHaveLength(18);
  for (const machine of machines) {
    expect(machine).toMatchObject({
      metadata_options: { http_endpoint: "enabled", http_tokens: "required", http_put_response_hop_limit: 1 },
      root_block_device: { encrypted: true },
      user_data_replace_on_change: true,
      vpc_security_group_ids: ["${aws_security_group.cluster.id}"],
      key_name: "ops",
      iam_instance_profile: "demo-agents",
    });
    expect(machine).not.toHaveProperty("provisioner");
  }
  expect(ofType(view, "aws_ebs_volume").every((volume) => volume["encrypted"] === true)).toBe(true);
});

test("every machine says in tags whose it is and which template it was made from", () => {
  expect(view.get("aws_instance.broker-1-2")).toMatchObject({
    subnet_id: "subnet-0b1",
    tags: {
      Name: "demo-broker-1-2",
      "rollout:cluster": "demo",
      "rollout:pool": "broker",
      "rollout:group": "broker-1",
      "rollout:template-hash": "9ed2e93399",
    },
  });
});

test("key, profile, further security groups and the size of the system disk are the spec's", () => {
  const spec = change(exampleSpec(), (edited) => {
    if (edited.platform !== "aws") return;
    delete edited.aws.keyName;
    delete edited.aws.instanceProfile;
    edited.aws.securityGroupIds = ["sg-0a1"];
    poolOf(edited, "broker").rootVolumes = [{ sizeGib: 20 }, { sizeGib: 30 }, { sizeGib: 40 }];
  });
  const other = resourcesOf(spec, nothing(), "cluster");
  const machine = other.get("aws_instance.broker-1-0");
  expect(machine).toMatchObject({
    vpc_security_group_ids: ["${aws_security_group.cluster.id}", "sg-0a1"],
    root_block_device: { encrypted: true, volume_size: 30 },
  });
  expect(machine).not.toHaveProperty("key_name");
  expect(machine).not.toHaveProperty("iam_instance_profile");
});

test("what a group has of its own reaches its machines alone, over what all have, and evaluates nothing", () => {
  const all = change(exampleSpec(), (edited) => {
    if (edited.platform === "aws") edited.aws.securityGroupIds = ["sg-0a1"];
  });
  const plain = resourcesOf(all, nothing(), "cluster");
  const spec = change(all, (edited) => {
    Object.assign(poolOf(edited, "broker"), {
      instanceProfiles: [null, "brokers", null],
      securityGroupIds: [[], ["sg-0b2", "sg-0a1"], []],
      tags: [{}, { team: "data" }, {}],
      userData: [null, "own.sh", null],
    });
  });
  const own = "#!/bin/sh\necho ${HOME} %{x} $${y}\n";
  const read = withUserData(spec, "cluster.yaml", () => new TextEncoder().encode(own));
  const other = resourcesOf(read, nothing(), "cluster");
  const machine = other.get("aws_instance.broker-1-2");
  expect(machine).toMatchObject({
    iam_instance_profile: "brokers",
    vpc_security_group_ids: ["${aws_security_group.cluster.id}", "sg-0a1", "sg-0b2"],
    tags: { team: "data", "rollout:group": "broker-1", Name: "demo-broker-1-2" },
  });
  expect(machine?.["user_data"]).toContain("echo $${HOME} %%{x} $$${y}\n");
  for (const name of ["aws_instance.broker-0-2", "aws_instance.name-server-1-0"])
    expect([name, plain.get(name)]).toEqual([name, other.get(name)]);
});

test("nothing is open to the world: machines to each other and to their load balancer, that to the VPC", () => {
  const rules = [...view].flatMap(([address, body]) =>
    address.startsWith("aws_vpc_security_group_ingress_rule.")
      ? [
          `${String(body["security_group_id"])} <- ${String(body["cidr_ipv4"] ?? body["referenced_security_group_id"])}`,
        ]
      : [],
  );
  expect([...new Set(rules)].sort()).toEqual([
    "${aws_security_group.broker-load-balancer.id} <- ${data.aws_vpc.broker.cidr_block}",
    "${aws_security_group.cluster.id} <- ${aws_security_group.broker-load-balancer.id}",
    "${aws_security_group.cluster.id} <- ${aws_security_group.cluster.id}",
  ]);
});

test("the ranges that may connect to a load balancer are the spec's", () => {
  const spec = change(exampleSpec(), (edited) => {
    poolOf(edited, "broker").loadBalancer = {
      port: 53,
      protocol: "udp",
      internal: false,
      deregistrationDelay: "2m",
      sourceCidrs: ["10.1.0.0/16", "192.0.2.0/24"],
    };
  });
  const other = resourcesOf(spec, nothing(), "cluster");
  const rule = "aws_vpc_security_group_ingress_rule.broker-load-balancer-in";
  expect(other.get(`${rule}-10-1-0-0-16`)).toMatchObject({
    cidr_ipv4: "10.1.0.0/16",
    from_port: 53,
    to_port: 53,
  });
  expect(other.get(`${rule}-192-0-2-0-24`)).toMatchObject({ cidr_ipv4: "192.0.2.0/24", ip_protocol: "udp" });
  expect(other.has(`${rule}-vpc`)).toBe(false);
  expect(other.get("aws_lb.broker")).toMatchObject({
    internal: false,
    enable_cross_zone_load_balancing: true,
  });
  expect(other.get("aws_lb_target_group.broker")).toMatchObject({
    deregistration_delay: "120",
    protocol: "UDP",
  });
});

test("a disk is attached again after its machine was stopped, and has no lifecycle with it", () => {
  expect(view.get("aws_volume_attachment.broker-1-2-data-attachment")).toMatchObject({
    instance_id: "${aws_instance.broker-1-2.id}",
    volume_id: "${aws_ebs_volume.broker-1-2-data.id}",
    stop_instance_before_detaching: true,
  });
  expect(view.get("aws_ebs_volume.broker-1-2-data")).toMatchObject({
    availability_zone: "${data.aws_subnet.subnet-1.availability_zone}",
    lifecycle: { prevent_destroy: true },
  });
});

const ofType = (resources: Resources, type: string): Readonly<Record<string, unknown>>[] =>
  [...resources].filter(([address]) => address.startsWith(`${type}.`)).map(([, body]) => body);
