import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import * as z from "zod";

const policySchema = z.strictObject({
  Version: z.literal("2012-10-17"),
  Statement: z.array(
    z.strictObject({
      Sid: z.string().regex(/^[A-Za-z0-9]+$/),
      Effect: z.literal("Allow"),
      Action: z.array(z.string().regex(/^(ec2|elasticloadbalancing|iam|s3):[A-Z][A-Za-z]+$/)).min(1),
      Resource: z.union([z.string(), z.array(z.string()).min(1)]),
      Condition: z
        .record(z.string(), z.record(z.string(), z.union([z.string(), z.array(z.string())])))
        .optional(),
    }),
  ),
});

const read = (name: string) => {
  const text = readFileSync(new URL(`../../docs/iam/${name}-policy.json`, import.meta.url), "utf8");
  return { text, statements: policySchema.parse(JSON.parse(text)).Statement };
};
const policies = { rollout: read("rollout"), state: read("state"), teardown: read("teardown") };
const actionsOf = (name: keyof typeof policies): string[] =>
  policies[name].statements.flatMap(({ Action }) => Action);

/**
 * What the AWS provider 5.100.0 called, by its own debug log, while the example was created and broker-0 was rolled on
 * moto. `sts:GetCallerIdentity` besides, which needs no right.
 */
const SEEN = `
  ec2:AttachVolume ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress ec2:CreateSecurityGroup
  ec2:CreateVolume ec2:DescribeImages ec2:DescribeInstanceAttribute ec2:DescribeInstanceCreditSpecifications
  ec2:DescribeInstances ec2:DescribeInstanceTypes ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules
  ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeTags ec2:DescribeVolumes ec2:DescribeVpcAttribute
  ec2:DescribeVpcs ec2:DetachVolume ec2:ModifyInstanceAttribute ec2:RevokeSecurityGroupEgress ec2:RunInstances
  ec2:StopInstances ec2:TerminateInstances
  elasticloadbalancing:CreateListener elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:CreateTargetGroup
  elasticloadbalancing:DeregisterTargets elasticloadbalancing:DescribeCapacityReservation
  elasticloadbalancing:DescribeListenerAttributes elasticloadbalancing:DescribeListeners
  elasticloadbalancing:DescribeLoadBalancerAttributes elasticloadbalancing:DescribeLoadBalancers
  elasticloadbalancing:DescribeTags elasticloadbalancing:DescribeTargetGroupAttributes
  elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth
  elasticloadbalancing:ModifyLoadBalancerAttributes elasticloadbalancing:ModifyTargetGroupAttributes
  elasticloadbalancing:RegisterTargets`
  .trim()
  .split(/\s+/);

test("the policy allows every call that the AWS provider makes", () => {
  expect(SEEN.filter((action) => !actionsOf("rollout").includes(action))).toEqual([]);
});

test("the policy allows what a preflight asks of EC2", () => {
  const source = readFileSync(new URL("../../clients/aws/ec2-launch.ts", import.meta.url), "utf8");
  const asked = [...source.matchAll(/sdk\.(?:paginate)?(\w+?)(?:Command)?\(/g)].flatMap(([, name]) =>
    name === "EC2Client" ? [] : [`ec2:${name ?? ""}`],
  );
  expect([...new Set(asked)].sort()).toEqual([
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeSubnets",
    "ec2:RunInstances",
  ]);
  expect(asked.filter((action) => !actionsOf("rollout").includes(action))).toEqual([]);
});

test("beyond that it allows a question of the preflight, tags, the profile, and changes in place", () => {
  const more = actionsOf("rollout").filter((action) => !SEEN.includes(action));
  expect([...new Set(more)].sort()).toEqual([
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:ModifySecurityGroupRules",
    "ec2:ModifyVolume",
    "ec2:RevokeSecurityGroupIngress",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyListenerAttributes",
    "elasticloadbalancing:ModifyTargetGroup",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetSecurityGroups",
    "elasticloadbalancing:SetSubnets",
    "iam:PassRole",
  ]);
});

test("only a teardown deletes volumes and shared parts", () => {
  const deletes = (name: keyof typeof policies): string[] =>
    actionsOf(name).filter((action) => action.includes(":Delete"));
  expect(deletes("rollout")).toEqual(["ec2:DeleteTags"]);
  expect(deletes("state")).toEqual(["s3:DeleteObject"]);
  expect(deletes("teardown")).toEqual([
    "ec2:DeleteVolume",
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
  ]);
});

test("whatever is not merely looked at is named, and what is there already must have the cluster's tag", () => {
  for (const { statements } of Object.values(policies)) {
    for (const { Action, Resource } of statements) {
      if (Resource === "*") expect(Action.filter((action) => !action.includes(":Describe"))).toEqual([]);
    }
  }
  const tagged = { "aws:ResourceTag/rollout:cluster": "demo" };
  for (const action of [
    "ec2:TerminateInstances",
    "ec2:StopInstances",
    "ec2:ModifyInstanceAttribute",
    "ec2:DetachVolume",
    "ec2:DeleteVolume",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:DeleteTargetGroup",
  ]) {
    const holding = [...policies.rollout.statements, ...policies.teardown.statements].filter(({ Action }) =>
      Action.includes(action),
    );
    expect({ action, conditions: holding.map(({ Condition }) => Condition) }).toEqual({
      action,
      conditions: [{ StringEquals: tagged }],
    });
  }
});

test("machines are started with the cluster's tag, in its VPC, and from what is the account's own", () => {
  const starting = policies.rollout.statements.filter(({ Action }) => Action.includes("ec2:RunInstances"));
  const kinds = starting.map(({ Resource, Condition }) => [
    [Resource].flat().map((arn) => arn.split(":").at(-1)),
    Condition,
  ]);
  expect(kinds).toEqual([
    [["instance/*"], { StringEquals: { "aws:RequestTag/rollout:cluster": "demo" } }],
    [["image/*"], { StringEquals: { "ec2:Owner": "123456789012" } }],
    [
      ["network-interface/*", "security-group/*", "subnet/*"],
      { ArnEquals: { "ec2:Vpc": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a1" } },
    ],
    [["key-pair/ops", "volume/*"], undefined],
  ]);
});

test("whatever is made or changed is named, or has a condition", () => {
  const open = Object.values(policies)
    .flatMap(({ statements }) => statements)
    .filter(
      ({ Action, Condition }) =>
        Condition === undefined && !Action.every((each) => each.includes(":Describe")),
    )
    .flatMap(({ Resource }) => [Resource].flat())
    .filter((arn) => arn.endsWith("*"));
  expect(open.map((arn) => arn.split(":").at(-1))).toEqual([
    "volume/*",
    "security-group-rule/*",
    // Segments of the log have names of their own.
    "demo-terraform/demo/terraform.tfstate.rollout/*",
  ]);
});

test("the load balancers of a cluster whose name begins alike are out of reach", () => {
  const writing = Object.values(policies)
    .flatMap(({ statements }) => statements)
    .filter(({ Action }) => Action.some((action) => /^elasticloadbalancing:(?!Describe)/.test(action)));
  const tags = ["aws:RequestTag/rollout:cluster", "aws:ResourceTag/rollout:cluster"];
  const withoutTag = writing.filter(
    ({ Condition }) => !tags.some((tag) => Condition?.["StringEquals"]?.[tag] === "demo"),
  );
  expect(writing.length).toBe(5);
  expect(withoutTag.map(({ Sid }) => Sid)).toEqual([]);
});

test("a load balancer is tagged as it is made, or where it is the cluster's already and stays so", () => {
  const tagging = policies.rollout.statements.filter(({ Action }) =>
    Action.some((action) => /^elasticloadbalancing:.*Tags$/.test(action) && !action.includes(":Describe")),
  );
  expect(tagging.map(({ Action, Condition }) => [Action, Condition])).toEqual([
    [
      ["elasticloadbalancing:AddTags"],
      {
        StringEquals: {
          "aws:RequestTag/rollout:cluster": "demo",
          "elasticloadbalancing:CreateAction": ["CreateListener", "CreateLoadBalancer", "CreateTargetGroup"],
        },
      },
    ],
    [
      ["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"],
      {
        StringEquals: { "aws:ResourceTag/rollout:cluster": "demo" },
        "ForAllValues:StringNotEquals": { "aws:TagKeys": ["rollout:cluster"] },
      },
    ],
  ]);
});

test("each policy is within what IAM takes for a managed one, with the longest names", () => {
  const longest = { demo: "d".repeat(24), "vpc-0a1": "vpc-0123456789abcdef0", "eu-west-1": "ap-southeast-1" };
  for (const { text } of Object.values(policies)) {
    const named = Object.entries(longest).reduce((all, [from, to]) => all.replaceAll(from, to), text);
    expect(named.replaceAll(/\s/g, "").length).toBeLessThan(6144);
  }
});

test("the lock of the state may be deleted, the state may not", () => {
  const state = "arn:aws:s3:::demo-terraform/demo/terraform.tfstate";
  const of = (action: string) =>
    policies.state.statements.filter(({ Action }) => Action.includes(action)).map(({ Resource }) => Resource);
  expect(of("s3:DeleteObject")).toEqual([`${state}.tflock`]);
  expect(of("s3:PutObject")).toEqual([state, `${state}.rollout/*`, `${state}.tflock`]);
});
