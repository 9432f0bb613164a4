import { expect, test } from "@jest/globals";
import { createHash } from "node:crypto";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf } from "../../../cluster/groups.js";
import { otherOwn } from "../../../cluster/machine-settings.js";
import { groupUserData } from "../../../cluster/user-data.js";
import { withUserData } from "../../../cluster/yaml/user-data-files.js";
import { judgePlan } from "../../../guard/judge.js";
import { readPlan } from "../../../guard/plan/read-plan.js";
import { imageAsDesired } from "../../../guard/rules/image-as-desired.js";
import { EditedPlan } from "../plan/edit-plan.js";
import { readFixture } from "../plan/plan-fixture.js";
import {
  change,
  declaring,
  deployedAs,
  exampleSpec,
  groupIn,
  nothing,
  poolOf,
  proposalOf,
  smallSpec,
  withGroup,
} from "../../support/fixtures.js";

const standing = deployedAs(smallSpec());
const spec = change(smallSpec(), (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});
const HOST = "terraform_data.broker-0-0";
const base = proposalOf(spec, standing, "broker-0");
const NEW = groupsOf(spec).find(({ name }) => name === "broker-0")?.hash;

test("accepts views as they are rendered", () => {
  expect(imageAsDesired(base)).toEqual([]);
  expect(imageAsDesired(proposalOf(spec, standing, "cluster"))).toEqual([]);
  expect(imageAsDesired(proposalOf(spec, nothing(), "cluster"))).toEqual([]);
});

test.each([
  ["image", { input: { image: "v3", instanceType: "small" }, triggers_replace: NEW }],
  ["instance type", { input: { image: "v2", instanceType: "large" }, triggers_replace: NEW }],
  ["template hash", { input: { image: "v2", instanceType: "small" }, triggers_replace: "other" }],
])("refuses another %s in the target", (what, body) => {
  const [violation] = imageAsDesired(declaring(base, HOST, { body }));
  expect(violation).toMatchObject({ rule: "image-as-desired", subjects: [HOST] });
  expect(violation?.message).toContain(`(${what} `);
});

test.each([
  ["subnetIds", { subnet_id: "subnet-ca7f407ac4af1af3b" }],
  ["keyName", { key_name: "somebodys" }],
  ["instanceProfile", { iam_instance_profile: "admin" }],
  ["securityGroupIds", { vpc_security_group_ids: ["sg-c64551ed969d1a0c2", "sg-open"] }],
])("refuses a plan that gives new machines of the target another aws.%s", (key, values) => {
  const plan = new EditedPlan("aws-roll-clients");
  const address = "aws_instance.broker-0-0";
  const { after } = plan.entry(address).change;
  plan.valuesOf("planned_values", address).values = Object.assign(after ?? {}, values);
  expect(plan.violations()).toEqual([
    `image-as-desired: hosts of broker-0 would be otherwise than the spec says: ${address} (another aws.${key}); synthesize and plan again from the spec as it is now`,
  ]);
});

const own = withUserData(
  change(exampleSpec(), (edited) => {
    Object.assign(poolOf(edited, "broker"), {
      instanceProfiles: ["brokers", null, null],
      securityGroupIds: [["sg-0b2"], [], []],
      tags: [{ team: "data" }, {}, {}],
      userData: ["own.sh", null, null],
    });
  }),
  "cluster.yaml",
  () => new TextEncoder().encode("#!/bin/sh\necho ${HOME}\n"),
);
const MACHINE = "aws_instance.broker-0-0";
const ofOwn = proposalOf(own, deployedAs(exampleSpec()), "broker-0");
const body = ofOwn.declared.find(({ address }) => address === MACHINE)?.body ?? {};

test("accepts what a group has of its own, and what an aspect adds to it", () => {
  const tags = { ...(body["tags"] as object), owner: "ops" };
  expect(imageAsDesired(declaring(ofOwn, MACHINE, { body: { ...body, tags } }))).toEqual([]);
});

test.each([
  ["instanceProfiles", { iam_instance_profile: "admin" }],
  ["securityGroupIds", { vpc_security_group_ids: ["${aws_security_group.cluster.id}"] }],
  ["tags", { tags: { team: "web" } }],
  ["userData", { user_data: String(body["user_data"]).replace("echo", "rm") }],
])("refuses other %s than the group's own in a stack", (key, values) => {
  const [violation] = imageAsDesired(declaring(ofOwn, MACHINE, { body: { ...body, ...values } }));
  expect(violation?.message).toContain(`other ${key}`);
});

test("tells other settings of a planned machine, whose user data may be a digest", () => {
  const group = findGroup(own, "broker-0");
  const told = groupUserData(own, group, "broker-0-0");
  const planned = {
    instanceProfile: "brokers",
    securityGroupIds: ["sg-cluster", "sg-0b2"],
    tags: { team: "data" },
    userData: createHash("sha1").update(told).digest("hex"),
  };
  const others = (values: object): string[] => otherOwn({ ...planned, ...values }, group, "broker-0-0", own);
  expect(others({})).toEqual([]);
  expect(others({ userData: told })).toEqual([]);
  expect(others({ instanceProfile: undefined })).toEqual(["instanceProfiles"]);
  expect(others({ securityGroupIds: ["sg-cluster"] })).toEqual(["securityGroupIds"]);
  expect(others({ tags: {} })).toEqual(["tags"]);
  expect(others({ userData: undefined })).toEqual(["userData"]);
  expect(otherOwn(planned, group, "broker-0-1", own)).toEqual(["userData"]);
});

test("refuses the deployed image where another is desired", () => {
  const { image, instanceType, hash } = groupIn(standing, "broker-0").hosts[0] ?? {};
  const body = { input: { image, instanceType }, triggers_replace: hash };
  expect(imageAsDesired(declaring(base, HOST, { body }))).toMatchObject([{ subjects: [HOST] }]);
});

test("refuses a machine that is to be replaced and would stay", () => {
  expect(imageAsDesired(declaring(base, HOST, { ignoresChanges: true }))).toMatchObject([
    { subjects: [HOST] },
  ]);
  expect(imageAsDesired(declaring(base, HOST, { preventsDestroy: true }))).toMatchObject([
    { subjects: [HOST] },
  ]);
});

test("refuses another image for a new group", () => {
  const body = { input: { image: "v3", instanceType: "small" }, triggers_replace: NEW };
  const proposal = declaring(proposalOf(spec, nothing(), "cluster"), HOST, { body });
  expect(imageAsDesired(proposal)).toMatchObject([{ subjects: [HOST] }]);
});

test("leaves alone what somebody has changed on a machine that stays", () => {
  const hosts = groupIn(standing, "broker-0").hosts.map((host) => ({ ...host, instanceType: "large" }));
  const drifted = withGroup(standing, "broker-0", { hosts });
  expect(imageAsDesired(proposalOf(smallSpec(), drifted, "broker-0"))).toEqual([]);
});

test("refuses user data of another template on a machine that stays", () => {
  const body = { input: { image: "v1", instanceType: "small" }, triggers_replace: "other" };
  const staying = declaring(proposalOf(smallSpec(), standing, "broker-0"), HOST, { body });
  expect(imageAsDesired(staying)).toMatchObject([{ subjects: [HOST] }]);
});

test("refuses a plan of other hosts than the group has, by their numbers", () => {
  const { plan, spec, deployed } = readFixture("aws-roll-clients");
  const completed = { attempt: 1, hosts: "", gate: "open", numbers: [1, 5] };
  const hosts = groupIn(deployed, "broker-0").hosts.filter(({ number }) => number === 1);
  const wandered = withGroup(deployed, "broker-0", { hosts, completed });
  const { violations } = judgePlan(readPlan(new TextEncoder().encode(plan)), { spec, deployed: wandered });
  expect(violations.filter(({ rule }) => rule === "image-as-desired")).toMatchInlineSnapshot(`
   [
     {
       "message": "broker-0 would have 1 hosts, broker-0-0 among them, desired 1",
       "remedy": "synthesize and plan again from the spec as it is now",
       "rule": "image-as-desired",
       "subjects": [
         "broker-0",
       ],
     },
   ]
  `);
});
