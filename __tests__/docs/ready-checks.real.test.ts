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
  /** What `brokerStatus` of RocketMQ 5.2.0 says of a broker; -1 where it holds nothing. */
  interface Log {
    readonly min: number;
    readonly max: number;
    /** Of its oldest message. */
    readonly since?: number;
  }
  const SINCE = 1796049961289;
  const [master, replica] = ["10.0.0.7:10911", "10.0.1.7:10911"];
  const refused = (address: string) =>
    `org.apache.rocketmq.tools.command.SubCommandException: BrokerStatusSubCommand command failed\n\tat org.apache.rocketmq.tools.command.MQAdminStartup.main(MQAdminStartup.java:114)\nCaused by: org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to ${address} failed\n\t... 2 more`;
  const rows = (prefix: string, { min, max, since = SINCE }: Log): string =>
    [
      `${prefix}bootTimestamp                   : 1796049780437`,
      `${prefix}commitLogDirCapacity            : Total : 98.3 GiB, Free : 93.5 GiB.`,
      `${prefix}commitLogMaxOffset              : ${String(max)}`,
      `${prefix}commitLogMinOffset              : ${String(min)}`,
      `${prefix}earliestMessageTimeStamp        : ${String(since)}`,
    ].join("\n");

  /**
   * `mqadmin` for a master at 10.0.0.7 and, if there is one, a replica at 10.0.1.7, which may be silent.
   * @param later what the master says when it is asked once more
   */
  const mqadmin = async (of: Log, ofReplica?: Log | "silent", later = of): Promise<void> => {
    const brokers = [
      "#Cluster Name     #Broker Name            #BID  #Addr                  #Version",
      "demo              broker-a                0     10.0.0.7:10911         V5_2_0",
      "demo              broker-aa               1     10.0.2.7:10911         V5_2_0",
      ...(ofReplica ? ["demo              broker-a                1     10.0.1.7:10911         V5_2_0"] : []),
    ];
    const status = [
      rows(`${master}           `, of),
      ofReplica === "silent" ? refused(replica) : ofReplica ? rows(`${replica}           `, ofReplica) : "",
    ];
    // It exits with 0 whatever happens.
    await scratch.program(
      "mqadmin",
      `echo "$*" >> ${scratch.folder}/asked
case "$*" in
  "clusterList -n ns:9876") cat << 'T'\n${brokers.join("\n")}\nT
  ;;
  "brokerStatus -n ns:9876 -c demo") cat << 'T'\n${status.join("\n")}\nT
  ;;
  "brokerStatus -n ns:9876 -b ${master}") cat << 'T'\n${rows("", later)}\nT
  ;;
  *) cat << 'T'\n${refused("null")}\nT
  ;;
esac`,
    );
  };
  const check = (address: string, nameServers = "ns:9876") =>
    scratch.run(script("rocketmq"), [nameServers, address]);
  const rejected = (output: string) => ({ exitCode: 1, output });

  test("passes when the replica is as far as its master and holds as much, and asks all brokers at once", async () => {
    await mqadmin({ min: 0, max: 3473383494 }, { min: 0, max: 3473383000 });
    const passed = { exitCode: 0, output: "ready: broker-a, 1 replicas from 10.0.0.7:10911" };
    expect(await check(replica)).toEqual(passed);
    expect(await check(master)).toEqual(passed);
    const each = "clusterList -n ns:9876\nbrokerStatus -n ns:9876 -c demo\n";
    expect(await scratch.read("asked")).toBe(each + each);
  });

  test("passes when neither holds anything yet", async () => {
    await mqadmin({ min: -1, max: 0, since: -1 }, { min: -1, max: 0, since: -1 });
    expect((await check(replica)).exitCode).toBe(0);
  });

  test("rejects a replica that started at the last file, although the difference is 0", async () => {
    await mqadmin({ min: 0, max: 3473383494 }, { min: 3221225472, max: 3473383494, since: 1796049965000 });
    expect(await check(replica)).toEqual(
      rejected(
        "10.0.1.7:10911 of broker-a holds the log from 3221225472 only, the master 10.0.0.7:10911 from 0: older messages are on one machine",
      ),
    );
  });

  test("rejects a replica that is behind", async () => {
    await mqadmin({ min: 0, max: 3473383494 }, { min: 0, max: 1000000 });
    expect(await check(replica)).toEqual(
      rejected("10.0.1.7:10911 of broker-a is 3472383494 bytes behind 10.0.0.7:10911, at most 1048576"),
    );
  });

  test.each([
    ["has written since", { min: 0, max: 2438192, since: 1796050098914 }],
    ["is empty", { min: -1, max: 0, since: -1 }],
  ])("rejects a replica that is ahead: the master has lost its log, and %s", async (_, of) => {
    await mqadmin(of, { min: 0, max: 10972960 });
    expect(await check(master)).toEqual(
      rejected(
        `10.0.1.7:10911 of broker-a is ${String(10972960 - of.max)} bytes ahead of its master 10.0.0.7:10911: the master has lost its log`,
      ),
    );
  });

  test("asks the master once more before it says so: it may have been asked before its replica", async () => {
    await mqadmin({ min: 0, max: 10972000 }, { min: 0, max: 10972960 }, { min: 0, max: 10973900 });
    expect((await check(master)).exitCode).toBe(0);
  });

  test("rejects a master that has lost its log and written as much again since", async () => {
    await mqadmin({ min: 0, max: 10972960, since: 1796050039720 }, { min: 0, max: 10972960 });
    expect(await check(master)).toEqual(
      rejected(
        "10.0.1.7:10911 of broker-a and its master 10.0.0.7:10911 hold different logs: the oldest messages are of 1796049961289 and of 1796050039720",
      ),
    );
  });

  test("passes when the master has deleted old files and its replica has not yet", async () => {
    await mqadmin({ min: 1073741824, max: 3473383494, since: 1796050039720 }, { min: 0, max: 3473383494 });
    expect((await check(master)).exitCode).toBe(0);
  });

  test("rejects a master without a replica, and a broker that is not registered", async () => {
    await mqadmin({ min: 0, max: 1 });
    expect((await check(master)).output).toBe("broker-a has 0 replicas, 1 are wanted");
    expect(await check("10.0.0.70:10911")).toEqual(
      rejected("10.0.0.70:10911 is not registered at the name servers"),
    );
  });

  test("rejects a master that is gone", async () => {
    await mqadmin({ min: 0, max: 1 });
    expect(await check("10.0.2.7:10911")).toEqual(rejected("broker-aa has no master"));
  });

  test("rejects a replica that says nothing, and name servers that do not answer, with mqadmin's own reason", async () => {
    await mqadmin({ min: 0, max: 1 }, "silent");
    const reason = "org.apache.rocketmq.remoting.exception.RemotingConnectException: connect to";
    expect(await check(replica)).toEqual(
      rejected(
        `replica 10.0.1.7:10911 of broker-a does not say its offsets: ${reason} 10.0.1.7:10911 failed`,
      ),
    );
    expect(await check(replica, "gone:9876")).toEqual(
      rejected(`mqadmin clusterList failed: ${reason} null failed`),
    );
    await scratch.program("mqadmin", "echo 'mqadmin: java: not found' >&2; exit 127");
    expect(await check(replica)).toEqual(rejected("mqadmin clusterList failed: mqadmin: java: not found"));
  });
});

describe("the check for Kafka", () => {
  /** What Kafka 3.9.1's own tools print of three brokers, with changes. */
  interface Cluster {
    /** Instead of each broker's row; the rack is `null` where it has none. */
    readonly brokers?: string;
    readonly quorum?: string;
    readonly topics?: string;
    readonly failing?: Readonly<Record<string, string>>;
  }
  const brokers = [0, 1, 2]
    .map(
      (id) =>
        `10.0.${String(id)}.7:9092 (id: ${String(id)} rack: broker-${String(id)}) -> (\n\tProduce(0): 0 to 11 [usable: 11],\n)`,
    )
    .join("\n");
  const quorum = `NodeId	DirectoryId           	LogEndOffset	Lag	LastFetchTimestamp	LastCaughtUpTimestamp	Status  	
0     	AAAAAAAAAAAAAAAAAAAAAA	360         	0  	1796048601660     	1796048601660        	Leader  	
1     	AAAAAAAAAAAAAAAAAAAAAA	360         	0  	1796048601227     	1796048601227        	Follower	
2     	AAAAAAAAAAAAAAAAAAAAAA	360         	0  	1796048601230     	1796048601230        	Follower	`;
  const orders = `Topic: orders	TopicId: D_VDRrvSSiqGx4ksKQuIKg	PartitionCount: 2	ReplicationFactor: 3	Configs: min.insync.replicas=2,cleanup.policy=compact,delete
	Topic: orders	Partition: 0	Leader: 0	Replicas: 0,1,2	Isr: 0,1,2	Elr: 	LastKnownElr: 
	Topic: orders	Partition: 1	Leader: 1	Replicas: 1,2,0	Isr: 1,2,0	Elr: 	LastKnownElr: `;
  const topic = (name: string, leader: string, replicas: string, isr: string, minimum = ""): string =>
    `Topic: ${name}	TopicId: eNs	PartitionCount: 1	ReplicationFactor: 2	Configs: ${minimum}
	Topic: ${name}	Partition: 0	Leader: ${leader}	Replicas: ${replicas}	Isr: ${isr}	Elr: 	LastKnownElr: `;

  const check = async (cluster: Cluster, ...args: string[]) => {
    const tools = {
      "kafka-broker-api-versions.sh": cluster.brokers ?? brokers,
      "kafka-metadata-quorum.sh": cluster.quorum ?? quorum,
      "kafka-cluster.sh": "Cluster ID: MkU3OEVBNTcwNTJENDM2Qk",
      "kafka-topics.sh": cluster.topics ?? orders,
    };
    for (const [name, said] of Object.entries(tools)) {
      const fails = cluster.failing?.[name];
      const log = `cat > ${scratch.folder}/${name}.config; echo "$*" >> ${scratch.folder}/${name}.asked`;
      await scratch.program(
        name,
        `${log}; cat << 'T'\n${fails ?? said}\nT\n${fails === undefined ? "" : "exit 1"}`,
      );
    }
    return scratch.run(script("kafka"), ["10.0.0.7:9092,10.0.1.7:9092", ...args]);
  };
  const rejected = (output: string) => ({ exitCode: 1, output });

  test("passes when each group could go and leave every partition its minimum", async () => {
    expect(await check({}, "--brokers", "3", "--cluster", "MkU3OEVBNTcwNTJENDM2Qk")).toEqual({
      exitCode: 0,
      output: "ready: 2 partitions of 1 topics can lose broker-0, broker-1 or broker-2",
    });
    expect(await scratch.read("kafka-topics.sh.asked")).toBe(
      "--bootstrap-server 10.0.0.7:9092,10.0.1.7:9092 --command-config /dev/stdin --describe\n",
    );
  });

  test("gives each tool time limits of its own, and the user's configuration, which wins", async () => {
    const config = await scratch.write("client.properties", "security.protocol=SSL\n");
    await check({}, config, "--cluster", "MkU3OEVBNTcwNTJENDM2Qk");
    const given =
      "request.timeout.ms=5000\ndefault.api.timeout.ms=8000\nsocket.connection.setup.timeout.ms=3000\nsecurity.protocol=SSL\n";
    for (const tool of ["broker-api-versions", "metadata-quorum", "cluster", "topics"])
      expect(await scratch.read(`kafka-${tool}.sh.config`)).toBe(given);
  });

  test("rejects a cluster without a visible topic: it is empty, or the user has no rights", async () => {
    expect(await check({ topics: "" })).toEqual(
      rejected("no topic is visible: the cluster is empty, or this user may not describe topics"),
    );
  });

  test("rejects fewer brokers than are expected, and one that does not answer is not there", async () => {
    const silent = brokers.replace(
      "rack: broker-2) -> (",
      "rack: broker-2) -> ERROR: org.apache.kafka.common.errors.DisconnectException",
    );
    expect(await check({}, "--brokers", "4")).toEqual(rejected("3 brokers answer, 4 are expected: 0 1 2"));
    expect(await check({ brokers: silent }, "--brokers", "3")).toEqual(
      rejected("2 brokers answer, 3 are expected: 0 1"),
    );
    // In sync until its session ends.
    expect(await check({ brokers: silent })).toEqual(
      rejected(
        "without broker-0 orders 0 has 1 replicas in sync and needs 2 (replicas 0,1,2, in sync 0,1); and 3 more",
      ),
    );
  });

  test("rejects another cluster", async () => {
    expect(await check({}, "--cluster", "other")).toEqual(
      rejected("this is the cluster MkU3OEVBNTcwNTJENDM2Qk, expected is other"),
    );
  });

  test("rejects a partition that a group would take below its minimum, and says which", async () => {
    const behind = orders.replace("Isr: 0,1,2", "Isr: 1,2");
    expect(await check({ topics: behind })).toEqual(
      rejected(
        "without broker-1 orders 0 has 1 replicas in sync and needs 2 (replicas 0,1,2, in sync 1,2); and 1 more",
      ),
    );
  });

  test("judges only what goes, where that is said: the group that is behind itself may go", async () => {
    const behind = orders.replace("Isr: 0,1,2", "Isr: 1,2").replace("Isr: 1,2,0", "Isr: 1,2");
    const may = { exitCode: 0, output: "ready: 2 partitions of 1 topics can lose broker-0" };
    expect(await check({ topics: behind }, "--leaving", "broker-0")).toEqual(may);
    expect(await check({ topics: behind }, "--leaving", "0")).toEqual({
      ...may,
      output: may.output.replace("broker-", ""),
    });
    expect(await check({ topics: behind }, "--leaving", "2")).toEqual(
      rejected(
        "without 2 orders 0 has 1 replicas in sync and needs 2 (replicas 0,1,2, in sync 1,2); and 1 more",
      ),
    );
    expect(await check({}, "--leaving", "0,7")).toEqual(rejected("no broker that answers is 7"));
  });

  test("a partition that stands elsewhere may be short of a replica", async () => {
    const others = `10.0.3.7:9092 (id: 3 rack: null) -> (\n)\n${brokers}`;
    const topics = `${orders}\n${topic("elsewhere", "3", "3,4", "3", "min.insync.replicas=1")}`;
    expect((await check({ brokers: others, topics }, "--leaving", "broker-0")).exitCode).toBe(0);
    expect(await check({ brokers: others, topics })).toEqual(
      rejected("without broker 3 elsewhere 0 has 0 replicas in sync and needs 1 (replicas 3,4, in sync 3)"),
    );
  });

  test("takes the brokers of one rack together", async () => {
    const numbered = brokers.replaceAll("rack: broker-", "rack: ");
    expect((await check({ brokers: numbered })).output).toMatch(/ can lose 0, 1 or 2$/);
    const silent = numbered.replace("rack: 2) -> (", "rack: 2) -> ERROR: DisconnectException");
    expect((await check({ brokers: silent })).output).toMatch(/^without 0 orders 0 has 1 replicas in sync/);
    const inOneRack = brokers.replace("rack: broker-2", "rack: broker-1");
    expect(await check({ brokers: inOneRack })).toEqual(
      rejected(
        "topics with too few replicas: orders 0 has replicas 0,1,2, without broker-1 1, its minimum is 2; add replicas, or --accept orders",
      ),
    );
  });

  test("rejects topics with as many replicas as their minimum by their names, unless they are accepted", async () => {
    const topics = [
      orders,
      topic("two", "1", "1,2", "1,2", "min.insync.replicas=2"),
      topic("one", "0", "0", "0"),
    ].join("\n");
    expect(await check({ topics })).toEqual(
      rejected(
        "topics with too few replicas: two 0 has replicas 1,2, without broker-1 1, its minimum is 2; add replicas, or --accept two,one",
      ),
    );
    expect((await check({ topics }, "--accept", "two,one")).exitCode).toBe(0);
    // What remains of an accepted topic has to be in sync all the same.
    expect(
      await check(
        {
          topics: topics.replace(
            "Isr: 1,2	Elr: 	LastKnownElr: \nTopic: one",
            "Isr: 1	Elr: 	LastKnownElr: \nTopic: one",
          ),
        },
        "--accept",
        "two,one",
      ),
    ).toEqual(
      rejected("without broker-1 two 0 has 0 replicas in sync and needs 1 (replicas 1,2, in sync 1)"),
    );
    expect(
      await check(
        { topics: topics.replace("Leader: 0	Replicas: 0	", "Leader: none	Replicas: 0	") },
        "--accept",
        "two,one",
      ),
    ).toEqual(rejected("one 0 has no leader"));
  });

  test("compares minimums as numbers", async () => {
    const topics = orders.replace("min.insync.replicas=2", "min.insync.replicas=10");
    expect((await check({ topics })).output).toMatch(
      /^topics with too few replicas: orders 0 .* its minimum is 10; /,
    );
  });

  test("rejects controllers without a majority that is caught up once a group has gone", async () => {
    const stale = quorum.replace("1796048601230     	1796048601230", "1796048591169     	1796048590675");
    expect(await check({ quorum: stale })).toEqual(
      rejected("without broker-0 1 of 3 controllers are caught up, a majority is needed; and 1 more"),
    );
    expect((await check({ quorum: stale }, "--leaving", "broker-2")).exitCode).toBe(0);
    // They stand on machines of their own.
    expect((await check({ quorum: quorum.replace(/^(\d)/gm, "10$1") })).exitCode).toBe(0);
    expect(
      (await check({ quorum: "unused", failing: { "kafka-metadata-quorum.sh": "ZooKeeper" } }, "--zookeeper"))
        .exitCode,
    ).toBe(0);
  });

  test.each([
    [
      "kafka-broker-api-versions.sh",
      'Exception in thread "main" java.lang.RuntimeException: Request METADATA failed on brokers List(10.0.0.7:9092 (id: -1 rack: null))\n\tat kafka.admin.BrokerApiVersionsCommand',
    ],
    [
      "kafka-metadata-quorum.sh",
      "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: describeMetadataQuorum\njava.util.concurrent.ExecutionException: again",
    ],
    // A user who may not describe the cluster; then one who may, but not the configuration of topics.
    [
      "kafka-metadata-quorum.sh",
      "org.apache.kafka.common.errors.ClusterAuthorizationException: Cluster authorization failed.\njava.util.concurrent.ExecutionException: again",
    ],
    [
      "kafka-topics.sh",
      "Error while executing topic command : Topic authorization failed.\n[2026-11-30] ERROR again",
    ],
    [
      "kafka-topics.sh",
      "NOTE: Picked up JDK_JAVA_OPTIONS: -Xmx64m\n[2026-11-30 14:23:30,101] WARN [AdminClient clientId=adminclient-1] Connection to node -1 could not be established.\nError while executing topic command : Timed out waiting for a node assignment. Call: listTopics",
    ],
  ])("rejects a cluster that cannot be asked with the reason of %s", async (tool, said) => {
    const reason = said.split("\n").find((line) => !/WARN|Picked up/.test(line)) ?? "";
    expect(await check({ failing: { [tool]: said } })).toEqual(rejected(`${tool} failed: ${reason}`));
  });

  test("rejects an argument that it does not know", async () => {
    expect(await check({}, "--broker", "3")).toEqual({ exitCode: 2, output: "unknown argument --broker" });
  });
});
