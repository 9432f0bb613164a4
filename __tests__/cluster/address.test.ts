import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  GROUP_KINDS,
  groupAddress,
  HOST_KINDS,
  hostAddress,
  parseAddress,
  parseGroupName,
  type GroupKind,
  type HostKind,
  type Member,
  type PlatformName,
} from "../../cluster/address.js";
import { poolName } from "./yaml/example.js";

test("the addresses of a host and a group on aws are these", () => {
  expect(HOST_KINDS.map((kind) => hostAddress("aws", "broker-0", 1, kind))).toEqual([
    "aws_instance.broker-0-1",
    "aws_ebs_volume.broker-0-1-data",
    "aws_volume_attachment.broker-0-1-data-attachment",
    "terraform_data.broker-0-1-stop-agents",
    "terraform_data.broker-0-1-start-agents",
    "null_resource.broker-0-1-config-consul",
    "null_resource.broker-0-1-lb-drained",
    "aws_lb_target_group_attachment.broker-0-1-target",
  ]);
  expect(GROUP_KINDS.map((kind) => groupAddress("aws", "broker-0", kind))).toEqual([
    "null_resource.broker-0-leave",
    "null_resource.broker-0-ready",
    "terraform_data.broker-0-revision",
  ]);
});

test("the addresses of a host and a group on the local platform are these", () => {
  expect(HOST_KINDS.map((kind) => hostAddress("local", "broker-0", 1, kind))).toEqual([
    "terraform_data.broker-0-1",
    "terraform_data.broker-0-1-data",
    "terraform_data.broker-0-1-data-attachment",
    "terraform_data.broker-0-1-stop-agents",
    "terraform_data.broker-0-1-start-agents",
    "terraform_data.broker-0-1-config-consul",
    "terraform_data.broker-0-1-lb-drained",
    "terraform_data.broker-0-1-target",
  ]);
  expect(GROUP_KINDS.map((kind) => groupAddress("local", "broker-0", kind))).toEqual([
    "terraform_data.broker-0-leave",
    "terraform_data.broker-0-ready",
    "terraform_data.broker-0-revision",
  ]);
});

test("every member's address is read as that member", () => {
  fc.assert(
    fc.property(anyPlatform, anyMember, (platform, member) => {
      expect(parseAddress(print(platform, member))).toEqual(member);
    }),
  );
});

test("two members have two addresses", () => {
  fc.assert(
    fc.property(anyPlatform, anyMember, anyMember, (platform, one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      expect(print(platform, one) === print(platform, other)).toBe(same);
    }),
  );
});

test("what is read as a member is exactly what that member is called", () => {
  const part = fc.constantFrom(
    "broker",
    "0",
    "1",
    "2",
    "3",
    "10",
    "01",
    "",
    "config",
    "consul",
    "data",
    "leave",
    "target",
  );
  const type = fc.constantFrom(
    "aws_instance",
    "aws_ebs_volume",
    "null_resource",
    "terraform_data",
    "aws_vpc",
    "data.x",
  );
  const address = fc
    .tuple(type, fc.array(part, { maxLength: 6 }), fc.constantFrom("", "[0]", ".x", " "))
    .map(([left, parts, right]) => `${left}.${parts.join("-")}${right}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), address), (text) => {
      const member = parseAddress(text);
      const names = member ? [print("aws", member), print("local", member)] : [text];
      expect(names).toContain(text);
    }),
    { numRuns: 1000 },
  );
});

test("broker-1 and broker-10 never mix", () => {
  expect(parseAddress("aws_instance.broker-1-0")).toMatchObject({ group: "broker-1", host: 0 });
  expect(parseAddress("aws_instance.broker-1-10")).toMatchObject({ group: "broker-1", host: 10 });
  expect(parseAddress("aws_instance.broker-10-0")).toBeUndefined();
  expect(parseGroupName("broker-10")).toBeUndefined();
});

test.each([
  "",
  "aws_instance",
  "aws_instance.broker",
  "aws_instance.broker-0",
  "aws_instance.broker-3-0",
  "aws_instance.broker-0-01",
  "aws_instance.broker-0-1-config-consul",
  "aws_instance.broker-0-leave",
  "aws_instance.broker-0-1[0]",
  "aws_instance.broker-0-1.id",
  "aws_instance.Broker-0-1",
  "aws_instance.broker-0--1",
  "data.aws_instance.broker-0-1",
  "module.x.aws_instance.broker-0-1",
  "null_resource.broker-0-1",
  "null_resource.broker-0-config-consul",
  "null_resource.broker-0-1-leave",
  "null_resource.broker-leave",
  "null_resource.x-broker-0-leave-",
  "terraform_data.broker-0-1-unknown",
  "terraform_data.broker-load-balancer",
  "aws_vpc.broker-0-1",
])("rejects %j as no member of a group", (address) => {
  expect(parseAddress(address)).toBeUndefined();
});

test("a group's name is a pool's name and 0, 1 or 2", () => {
  expect(parseGroupName("name-server-2")).toEqual({ pool: "name-server", index: 2 });
});

test.each([
  "",
  "broker",
  "broker-",
  "broker-3",
  "broker-0-1",
  "broker-00",
  "-0",
  "cluster",
  "broker-0 ",
  "broker-0\n",
])("rejects %j as no group's name", (name) => {
  expect(parseGroupName(name)).toBeUndefined();
});

const anyPlatform = fc.constantFrom<PlatformName>("aws", "local");

const anyGroup = fc
  .tuple(poolName, fc.constantFrom(0, 1, 2))
  .map(([pool, index]) => ({ pool, index, group: `${pool}-${String(index)}` }) as const);

const anyMember: fc.Arbitrary<Member> = fc.oneof(
  fc
    .tuple(anyGroup, fc.constantFrom<HostKind>(...HOST_KINDS), fc.nat(1199))
    .map(([group, kind, host]) => ({ ...group, kind, host })),
  fc.tuple(anyGroup, fc.constantFrom<GroupKind>(...GROUP_KINDS)).map(([group, kind]) => ({ ...group, kind })),
);

function print(platform: PlatformName, { group, kind, host }: Member): string {
  return host === undefined
    ? groupAddress(platform, group, kind as GroupKind)
    : hostAddress(platform, group, host, kind as HostKind);
}
