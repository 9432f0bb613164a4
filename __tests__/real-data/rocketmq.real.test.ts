import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { until } from "../fleet/until.js";
import { describeReal } from "../support/environment.js";
import { RocketmqCluster } from "./rocketmq-cluster.js";

const script = new URL("../../docs/ready-checks/rocketmq", import.meta.url).pathname;

describeReal("a real RocketMQ master and its replica", ["rocketmq"], () => {
  let cluster: RocketmqCluster;

  beforeEach(async () => {
    cluster = await RocketmqCluster.start();
    // More than one file of the log.
    await cluster.write(3000);
    await until("the replica has all", async () => (await check("0")).exitCode === 0);
  });
  afterEach(async () => {
    await cluster.remove();
  });

  const check = (bytes = "1048576") =>
    cluster.run(script, [cluster.names, cluster.address("replica"), "1", bytes]);
  const pair = () => [cluster.address("replica"), cluster.address("master")] as const;

  test("the check passes with both, and rejects a replica that has come back empty, and no answer", async () => {
    const [replica, master] = pair();
    expect((await check()).output).toBe(`ready: broker-a, 1 replicas from ${master}`);
    expect((await cluster.run(script, ["127.0.0.1:1", master])).output).toBe(
      "mqadmin clusterList failed: org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to null failed",
    );
    await cluster.replace("replica");
    const rejected = await until("the replica follows", async () => {
      const { exitCode, output } = await check();
      return exitCode === 1 && output.includes("holds the log") && output;
    });
    expect(rejected).toMatch(
      new RegExp(
        `^${replica} of broker-a holds the log from [1-9]\\d* only, the master ${master} from 0: older messages are on one machine$`,
      ),
    );
  });

  test("the check rejects a master that has come back empty: its replica is ahead", async () => {
    const [replica, master] = pair();
    await cluster.replace("master");
    const rejected = `^${replica} of broker-a is \\d+ bytes ahead of its master ${master}: the master has lost its log$`;
    expect((await check()).output).toMatch(new RegExp(rejected));
    // Once as much has been written again, nothing but the age of the oldest message tells the two logs apart.
    await cluster.write(4000);
    const later = await until("the replica is no longer ahead", async () => {
      const { output } = await check();
      return !output.includes("ahead") && output;
    });
    expect(later).toMatch(
      new RegExp(
        `^${replica} of broker-a and its master ${master} hold different logs: the oldest messages are of`,
      ),
    );
  });
});
