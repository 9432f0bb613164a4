import { rm } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../fleet/until.js";
import { freePorts } from "../support/free-port.js";
import { prepareOnce } from "../support/prepare.js";
import { Scratch, type Ended } from "../support/scratch.js";
import { installTools, JavaProcess } from "./java.js";

/** What Java 17 has to open to RocketMQ, as its own start scripts do. */
const OPEN =
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED";

type Role = "master" | "replica";

/** A real name server, a master and its replica on loopback. They end with the test process. */
export class RocketmqCluster {
  readonly #running = new Map<string, JavaProcess>();

  private constructor(
    private readonly jars: string,
    private readonly scratch: Scratch,
    private readonly ports: readonly number[],
  ) {}

  static async start(): Promise<RocketmqCluster> {
    const { rocketmq } = await prepareOnce();
    if (!rocketmq.ok) throw new Error(rocketmq.reason);
    const scratch = await Scratch.create();
    const cluster = new RocketmqCluster(rocketmq.folder, scratch, await freePorts(5));
    await installTools(scratch, rocketmq.folder, {
      mqadmin: "org.apache.rocketmq.tools.command.MQAdminStartup",
    });
    const config = await scratch.write("names.conf", `listenPort=${String(cluster.ports[0])}\n`);
    cluster.#start("names", "org.apache.rocketmq.namesrv.NamesrvStartup", config);
    // A replica that comes before its master has nobody to follow.
    await cluster.startBroker("master");
    await cluster.startBroker("replica");
    return cluster;
  }

  get names(): string {
    return `127.0.0.1:${String(this.ports[0])}`;
  }

  address(role: Role): string {
    return `127.0.0.1:${String(this.#port(role))}`;
  }

  /** With the log that its disk holds, or an empty one. */
  async startBroker(role: Role): Promise<void> {
    const port = this.#port(role);
    const config = await this.scratch.write(
      `${role}.conf`,
      `brokerClusterName=demo
brokerName=broker-a
brokerId=${role === "master" ? "0" : "1"}
brokerRole=${role === "master" ? "ASYNC_MASTER" : "SLAVE"}
namesrvAddr=${this.names}
brokerIP1=127.0.0.1
brokerIP2=127.0.0.1
listenPort=${String(port)}
haListenPort=${String(this.ports[role === "master" ? 3 : 4])}
storePathRootDir=${this.#disk(role)}
mappedFileSizeCommitLog=1048576
timerWheelEnable=false
`,
    );
    this.#start(role, "org.apache.rocketmq.broker.BrokerStartup", config);
    await until(`the ${role} is registered`, async () =>
      (await this.mqadmin("clusterList")).includes(` ${this.address(role)} `),
    );
  }

  /** Ends a broker and takes its disk with it. */
  async replace(role: Role): Promise<void> {
    await this.#running.get(role)?.stop();
    await rm(this.#disk(role), { recursive: true, force: true });
    await this.startBroker(role);
  }

  /** Writes so many messages of 1,000 bytes. */
  async write(messages: number): Promise<void> {
    let written = 0;
    await until(`${String(messages)} messages are written`, async () => {
      const count = ["-b", "broker-a", "-s", "1000", "-c", String(messages - written)];
      written += (await this.mqadmin("sendMsgStatus", ...count)).split("SEND_OK").length - 1;
      return written >= messages;
    });
  }

  async mqadmin(command: string, ...args: string[]): Promise<string> {
    const { output } = await this.run("mqadmin", [command, "-n", this.names, ...args]);
    return output;
  }

  /** One of RocketMQ's tools, or of the scripts that call them. */
  run(program: string, args: readonly string[]): Promise<Ended> {
    const known = program === "mqadmin" ? join(this.scratch.folder, "bin", program) : program;
    return this.scratch.run(known, args, this.#env);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#running.values()].map((process) => process.kill()));
    await this.scratch.remove();
  }

  #start(name: string, main: string, config: string): void {
    const words = [main, "-c", config];
    const started = JavaProcess.start(this.scratch, name, {
      jars: this.jars,
      heap: "256m",
      words,
      env: this.#env,
    });
    started.output.resume();
    this.#running.set(name, started);
  }

  #port(role: Role): number {
    return this.ports[role === "master" ? 1 : 2] ?? 0;
  }

  #disk(role: Role): string {
    return join(this.scratch.folder, `disk-${role}`);
  }

  /** Its logs go below the user's home. */
  get #env(): Record<string, string> {
    const { folder } = this.scratch;
    return { JDK_JAVA_OPTIONS: `-Duser.home=${folder} -Drocketmq.home.dir=${folder} ${OPEN}` };
  }
}
