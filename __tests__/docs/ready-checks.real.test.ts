import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Scratch } from "../support/scratch.js";

const script = (name: string): string => new URL(`../../docs/ready-checks/${name}`, import.meta.url).pathname;

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.create();
});
afterEach(async () => {
  await scratch.remove();
});

describe("the check for RocketMQ", () => {
  interface Offsets {
    readonly min: number;
    readonly max: number;
  }
  /** `mqadmin` for a master at 10.0.0.7 and, if there is one, a replica at 10.0.1.7. */
  const mqadmin = async (master: Offsets, replica?: Offsets): Promise<void> => {
    const status = ({ min, max }: Offsets): string =>
      `bootTimestamp                   : 1591673160936\ncommitLogDirCapacity            : Total : 98.3 GiB, Free : 93.5 GiB.\ncommitLogMaxOffset              : ${String(max)}\ncommitLogMinOffset              : ${String(min)}`;
    const rows = [
      "#Cluster Name     #Broker Name            #BID  #Addr                  #Version",
      "DefaultCluster    broker-a                0     10.0.0.7:10911         V5_3_0",
      "DefaultCluster    broker-aa               1     10.0.2.7:10911         V5_3_0",
      ...(replica ? ["DefaultCluster    broker-a                1     10.0.1.7:10911         V5_3_0"] : []),
    ];
    await scratch.program(
      "mqadmin",
      `case "$*" in
  "clusterList -n ns:9876") cat << 'T'\n${rows.join("\n")}\nT
  ;;
  "brokerStatus -n ns:9876 -b 10.0.0.7:10911") cat << 'T'\n${status(master)}\nT
  ;;
  "brokerStatus -n ns:9876 -b 10.0.1.7:10911") cat << 'T'\n${replica ? status(replica) : ""}\nT
  ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac`,
    );
  };
  const check = (address: string) => scratch.run(script("rocketmq"), ["ns:9876", address]);

  test("passes when the replica is as far as its master and holds as much", async () => {
    await mqadmin({ min: 0, max: 3473383494 }, { min: 0, max: 3473383000 });
    const passed = { exitCode: 0, output: "ready: broker-a, 1 replicas from 10.0.0.7:10911" };
    expect(await check("10.0.1.7:10911")).toEqual(passed);
    expect(await check("10.0.0.7:10911")).toEqual(passed);
  });

  test("rejects a replica that started at the last file, although the difference is 0", async () => {
    await mqadmin({ min: 0, max: 3473383494 }, { min: 3221225472, max: 3473383494 });
    expect(await check("10.0.1.7:10911")).toEqual({
      exitCode: 1,
      output:
        "10.0.1.7:10911 of broker-a holds the log from 3221225472 only, the master 10.0.0.7:10911 from 0: older messages are on one machine",
    });
  });

  test("rejects a replica that is behind", async () => {
    await mqadmin({ min: 0, max: 5000000 }, { min: 0, max: 1000000 });
    expect(await check("10.0.1.7:10911")).toEqual({
      exitCode: 1,
      output: "10.0.1.7:10911 of broker-a is 4000000 bytes behind 10.0.0.7:10911, at most 1048576",
    });
  });

  test("rejects a master without a replica, and a broker that is not registered", async () => {
    await mqadmin({ min: 0, max: 1 });
    expect((await check("10.0.0.7:10911")).output).toBe("broker-a has 0 replicas, 1 are wanted");
    expect(await check("10.0.0.70:10911")).toEqual({
      exitCode: 1,
      output: "10.0.0.70:10911 is not registered at the name servers",
    });
  });

  test("rejects a master that is gone, and a replica that says nothing", async () => {
    await mqadmin({ min: 0, max: 1 });
    expect((await check("10.0.2.7:10911")).output).toBe("broker-aa has no master");
    await mqadmin({ min: 0, max: 1 }, { min: Number.NaN, max: 1 });
    expect(await check("10.0.1.7:10911")).toEqual({
      exitCode: 1,
      output: "replica 10.0.1.7:10911 of broker-a does not say its offsets",
    });
  });
});

describe("the check for Kafka", () => {
  const partition = "\tTopic: orders\tPartition: 3\tLeader: 2\tReplicas: 2,0,4\tIsr: 2,4";
  /** `kafka-topics.sh` that lists one partition for one of the states. */
  const topics = (state: string): Promise<void> =>
    scratch.program("kafka-topics.sh", `case "$*" in *--${state}-partitions) echo "${partition}" ;; esac`);
  const check = () => scratch.run(script("kafka"), ["10.0.0.7:9092"]);

  test("passes when no partition is at, or under, its minimum", async () => {
    await topics("none");
    expect(await check()).toEqual({ exitCode: 0, output: "ready: every partition can lose a replica" });
  });

  test.each(["under-min-isr", "at-min-isr", "under-replicated", "unavailable"])(
    "rejects a partition that is %s",
    async (state) => {
      await topics(state);
      expect(await check()).toEqual({
        exitCode: 1,
        output: `1 partitions are ${state}, the first: Topic: orders Partition: 3 Leader: 2 Replicas: 2,0,4 Isr: 2,4`,
      });
    },
  );

  test("rejects when the cluster cannot be asked", async () => {
    await scratch.program("kafka-topics.sh", "echo 'Timed out' >&2; exit 1");
    expect(await check()).toEqual({ exitCode: 1, output: "kafka-topics.sh failed\nTimed out" });
  });
});
