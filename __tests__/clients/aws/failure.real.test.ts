import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { devNull } from "node:os";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "@jest/globals";
import { Ec2Machines } from "../../../clients/aws/ec2.js";
import { awsFailure } from "../../../clients/aws/failure.js";
import { LoadBalancer } from "../../../clients/aws/load-balancer.js";
import { withEnvironment } from "../../support/aws-environment.js";
import { failure } from "../../support/refusal.js";

const group = "demo-broker";
const region = "eu-west-1";
let server: Server | undefined;

withEnvironment(() => ({
  AWS_ACCESS_KEY_ID: "testing",
  AWS_SECRET_ACCESS_KEY: "a-secret-key",
  AWS_SESSION_TOKEN: "",
  AWS_PROFILE: "",
  AWS_REGION: "",
  AWS_DEFAULT_REGION: "",
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_ENDPOINT_URL: "http://127.0.0.1:1",
}));

afterEach(() => {
  server?.close();
  server?.closeAllConnections();
  process.env["AWS_ACCESS_KEY_ID"] = "testing";
});

test("throttling is waited for", async () => {
  await answering([error(400, "Throttling", "Rate exceeded"), EMPTY]);
  expect(await new LoadBalancer({ region }).targetStates(group, ["i-1"])).toEqual(
    new Map([["i-1", { state: "gone", reason: "not registered" }]]),
  );
});

test("refuses to be throttled for ever", async () => {
  await answering([error(400, "Throttling", "Rate exceeded"), EMPTY]);
  expect(await failure(new LoadBalancer({ region, maxAttempts: 1 }).targetStates(group, ["i-1"]))).toBe(
    "AWS throttles: elasticloadbalancing:DescribeTargetHealth: Rate exceeded; run it again later",
  );
});

test.each([
  ["unused", "unused"],
  ["draining", "draining"],
  ["unhealthy.draining", "draining"],
  ["initial", "initial"],
  ["unavailable", "unhealthy"],
  ["new-in-2030", "unhealthy"],
])("a target that is %s counts as %s", async (state, name) => {
  await answering([targets(["i-1", state])]);
  const states = await new LoadBalancer({ region }).targetStates(group, ["i-1"]);
  expect(states.get("i-1")?.state).toBe(name);
});

test("a machine with several ports is out of use only with all of them", async () => {
  await answering([targets(["i-1", "unused"], ["i-1", "draining"], ["i-2", "draining"])]);
  expect(await new LoadBalancer({ region }).targetStates(group, ["i-1"])).toEqual(
    new Map([["i-1", { state: "draining", reason: "" }]]),
  );
});

test("machines of several pages are all found", async () => {
  await answering([machines("i-1", "<nextToken>more</nextToken>"), machines("i-2", "")]);
  const found = await new Ec2Machines({ region }).find("demo");
  expect(found.map(({ instanceId }) => instanceId)).toEqual(["i-1", "i-2"]);
});

test("refuses credentials that lack a right, and names it", async () => {
  const who = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: x";
  await answering([error(403, "AccessDenied", who)]);
  expect(await failure(new LoadBalancer({ region }).targetStates(group, ["i-1"]))).toBe(
    `AWS does not allow it: elasticloadbalancing:DescribeTargetHealth: ${who}; allow elasticloadbalancing:DescribeTargetHealth to who runs this`,
  );
});

test("refuses to go on without credentials", async () => {
  process.env["AWS_ACCESS_KEY_ID"] = "";
  const message = await failure(new LoadBalancer({ region }).targetStates(group, ["i-1"]));
  expect(message).toBe(
    "no credentials for AWS: elasticloadbalancing:DescribeTargetGroups: Could not load credentials from any providers; give them as Terraform gets them: environment, profile (AWS_PROFILE), SSO or the machine's role",
  );
});

test("refuses to go on without a region", async () => {
  expect(await failure(new LoadBalancer().targetStates(group, ["i-1"]))).toMatch(/^no region: /);
  Reflect.deleteProperty(process.env, "AWS_REGION");
  expect(await failure(new LoadBalancer().targetStates(group, ["i-1"]))).toBe(
    "no region: elasticloadbalancing:DescribeTargetGroups: Region is missing; set AWS_REGION, or name it in the spec",
  );
});

test("refuses to go on where nobody answers", async () => {
  await answering([]);
  server?.close();
  const message = await failure(new LoadBalancer({ region, maxAttempts: 1 }).targetStates(group, ["i-1"]));
  expect(message).toMatch(/^AWS does not answer: elasticloadbalancing:DescribeTargetGroups: .*ECONNREFUSED/);
});

test("what AWS says is short and holds no secret", () => {
  const { message } = awsFailure(
    {
      name: "UnauthorizedOperation",
      message: "You are not authorized (a-secret-key).\n Encoded authorization failure message: AAAA",
    },
    "ec2:DescribeInstances",
  );
  expect(message).toBe(
    "AWS does not allow it: ec2:DescribeInstances: You are not authorized ((AWS_SECRET_ACCESS_KEY)); allow ec2:DescribeInstances to who runs this",
  );
});

test.each([
  ["ExpiredTokenException", "AWS does not take the credentials", "renew them"],
  ["InvalidClientTokenId", "AWS does not take the credentials", "renew them"],
  ["RequestLimitExceeded", "AWS throttles", "run it again later"],
  ["TargetGroupNotFoundException", "AWS does not have it", "correct the name, the region or the account"],
  ["ValidationError", "AWS answered ValidationError", "see what it says"],
  ["TimeoutError", "AWS does not answer", "check the network, the region and AWS_ENDPOINT_URL"],
  ["EAI_AGAIN", "AWS does not answer", "check the network, the region and AWS_ENDPOINT_URL"],
])("%s means: %s", (name, what, remedy) => {
  expect(awsFailure({ name, message: "x" }, "ec2:DescribeInstances").message).toBe(
    `${what}: ec2:DescribeInstances: x; ${remedy}`,
  );
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

const error = (status: number, code: string, message: string): Answer => ({
  status,
  body: `<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
});

const targets = (...members: readonly (readonly [id: string, state: string])[]): Answer => ({
  status: 200,
  body: `<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeTargetHealthResult><TargetHealthDescriptions>${members
    .map(
      ([id, state]) =>
        `<member><Target><Id>${id}</Id><Port>1</Port></Target><TargetHealth><State>${state}</State></TargetHealth></member>`,
    )
    .join("")}</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>`,
});

const EMPTY = targets();

const GROUPS: Answer = {
  status: 200,
  body: `<DescribeTargetGroupsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><DescribeTargetGroupsResult><TargetGroups><member><TargetGroupArn>arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/demo-broker/0123456789abcdef</TargetGroupArn><TargetGroupName>${group}</TargetGroupName></member></TargetGroups></DescribeTargetGroupsResult></DescribeTargetGroupsResponse>`,
};

const machines = (id: string, next: string): Answer => ({
  status: 200,
  body: `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item><instancesSet><item><instanceId>${id}</instanceId><tagSet><item><key>rollout:cluster</key><value>demo</value></item></tagSet></item></instancesSet></item></reservationSet>${next}</DescribeInstancesResponse>`,
});

/** Serves these answers one after another, the last one for ever; who asks for target groups is told of the one that there is. */
async function answering(answers: readonly Answer[]): Promise<void> {
  const left = [...answers];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      const next = left.length > 1 ? () => left.shift() : () => left[0];
      const answer = body.includes("DescribeTargetGroups") ? GROUPS : next();
      response.writeHead(answer?.status ?? 500, { "content-type": "text/xml" }).end(answer?.body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  process.env["AWS_ENDPOINT_URL"] = `http://127.0.0.1:${String(address.port)}`;
}
