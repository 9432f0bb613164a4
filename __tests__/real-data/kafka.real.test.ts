import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { until } from "../fleet/until.js";
import { describeReal } from "../support/environment.js";
import { KafkaCluster } from "./kafka-cluster.js";

const script = new URL("../../docs/ready-checks/kafka", import.meta.url).pathname;

/** The order in which the groups go, the same for both rolls. */
const ORDER = [1, 2, 0];
/** What is written before the roll begins, and how fast a replica that was empty gets it: about 40 s. */
const BEFORE = 100_000;
const BYTES_PER_SECOND = 50_000;

describeReal("three real Kafka brokers", ["kafka"], () => {
  let cluster: KafkaCluster;

  beforeEach(async () => {
    cluster = await KafkaCluster.start();
  });
  afterEach(async () => {
    await cluster.remove();
  });

  const check = (...args: string[]) => cluster.run(script, [cluster.bootstrap, ...args]);
  const ready = async () => (await check("--brokers", "3", "--cluster", cluster.id)).exitCode === 0;

  /** Replaces one group after the other under load; the disk of each is lost. */
  async function roll(mayGoOn: () => Promise<unknown>) {
    await cluster.createSlowTopic(BYTES_PER_SECOND);
    const before = await cluster.produce(1, -1, BEFORE);
    await before.ended();
    const during = await cluster.produce(2, 20);
    await until("records are acknowledged", () => during.acknowledged.size > 0);
    for (const id of ORDER) {
      await cluster.replace(id);
      await mayGoOn();
    }
    await during.stop();
    const read = await cluster.readAll();
    const acknowledged = [...before.acknowledged, ...during.acknowledged];
    return {
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((value) => !read.has(value)).length,
      failed: before.failed + during.failed,
    };
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

  test("with the check between the groups no acknowledged record is lost, and none fails", async () => {
    const { acknowledged, ...result } = await roll(() => until("the check passes", ready));
    expect(acknowledged).toBeGreaterThan(BEFORE);
    expect(result).toEqual({ lost: 0, failed: 0 });
  });

  test("the same roll without the check loses acknowledged records", async () => {
    const { acknowledged, lost } = await roll(() => Promise.resolve());
    expect(acknowledged).toBeGreaterThan(BEFORE);
    expect(lost).toBeGreaterThan(0);
  });
});
