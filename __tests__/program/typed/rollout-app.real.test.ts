import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic/index.js";
import { Aspects, Fn, TerraformResource, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import {
  aws,
  ClientPool,
  Cluster,
  ConsulServers,
  file,
  local,
  NomadServers,
  RolloutApp,
  three,
  type ClientPoolProps,
  type ClusterProps,
  type ServerPoolProps,
} from "../../../index.js";
import { UserError } from "../../../cluster/user-error.js";
import { loadProgram, synthesize } from "../../../program/program.js";

const EXAMPLE = readFileSync(new URL("../../../cluster.example.yaml", import.meta.url), "utf8");

let folder: string;
let home: string;

beforeAll(() => {
  home = process.cwd();
  folder = realpathSync(mkdtempSync(join(tmpdir(), "rollout-typed-")));
  process.chdir(folder);
});

afterEach(() => {
  process.exitCode = undefined;
  jest.restoreAllMocks();
});

afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const servers: ServerPoolProps = { images: three("ami-0aaa"), instanceTypes: three("t3.small") };

/** `cluster.example.yaml`, in code. */
function example(brokers: Partial<ClientPoolProps> = {}, props: Partial<ClusterProps> = {}) {
  const app = new RolloutApp();
  const cluster = new Cluster(app, "demo", {
    on: aws({
      region: "eu-west-1",
      vpcId: "vpc-0a1",
      subnetIds: ["subnet-0a1", "subnet-0b1", "subnet-0c1"],
      keyName: "ops",
      instanceProfile: "demo-agents",
    }),
    backend: file("terraform.demo.tfstate"),
    rollout: { pendingGroups: "one" },
    ...props,
  });
  new ConsulServers(cluster, servers);
  new NomadServers(cluster, servers);
  new ClientPool(cluster, "name-server", servers);
  const broker = new ClientPool(cluster, "broker", {
    images: three("ami-0aaa"),
    instanceTypes: three("m6i.large"),
    hosts: three(3),
    generations: three(0),
    dataVolumes: three({ sizeGib: 100 }),
    workload: "stays",
    loadBalancer: { port: 9876, deregistrationDelay: "60s" },
    ...brokers,
  });
  return { app, cluster, broker };
}

/** What a program prints on standard error, and its exit code. */
async function failing(app: RolloutApp): Promise<{ printed: string; exitCode: unknown }> {
  const error = jest.spyOn(console, "error").mockImplementation(() => undefined);
  await app.synth({ CDKTF_OUTDIR: join(folder, "refused") });
  const printed = error.mock.calls.map(([line]) => String(line)).join("\n");
  error.mockRestore();
  return { printed, exitCode: process.exitCode };
}

/** All that stands in a folder, by path. */
const filesIn = (top: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(top, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(top, path)).isFile())
      .sort()
      .map((path) => [path, readFileSync(join(top, path), "utf8")]),
  );

test.each([
  ["nothing is deployed", undefined, "images: [ami-0aaa, ami-0aaa, ami-0aaa]"],
  ["all of it is deployed", EXAMPLE, "images: [ami-0aaa, ami-0aaa, ami-0aaa]"],
  ["a group is pending", EXAMPLE, "images: [ami-0bbb, ami-0aaa, ami-0aaa]"],
])("code and YAML of the same values give the same files where %s", async (_, before, images) => {
  const [first = ""] = /ami-0[ab]+/.exec(images) ?? [];
  const brokersImages = EXAMPLE.lastIndexOf("images:");
  const text = EXAMPLE.slice(0, brokersImages) + EXAMPLE.slice(brokersImages).replace(/images:.*/, images);
  writeFileSync("before.yaml", before ?? "");
  writeFileSync("given.yaml", text);
  const env = {
    CLUSTER: "given.yaml",
    ...(before === undefined ? {} : { ROLLOUT_DEPLOYED: "file:before.yaml" }),
  };
  synthesize(await loadProgram(env), "by-yaml");
  const { app } = example({ images: [first, "ami-0aaa", "ami-0aaa"] });
  await app.synth({ ...env, CLUSTER: "", CDKTF_OUTDIR: "by-code" });
  expect(process.exitCode).toBeUndefined();
  const byCode = filesIn("by-code");
  expect(Object.keys(byCode).filter((path) => path.endsWith("cdk.tf.json"))).toHaveLength(
    before === undefined || first === "ami-0aaa" ? 1 : 2,
  );
  expect(byCode).toEqual(filesIn("by-yaml"));
  for (const each of ["by-code", "by-yaml"]) rmSync(each, { recursive: true });
});

test("desired.json has what is desired, and is a spec itself", async () => {
  await example().app.synth({ CDKTF_OUTDIR: "out" });
  const { spec } = await loadProgram({ CLUSTER: "desired.json" });
  writeFileSync("example.yaml", EXAMPLE);
  expect(spec).toEqual((await loadProgram({ CLUSTER: "example.yaml" })).spec);
  expect(readFileSync("desired.json", "utf8")).toMatch(/^\{\n {2}"name": "demo",\n {2}"platform": "aws",/);
});

test("what is the program's own is in each view, named by its path, and frozen in that of a group", async () => {
  const { app, cluster, broker } = example();
  cluster.inEachView((view) => {
    const { targetGroupArn, groupNames, securityGroupId } = view.pool(broker);
    const topic = new SnsTopic(new Construct(view, "alarms"), "topic", { name: groupNames.join("-") });
    topic.addOverride("tags", { targetGroupArn, securityGroupId });
  });
  const topicIn = (view: string): unknown =>
    Object.values(
      (JSON.parse(app.viewOf(view)) as { resource: { aws_sns_topic: object } }).resource.aws_sns_topic,
    );
  const tags = {
    targetGroupArn: "${aws_lb_target_group.broker.arn}",
    securityGroupId: "${aws_security_group.cluster.id}",
  };
  const topic = { name: "broker-0-broker-1-broker-2", tags };
  expect(topicIn("cluster")).toEqual([
    expect.objectContaining({ ...topic, lifecycle: { prevent_destroy: true } }),
  ]);
  expect(topicIn("broker-1")).toEqual([
    expect.objectContaining({ ...topic, lifecycle: { ignore_changes: "all", prevent_destroy: true } }),
  ]);
  await app.synth({ CDKTF_OUTDIR: "out" });
  expect(process.exitCode).toBeUndefined();
  expect(JSON.parse(readFileSync("desired.json", "utf8"))).toMatchObject({
    rollout: { ownResources: ["alarms"] },
  });
});

test("an aspect of the cluster or of the app reaches every view", () => {
  const { app, cluster } = example();
  const seen: string[] = [];
  for (const scope of [app, cluster])
    Aspects.of(scope).add({
      visit: (node) => {
        if (TerraformResource.isTerraformResource(node) && node.friendlyUniqueId === "cluster")
          seen.push(node.node.path);
      },
    });
  app.viewOf("cluster");
  app.viewOf("broker-0");
  expect(seen.map((path) => path.split("/")[0])).toEqual(["cluster", "cluster", "broker-0", "broker-0"]);
});

test("the view of a group shows its roll", () => {
  const stack = JSON.parse(example().app.viewOf("broker-1")) as {
    resource: { aws_instance: Record<string, { tags: Record<string, string> }> };
  };
  const hashes = Object.entries(stack.resource.aws_instance).map(([name, { tags }]) => [
    name.replace(/-\d$/, ""),
    tags["rollout:template-hash"],
  ]);
  const [before, after] = ["broker-0", "broker-1"].map((group) =>
    new Map(hashes as [string, string][]).get(group),
  );
  expect(before).not.toBe(after);
});

test("a pool is found within a construct of one's own", () => {
  class Brokers extends Construct {
    constructor(scope: Construct) {
      super(scope, "all-brokers");
      new ClientPool(this, "extra", servers);
    }
  }
  const { app, cluster } = example();
  new Brokers(cluster);
  expect(app.viewOf()).toContain('"extra-2-0"');
  expect(Cluster.of(cluster.node.findChild("all-brokers"))).toBe(cluster);
});

test("refuses what is wrong with a declaration, all of it at once, with the element and no line", async () => {
  const two = ["ami-0aaa", "ami-0aaa"];
  // @ts-expect-error two images are no three
  const { app, cluster } = example({ images: two, hosts: [1, 1, 0], nonsense: 1 });
  new ClientPool(cluster, "Web", servers);
  expect(await failing(app)).toEqual({
    printed: [
      `cluster demo: pools.Web: "Web" is no name for a pool; expected lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)`,
      "cluster demo: pools.broker.hosts[2]: got 0; expected a whole number from 1 to 1200",
      `cluster demo: pools.broker.images: got ["ami-0aaa","ami-0aaa"]; expected an array of exactly three, one image for each of the groups 0, 1 and 2`,
      "cluster demo: pools.broker.nonsense: unknown key; known here: images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps",
    ].join("\n"),
    exitCode: 2,
  });
});

test("refuses an image that only Terraform will know", async () => {
  const { app } = example({ images: ["ami-0aaa", "ami-0aaa", Fn.join("", ["ami-", "0bbb"])] });
  expect(await failing(app)).toEqual({
    printed:
      "cluster demo: pools.broker.images[2]: got a token, which only Terraform knows once it runs; expected the value itself, since a view is compared with the state before",
    exitCode: 2,
  });
});

test("refuses what cannot be written down", async () => {
  const ring: Record<string, unknown> = {};
  ring["again"] = ring;
  // @ts-expect-error a bigint and a ring are no settings
  const { app } = example({ hosts: three(3n), drain: ring });
  expect(await failing(app)).toEqual({
    printed: [
      "cluster demo: pools.broker.drain.again: got an object that holds itself; expected plain values",
      ...[0, 1, 2].map(
        (index) => `cluster demo: pools.broker.hosts[${String(index)}]: got 3n; expected a number, without n`,
      ),
    ].join("\n"),
    exitCode: 2,
  });
});

test("refuses a pool that is declared twice", async () => {
  const { app, cluster } = example();
  new ClientPool(new Construct(cluster, "again"), "broker", servers);
  expect(await failing(app)).toEqual({
    printed:
      "cluster demo: pools.broker: declared twice, as demo/broker and as demo/again/broker; expected one pool of each name",
    exitCode: 2,
  });
});

test("refuses a second cluster in one app, and none", async () => {
  const { app } = example();
  new Cluster(app, "other", { on: local(), backend: file("other.tfstate") });
  expect(await failing(app)).toEqual({
    printed: "the program declares two clusters, demo and other; expected one: each has a program of its own",
    exitCode: 2,
  });
  expect(await failing(new RolloutApp())).toEqual({
    printed: "the program declares no cluster; expected one: new Cluster(app, NAME, …)",
    exitCode: 2,
  });
});

test("refuses a pool outside of a cluster", () => {
  expect(() => new ClientPool(new RolloutApp(), "broker", servers)).toThrow(
    new UserError("the app is in no cluster; declare it within one: new Cluster(app, NAME, { on, backend })"),
  );
});

test("refuses what would be in no view, and what the constructs have against themselves", async () => {
  const { app, cluster, broker } = example();
  new TerraformResource(new Construct(cluster, "alarms"), "topic", {
    terraformResourceType: "aws_sns_topic",
  });
  new TerraformStack(app, "other");
  Aspects.of(broker).add({ visit: () => undefined });
  cluster.node.addValidation({ validate: () => ["no alarm is declared"] });
  expect(await failing(app)).toEqual({
    printed: [
      "demo/alarms/topic is in no view; declare it in demo's inEachView((view) => …)",
      "other is in no view; declare it in demo's inEachView((view) => …)",
      "demo/broker has an aspect, which reaches no view; add it to the cluster",
      "demo: no alarm is declared",
    ].join("\n"),
    exitCode: 2,
  });
});

test("refuses an async function for each view", async () => {
  const { app, cluster } = example();
  const declare: () => unknown = () => Promise.resolve();
  cluster.inEachView(declare);
  expect(await failing(app)).toEqual({
    printed:
      "inEachView of demo was given an async function: what it declares would miss the view; await before it",
    exitCode: 2,
  });
});

test("refuses what the pool of a view has not", () => {
  const { app, cluster } = example();
  cluster.inEachView((view) => view.pool({ name: "name-server" }).targetGroupArn);
  expect(() => app.viewOf()).toThrow(
    new UserError("name-server has no target group: it is declared without a load balancer"),
  );
  const other = example();
  other.cluster.inEachView((view) => view.pool({ name: "web" }));
  expect(() => other.app.viewOf()).toThrow(
    new UserError("demo has no pool web; it has consul-server, nomad-server, name-server, broker"),
  );
});

test("refuses two changed groups as the guard does, in words of its own", async () => {
  writeFileSync("before.yaml", EXAMPLE);
  const { app } = example({ images: ["ami-0bbb", "ami-0bbb", "ami-0aaa"] });
  const error = jest.spyOn(console, "error").mockImplementation(() => undefined);
  await app.synth({ CDKTF_OUTDIR: "refused", ROLLOUT_DEPLOYED: "file:before.yaml" });
  expect(error.mock.calls).toEqual([
    [
      "one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb), broker-1 (ami-0aaa -> ami-0bbb); set all but one back, or set rollout.pendingGroups: queue to roll them one after another",
    ],
  ]);
  expect(process.exitCode).toBe(1);
});
