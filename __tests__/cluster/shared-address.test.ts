import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { groupAddress, hostAddress, parseAddress } from "../../cluster/address.js";
import { groupsOf } from "../../cluster/groups.js";
import { isOwnPath, isSharedAddress } from "../../cluster/shared-address.js";
import { EXAMPLE, exampleWith, LOCAL_EXAMPLE, specOf } from "./yaml/example.js";

test.each([
  "aws_security_group.cluster",
  "aws_security_group.broker-load-balancer",
  "aws_vpc_security_group_ingress_rule.cluster-consul-rpc",
  "aws_vpc_security_group_ingress_rule.broker-from-load-balancer",
  "aws_vpc_security_group_ingress_rule.broker-load-balancer-in-0",
  "aws_vpc_security_group_egress_rule.cluster-out",
  "aws_vpc_security_group_egress_rule.broker-load-balancer-out",
  "aws_lb.broker",
  "aws_lb_target_group.broker",
  "aws_lb_listener.broker",
])("%s is shared, and no member of a group", (address) => {
  expect(isSharedAddress(address, specOf(EXAMPLE))).toBe(true);
  expect(parseAddress(address)).toBeUndefined();
});

test.each([
  "",
  "aws_lb",
  "aws_lb.name-server",
  "aws_lb.broker.dns_name",
  "aws_security_group.broker",
  "aws_vpc_security_group_ingress_rule.cluster-ssh",
  "aws_vpc_security_group_egress_rule.cluster-consul-rpc",
  "aws_vpc.broker",
  "terraform_data.broker-load-balancer",
])("rejects %j as none of the shared parts on aws", (address) => {
  expect(isSharedAddress(address, specOf(EXAMPLE))).toBe(false);
});

test("a load balancer on the local platform is a terraform_data", () => {
  const spec = specOf(LOCAL_EXAMPLE);
  expect(isSharedAddress("terraform_data.broker-load-balancer", spec)).toBe(true);
  expect(isSharedAddress("terraform_data.name-server-load-balancer", spec)).toBe(false);
  expect(isSharedAddress("aws_lb.broker", spec)).toBe(false);
});

test("no member of a group is shared", () => {
  for (const spec of [specOf(EXAMPLE), specOf(LOCAL_EXAMPLE)]) {
    const members = groupsOf(spec).flatMap(({ name }) => [
      hostAddress(spec.platform, name, 0, "host"),
      hostAddress(spec.platform, name, 0, "target"),
      groupAddress(spec.platform, name, "leave"),
    ]);
    expect(members.filter((address) => isSharedAddress(address, spec))).toEqual([]);
  }
});

test("one's own are the named paths and what lies below them", () => {
  const spec = specOf(exampleWith(["{ pendingGroups: one }", "{ ownResources: [dns/zone, alarms] }"]));
  expect(
    ["dns/zone", "dns/zone/record", "alarms", "alarms/cpu/high"].every((path) => isOwnPath(path, spec)),
  ).toBe(true);
  expect(["dns", "dns/zone2", "alarms2", "my/alarms", ""].some((path) => isOwnPath(path, spec))).toBe(false);
});

test("nothing is one's own unless the spec says so", () => {
  const spec = specOf(EXAMPLE);
  fc.assert(fc.property(fc.string(), (path) => !isOwnPath(path, spec)));
});
