import { expect, test } from "@jest/globals";
import { hostOf, readDeclared, triggersOf, volumeOf } from "../../guard/declared.js";
import { foreseeChanges } from "../../guard/foresee.js";
import { deployedAs, proposalOf, smallAwsSpec, smallSpec } from "../support/fixtures.js";

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
