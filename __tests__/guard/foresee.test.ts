import { expect, test } from "@jest/globals";
import { hostOf, readDeclared, triggersOf, volumeOf } from "../../guard/declared.js";
import { foreseeChanges } from "../../guard/foresee.js";
import { change, deployedAs, poolOf, proposalOf, smallAwsSpec, smallSpec } from "../support/fixtures.js";

const standing = deployedAs(smallSpec());

test("what is declared as it is deployed changes nothing", () => {
  const { declared } = proposalOf(smallSpec(), standing, "cluster");
  expect(foreseeChanges(declared, standing)).toEqual([]);
});

test("what is not declared goes, what is not deployed comes", () => {
  const own = readDeclared({ resource: { aws_alarm: { busy: {} } } });
  const addresses = new Set(["aws_alarm.idle", "terraform_data.broker-0-leave", "data.aws_vpc.broker"]);
  expect(foreseeChanges(own, { ...standing, addresses })).toEqual([
    { address: "aws_alarm.busy", action: "create" },
    { address: "aws_alarm.idle", action: "delete" },
    {
      address: "terraform_data.broker-0-leave",
      action: "delete",
      group: "broker-0",
      member: { pool: "broker", index: 0, group: "broker-0", kind: "leave" },
    },
  ]);
});

test("holds each host and volume against the one of its own group and number, in whatever order they are", () => {
  const spec = change(smallAwsSpec(), (own) => {
    poolOf(own, "broker").hosts = [3, 2, 1];
  });
  const deployed = deployedAs(spec);
  const { declared } = proposalOf(spec, deployed, "cluster");
  const groups = [...deployed.groups].map(([name, group]) => {
    const hosts = group.hosts.map((host) => ({ ...host, image: `old-${host.name}` }));
    const volumes = group.volumes.map((volume) => ({
      ...volume,
      type: `old-${name}-${String(volume.host)}`,
    }));
    return [name, { ...group, hosts: hosts.reverse(), volumes: volumes.reverse() }] as const;
  });
  const changes = foreseeChanges(declared, { ...deployed, groups: new Map(groups) });
  const told = changes.map(({ address, detail }) => `${address}: ${detail ?? ""}`);
  expect(told.filter((line) => line.includes(".broker-"))).toMatchInlineSnapshot(`
   [
     "aws_instance.broker-0-0: old-broker-0-0 -> ami-0aaa",
     "aws_instance.broker-0-1: old-broker-0-1 -> ami-0aaa",
     "aws_instance.broker-0-2: old-broker-0-2 -> ami-0aaa",
     "aws_instance.broker-1-0: old-broker-1-0 -> ami-0aaa",
     "aws_instance.broker-1-1: old-broker-1-1 -> ami-0aaa",
     "aws_instance.broker-2-0: old-broker-2-0 -> ami-0aaa",
     "aws_ebs_volume.broker-0-0-data: old-broker-0-0 -> gp3",
     "aws_ebs_volume.broker-0-1-data: old-broker-0-1 -> gp3",
     "aws_ebs_volume.broker-0-2-data: old-broker-0-2 -> gp3",
     "aws_ebs_volume.broker-1-0-data: old-broker-1-0 -> gp3",
     "aws_ebs_volume.broker-1-1-data: old-broker-1-1 -> gp3",
     "aws_ebs_volume.broker-2-0-data: old-broker-2-0 -> gp3",
   ]
  `);
  expect(told).toHaveLength(18);
});

test("a block that stands for many is there once one of them is", () => {
  const many = readDeclared({ resource: { aws_alarm: { busy: { for_each: ["a", "b"] } } } });
  const with_ = (...addresses: string[]): unknown =>
    foreseeChanges(many, { ...standing, addresses: new Set(addresses) });
  expect(with_('aws_alarm.busy["a"]', 'aws_alarm.busy["b"]')).toEqual([]);
  expect(with_()).toEqual([{ address: "aws_alarm.busy", action: "create" }]);
  expect(with_("aws_alarm.busy")).toEqual([
    { address: "aws_alarm.busy", action: "create" },
    { address: "aws_alarm.busy", action: "delete" },
  ]);
});

test("reads hosts, volumes and hooks of both platforms alike", () => {
  const read = (spec: ReturnType<typeof smallSpec>, address: string) => {
    const found = proposalOf(spec, deployedAs(spec), "cluster").declared.find(
      (each) => each.address === address,
    );
    if (!found) throw new Error(`not declared: ${address}`);
    return found;
  };
  expect(hostOf(read(smallAwsSpec(), "aws_instance.broker-1-0"))).toEqual({
    image: "ami-0aaa",
    instanceType: "m6i.large",
    hash: "9ed2e93399",
    subnetId: "subnet-0b1",
  });
  expect(hostOf(read(smallSpec(), "terraform_data.broker-1-0"))).toMatchObject({
    image: "v1",
    instanceType: "small",
  });
  expect(volumeOf(read(smallAwsSpec(), "aws_ebs_volume.broker-1-0-data"))).toEqual({
    sizeGib: 100,
    type: "gp3",
  });
  for (const [spec, address] of [
    [smallAwsSpec(), "null_resource.broker-1-leave"],
    [smallSpec(), "terraform_data.broker-1-leave"],
  ] as const) {
    expect(triggersOf(read(spec, address))).toMatchObject({ hosts: "broker-1-0" });
  }
});

test("takes what an override of the stack declares for nobody's", () => {
  const [resource] = readDeclared({ resource: { aws_instance: { "broker-9-0": { ami: "ami-0aaa" } } } });
  expect(resource).toEqual({
    address: "aws_instance.broker-9-0",
    path: "an override of the stack",
    body: { ami: "ami-0aaa" },
    preventsDestroy: false,
    ignoresChanges: false,
    triggeredBy: [],
  });
  expect(readDeclared({})).toEqual([]);
});
