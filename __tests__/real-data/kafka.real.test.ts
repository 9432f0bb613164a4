import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { poolsOf } from "../../cluster/groups.js";
import { readSpec } from "../../program/read-spec.js";
import { rehearsalJob, SERVICE } from "../../rehearsal/job.js";
import { RollDemo } from "../deploy/roll-demo.js";
import { until } from "../fleet/until.js";
import { describeReal } from "../support/environment.js";
import { BrokersOfMachines } from "./brokers-of-machines.js";
import { KafkaCluster } from "./kafka-cluster.js";

const script = new URL("../../docs/ready-checks/kafka", import.meta.url).pathname;

/** In both rolls. */
const ORDER = [0, 1, 2];
/** What is written before the roll begins, and how fast a replica that was empty gets it: slower than two groups are rolled. */
const BEFORE = 100_000;
const BYTES_PER_SECOND = 15_000;
/** Of the agents; Kafka has none. */
const SPEED = 10;
const THREE = "images: [ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [m6i.large, m6i.large, m6i.large]";
const LONG = "ready: { timeout: 12h }, bake: { time: 5s }";

const specOf = (checks: string): string =>
  [
    "pools:",
    `  consul-server: { ${THREE}, ${LONG} }`,
    `  nomad-server: { ${THREE}, ${LONG} }`,
    `  broker: { ${THREE}, workload: stays, dataVolumes: [{ sizeGib: 10 }, { sizeGib: 10 }, { sizeGib: 10 }], ready: { timeout: 12h, ${checks} }, bake: { time: 5s } }`,
    "",
  ].join("\n");

/** Of a roll, which catches up slowly on purpose, on a machine that does much else. */
const LONGEST_ROLL = 1_800_000;

describeReal("three real Kafka brokers", ["terraform", "kafka"], (real) => {
  let cluster: KafkaCluster;

  beforeEach(async () => {
    cluster = await KafkaCluster.start();
  });
  afterEach(async () => {
    await cluster.remove();
  });

  const check = (...args: string[]) => cluster.run(script, [cluster.bootstrap, ...args]);

  /**
   * Rolls a pool whose machines each run one of the brokers: it ends with its machine, whose disk goes, too, and starts with the
   * next one. Records are written meanwhile.
   * @param checks of the pool, as its spec has them
   */
  async function roll(checks: string) {
    const demo = await RollDemo.create(real, { speed: SPEED, spec: specOf(checks), env: cluster.env });
    try {
      const pools = poolsOf(readSpec({ CLUSTER: demo.workspace.specFile }).spec);
      for (const pool of pools.filter(({ name }) => name === "broker"))
        await demo.tell("/jobs", rehearsalJob(pool));
      await until("the work answers", async () => (await demo.passing(SERVICE)) === ORDER.length);
      await cluster.createSlowTopic(BYTES_PER_SECOND);
      const before = await cluster.produce(1, -1, BEFORE);
      await before.ended();
      const during = await cluster.produce(2, 20);
      await until("records are acknowledged", () => during.acknowledged.size > 0);
      const following = await BrokersOfMachines.follow(demo, cluster);

      const { exitCode, output } = await demo.start("broker", "--image", "ami-0bbb").end();

      const order = await following.end();
      await during.stop();
      const read = await cluster.readAll();
      const acknowledged = [...before.acknowledged, ...during.acknowledged];
      return {
        end: exitCode === 0 ? "rolled" : output,
        order,
        acknowledged: acknowledged.length,
        lost: acknowledged.filter((value) => !read.has(value)).length,
        failed: before.failed + during.failed,
      };
    } finally {
      await demo.remove();
    }
  }

  test("the check rejects what a roll must not begin with, and says what it is", async () => {
    const refused = (output: string) => ({ exitCode: 1, output });
    expect(await check()).toEqual(
      refused("no topic is visible: the cluster is empty, or this user may not describe topics"),
    );
    expect(await check("--brokers", "4")).toEqual(refused("3 brokers answer, 4 are expected: 0 1 2"));
    expect(await check("--cluster", "other")).toEqual(
      refused(`this is the cluster ${cluster.id}, expected is other`),
    );
    await cluster.createTopic("two", "2", "0:1");
    expect(await check()).toEqual(
      refused(
        "topics with too few replicas: two 0 has replicas 0,1, without broker-0 1, its minimum is 2; add replicas, or --accept two",
      ),
    );
    await cluster.kill(2);
    // It is in sync until its session ends, and a controller until nobody has heard of it for 10 s.
    const [dead, alive] = [cluster.address(2), cluster.address(0)];
    const without = await until("the controllers miss it", async () => {
      const { output } = await cluster.run(script, [`${dead},${alive}`, "--accept", "two"]);
      return output.startsWith("without") && output;
    });
    expect(without).toMatch(/^without broker-0 .* a majority is needed; and 1 more$/);
    const started = performance.now();
    expect((await cluster.run(script, [dead])).output).toMatch(
      /^kafka-broker-api-versions.sh failed: .*Request METADATA failed on brokers List\(127\.0\.0\.1:/,
    );
    expect(performance.now() - started).toBeLessThan(40_000);
  });

  test(
    "three groups rolled: with the check no acknowledged record is lost, and none fails",
    async () => {
      const words = JSON.stringify([script, cluster.bootstrap, "--brokers", "3", "--cluster", cluster.id]);
      const check = `{ name: any-group-could-go, command: ${words}, scope: pool, env: [JDK_JAVA_OPTIONS], interval: 10s, timeout: 1m }`;
      const { acknowledged, ...result } = await roll(`checks: [${check}]`);
      expect(acknowledged).toBeGreaterThan(BEFORE);
      expect(result).toEqual({ end: "rolled", order: ORDER, lost: 0, failed: 0 });
    },
    LONGEST_ROLL,
  );

  test(
    "the same roll without the check loses acknowledged records",
    async () => {
      const { acknowledged, end, order, lost } = await roll("checks: []");
      expect({ end, order }).toEqual({ end: "rolled", order: ORDER });
      expect(acknowledged).toBeGreaterThan(BEFORE);
      expect(lost).toBeGreaterThan(0);
    },
    LONGEST_ROLL,
  );
});
