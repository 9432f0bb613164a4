import { expect, test } from "@jest/globals";
import { findGroup } from "../../../cluster/find-group.js";
import { whyNoMachine, type MachineFacts } from "../../../rollout/preflight/new-machine.js";
import { EXAMPLE, specOf } from "../../cluster/yaml/example.js";

const FACTS: MachineFacts = {
  Images: [{ State: "available", Architecture: "x86_64", OwnerId: "123456789012" }],
  own: [{}],
  InstanceTypes: [{ ProcessorInfo: { SupportedArchitectures: ["i386", "x86_64"] } }],
  InstanceTypeOfferings: [{ Location: "eu-west-1b" }, { Location: "eu-west-1a" }],
  Subnets: [{ AvailabilityZone: "eu-west-1a", AvailableIpAddressCount: 0 }],
};

test("a group whose image, type and subnet are there may be rolled where its own machines free the addresses", () => {
  expect(whyNot({})).toEqual([]);
  expect(whyNot({ objection: undefined }, undefined)).toEqual([]);
});

test("says nothing of what is not known", () => {
  const nothing: MachineFacts = {
    ...{ Images: undefined, own: undefined, InstanceTypes: undefined },
    ...{ InstanceTypeOfferings: undefined, Subnets: undefined },
  };
  expect(whyNot(nothing)).toEqual([]);
  for (const key of Object.keys(FACTS)) expect([key, whyNot({ [key]: undefined })]).toEqual([key, []]);
});

test.each<readonly [what: string, facts: MachineFacts, why: string]>([
  ["an image that is not there", { Images: [] }, "EC2 has no image ami-0aaa in eu-west-1 for this account"],
  [
    "an image that is not available",
    imaged({ State: "pending" }),
    "its image ami-0aaa is pending, not available",
  ],
  [
    "an image of somebody else",
    { ...imaged({ OwnerId: "999999999999" }), own: [] },
    "its image ami-0aaa is account 999999999999's, not one of aws.imageOwners",
  ],
  [
    "an image for other processors",
    imaged({ Architecture: "arm64" }),
    "its image is for arm64, and m6i.large is i386 or x86_64",
  ],
  ["a type that is not there", { InstanceTypes: [] }, "EC2 has no instance type m6i.large in eu-west-1"],
  [
    "a type that its zone does not have",
    { InstanceTypeOfferings: [{ Location: "eu-west-1c" }, { Location: "eu-west-1b" }] },
    "its subnet subnet-0a1 is in eu-west-1a, m6i.large is offered in eu-west-1b, eu-west-1c",
  ],
  ["a subnet that is not there", { Subnets: [] }, "EC2 has no subnet subnet-0a1 in eu-west-1"],
  [
    "what a dry run objects to",
    {
      objection: "AWS answered InvalidKeyPair.NotFound: ec2:RunInstances: The key pair 'ops' does not exist",
    },
    "EC2 would not start its machines: AWS answered InvalidKeyPair.NotFound: ec2:RunInstances: The key pair 'ops' does not exist",
  ],
])("refuses %s", (_, facts, why) => {
  expect(whyNot(facts)).toEqual([`broker-0: ${why}; correct the spec or the account`]);
});

test("refuses a subnet in another zone than a data volume that is kept", () => {
  const volumes = [
    volume(0, "eu-west-1a"),
    volume(1, "eu-west-1b"),
    volume(2, "eu-west-1b"),
    volume(7, "eu-west-1c"),
  ];
  expect(whyNot({}, { ...CURRENT, volumes })).toEqual([
    "broker-0: its subnet subnet-0a1 is in eu-west-1a, and its data volumes are in eu-west-1b; correct the spec or the account",
  ]);
});

test("refuses a subnet without room for the machines that come besides those that go there", () => {
  const free = { Subnets: [{ AvailabilityZone: "eu-west-1a", AvailableIpAddressCount: 1 }] };
  const of = (...subnets: string[]) => ({
    ...CURRENT,
    hosts: subnets.map((subnet, index) => host(index, subnet)),
  });
  expect(whyNot(free, of("subnet-0a1", "subnet-0a1"))).toEqual([]);
  expect(whyNot(free, of("subnet-0a1", "subnet-0f1", "subnet-0f1"))).toEqual([
    "broker-0: subnet subnet-0a1 has room for 1 of 2 more machines; correct the spec or the account",
  ]);
});

test("says all of it at once", () => {
  const wrong = { ...imaged({ State: "disabled", Architecture: "arm64" }), own: [], objection: "no" };
  expect(whyNot(wrong)).toHaveLength(4);
});

const SPEC = specOf(EXAMPLE);
const host = (number: number, subnetId: string) => ({
  ...{ number, name: `broker-0-${String(number)}`, image: "ami-0aaa", instanceType: "m6i.large", hash: "" },
  subnetId,
});
const volume = (host: number, zone: string) => ({ host, sizeGib: 100, type: "gp3", zone });
const CURRENT = {
  hosts: [0, 1, 2].map((number) => host(number, "subnet-0a1")),
  volumes: [volume(0, "eu-west-1a")],
};

function imaged(image: NonNullable<MachineFacts["Images"]>[number]): MachineFacts {
  return { Images: [{ ...FACTS.Images?.[0], ...image }] };
}

function whyNot(facts: MachineFacts, current: typeof CURRENT | undefined = CURRENT): string[] {
  if (SPEC.platform !== "aws") throw new Error("the example is on aws");
  return whyNoMachine(SPEC.aws, findGroup(SPEC, "broker-0"), current, { ...FACTS, ...facts });
}
