import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../fleet/until.js";
import { freePorts } from "../support/free-port.js";
import { prepareOnce } from "../support/prepare.js";
import { Scratch, type Ended } from "../support/scratch.js";
import { installTools, JavaProcess } from "./java.js";

const CLUSTER_ID = "cm9sbG91dC1yZWFsLWRhdA";
const TOPIC = "orders";

const TOOLS = {
  "kafka-broker-api-versions.sh": "kafka.admin.BrokerApiVersionsCommand",
  "kafka-cluster.sh": "org.apache.kafka.tools.ClusterTool",
  "kafka-configs.sh": "kafka.admin.ConfigCommand",
  "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
  "kafka-metadata-quorum.sh": "org.apache.kafka.tools.MetadataQuorumCommand",
  "kafka-storage.sh": "kafka.tools.StorageTool",
  "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
};

/** Three real brokers on loopback, each a controller, too, and a group of its own. They end with the test process. */
export class KafkaCluster {
  readonly id = CLUSTER_ID;
  readonly #running = new Map<number, JavaProcess>();

  private constructor(
    private readonly jars: string,
    private readonly scratch: Scratch,
    private readonly ports: readonly number[],
  ) {}

  static async start(): Promise<KafkaCluster> {
    const { kafka } = await prepareOnce();
    if (!kafka.ok) throw new Error(kafka.reason);
    const jars = kafka.folder;
    const scratch = await Scratch.create();
    const cluster = new KafkaCluster(jars, scratch, await freePorts(6));
    await installTools(scratch, jars, TOOLS);
    const log = "log4j.rootLogger=ERROR, e\nlog4j.appender.e=org.apache.log4j.ConsoleAppender\n";
    const layout =
      "log4j.appender.e.Target=System.err\nlog4j.appender.e.layout=org.apache.log4j.SimpleLayout\n";
    await scratch.write("log4j.properties", log + layout);
    await Promise.all([0, 1, 2].map((id) => cluster.startBroker(id)));
    return cluster;
  }

  /** Of each broker. */
  address(id: number): string {
    return `127.0.0.1:${String(this.ports[id])}`;
  }

  get bootstrap(): string {
    return [0, 1, 2].map((id) => this.address(id)).join(",");
  }

  /** One of Kafka's tools, or of the scripts that call them. */
  run(program: string, args: readonly string[]): Promise<Ended> {
    return this.scratch.run(program, args, this.#env);
  }

  /** In which Kafka's tools are on the PATH. */
  get env(): Record<string, string> {
    const bin = join(this.scratch.folder, "bin");
    return { ...this.#env, PATH: [bin, process.env["PATH"]].join(delimiter) };
  }

  /** Runs a tool that has to succeed. */
  async #tool(name: string, ...args: string[]): Promise<string> {
    const { exitCode, output } = await this.run(`${this.scratch.folder}/bin/${name}`, args);
    if (exitCode !== 0) throw new Error(`${name} failed: ${output}`);
    return output;
  }

  /** What a machine with a new image and an empty disk does: the broker formats its folder and starts. */
  async startBroker(id: number): Promise<void> {
    const config = await this.scratch.write(`broker-${String(id)}.properties`, this.#configuration(id));
    await this.#tool("kafka-storage.sh", "format", "-t", CLUSTER_ID, "-c", config);
    const broker = JavaProcess.start(this.scratch, `broker-${String(id)}`, {
      jars: this.jars,
      heap: "256m",
      words: ["kafka.Kafka", config],
      env: this.#env,
    });
    broker.output.resume();
    this.#running.set(id, broker);
    await until(`broker ${String(id)} listens`, () => listens(this.ports[id] ?? 0));
  }

  /** Ends a broker as its machine does, and takes its disk with it. */
  async endBroker(id: number): Promise<void> {
    await this.#running.get(id)?.stop();
    await rm(this.#disk(id), { recursive: true, force: true });
  }

  /** Ends a broker as a lost machine does. */
  async kill(id: number): Promise<void> {
    await this.#running.get(id)?.kill();
  }

  /** @param replicas of its one partition: `0:1` */
  async createTopic(name: string, minimum: string, replicas: string): Promise<void> {
    const create = ["--bootstrap-server", this.bootstrap, "--create", "--topic", name];
    const settings = ["--replica-assignment", replicas, "--config", `min.insync.replicas=${minimum}`];
    await this.#tool("kafka-topics.sh", ...create, ...settings);
  }

  /** A topic with a copy on each broker; a copy that is not in sync comes in slowly. */
  async createSlowTopic(bytesPerSecond: number): Promise<void> {
    const create = ["--bootstrap-server", this.bootstrap, "--create", "--topic", TOPIC];
    const throttled = ["--config", "leader.replication.throttled.replicas=*"];
    await this.#tool(
      "kafka-topics.sh",
      ...create,
      "--partitions",
      "3",
      "--replication-factor",
      "3",
      ...throttled,
    );
    for (const id of ["0", "1", "2"])
      await this.#tool(
        "kafka-configs.sh",
        ...["--bootstrap-server", this.bootstrap, "--alter", "--entity-type", "brokers", "--entity-name", id],
        ...["--add-config", `leader.replication.throttled.rate=${String(bytesPerSecond)}`],
      );
  }

  /**
   * Starts Kafka's own producer, which counts: with acks=all, and until it is stopped or has written so many.
   * @param prefix tells its records from those of another one
   */
  async produce(prefix: number, perSecond: number, messages = -1): Promise<Producer> {
    const config = await this.scratch.write(
      "producer.properties",
      "retries=2147483647\nenable.idempotence=true\nrequest.timeout.ms=10000\ndelivery.timeout.ms=30000\n",
    );
    const to = ["--bootstrap-server", this.bootstrap, "--topic", TOPIC, "--acks", "-1"];
    const load = ["--throughput", String(perSecond), "--max-messages", String(messages)];
    return new Producer(
      JavaProcess.start(this.scratch, `producer-${String(prefix)}`, {
        jars: this.jars,
        heap: "128m",
        words: [
          "org.apache.kafka.tools.VerifiableProducer",
          ...[...to, "--producer.config", config, "--value-prefix", String(prefix), ...load],
        ],
        env: this.#env,
      }),
    );
  }

  /** All that can be read, by the value of each record. */
  async readAll(): Promise<ReadonlySet<string>> {
    const from = ["--bootstrap-server", this.bootstrap, "--topic", TOPIC, "--from-beginning"];
    const { output } = await this.run(`${this.scratch.folder}/bin/kafka-console-consumer.sh`, [
      ...from,
      ...["--timeout-ms", "8000"],
    ]);
    return new Set(output.split("\n").filter((line) => /^\d+\.\d+$/.test(line)));
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#running.values()].map((broker) => broker.kill()));
    await this.scratch.remove();
  }

  #disk(id: number): string {
    return join(this.scratch.folder, `disk-${String(id)}`);
  }

  get #env(): Record<string, string> {
    const log = `-Dlog4j.configuration=file:${this.scratch.folder}/log4j.properties`;
    return { JDK_JAVA_OPTIONS: log };
  }

  #configuration(id: number): string {
    const controllers = [0, 1, 2].map((each) => `${String(each)}@127.0.0.1:${String(this.ports[each + 3])}`);
    return `process.roles=broker,controller
node.id=${String(id)}
broker.rack=broker-${String(id)}
controller.quorum.voters=${controllers.join(",")}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://${this.address(id)},CONTROLLER://127.0.0.1:${String(this.ports[id + 3])}
inter.broker.listener.name=PLAINTEXT
log.dirs=${this.#disk(id)}
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=1
# Small enough for a limit of some kilobytes to be felt.
replica.fetch.max.bytes=16384
`;
  }
}

/** A program that writes, and what it was told of each record. */
export class Producer {
  readonly acknowledged = new Set<string>();
  failed = 0;

  constructor(private readonly process: JavaProcess) {
    createInterface({ input: process.output }).on("line", (line) => {
      const event = JSON.parse(line) as { readonly name: string; readonly value?: string };
      if (event.name === "producer_send_success") this.acknowledged.add(event.value ?? "");
      else if (event.name === "producer_send_error") this.failed++;
    });
  }

  /** Once it has written all that it was to write. */
  ended(): Promise<void> {
    return this.process.ended();
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** As a health check of the port would see it. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const listening = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return listening;
}
