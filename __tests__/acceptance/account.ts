import { type EC2Client, paginateDescribeInstances } from "@aws-sdk/client-ec2";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import type { Host, Site } from "../fleet/site.js";
import type { Given } from "./arguments.js";
import { CLUSTER } from "./cluster.js";
import { Parameters } from "./parameters.js";
import { RemoteMachine } from "./remote-machine.js";

export interface AccountProps {
  readonly settings: AwsSettings;
  readonly images: Given["images"];
}

/** An AWS account in which the scenarios' cluster stands. */
export class Account implements Site {
  readonly name = CLUSTER;
  readonly env = {};
  #machines: readonly Host[] = [];
  #following: Promise<void> | undefined;
  #isOver = false;

  private constructor(
    private readonly ec2: EC2Client,
    private readonly folder: string,
    private readonly props: AccountProps,
  ) {}

  /** @param folder where connections are kept */
  static start(ec2: EC2Client, folder: string, props: AccountProps): Account {
    const account = new Account(ec2, folder, props);
    account.#following = account.#follow();
    return account;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#following;
  }

  get images(): Site["images"] {
    return this.props.images;
  }

  settings(): Promise<AwsSettings> {
    return Promise.resolve(this.props.settings);
  }

  machines(pattern = /./): readonly Host[] {
    return this.#machines.filter(({ props }) => pattern.test(props.host));
  }

  machine(host: string): Host {
    const machine = this.#machines.find(({ props }) => props.host === host);
    if (machine === undefined) throw new Error(`no machine is up as ${host}`);
    return machine;
  }

  putSecret(name: string, value: unknown): Promise<void> {
    return new Parameters(this.ec2).put(name, JSON.stringify(value), CLUSTER);
  }

  /** Where AWS does not answer, what was known stays. */
  async #follow(): Promise<void> {
    while (!this.#isOver) {
      this.#machines = await this.#observe().catch(() => this.#machines);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }

  async #observe(): Promise<readonly Host[]> {
    const Filters = [
      { Name: "tag:rollout:cluster", Values: [CLUSTER] },
      { Name: "instance-state-name", Values: ["running"] },
    ];
    const found: Host[] = [];
    for await (const { Reservations = [] } of paginateDescribeInstances({ client: this.ec2 }, { Filters }))
      for (const { InstanceId: id = "", PrivateIpAddress: address = "", Tags = [] } of Reservations.flatMap(
        ({ Instances = [] }) => Instances,
      )) {
        const host = Tags.find(({ Key }) => Key === "Name")?.Value?.slice(CLUSTER.length + 1) ?? id;
        found.push(new RemoteMachine(this.ec2, { id, host, address, folder: this.folder }));
      }
    return found.sort((a, b) => (a.props.host < b.props.host ? -1 : 1));
  }
}
