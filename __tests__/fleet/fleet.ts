import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  EC2Client,
  RunInstancesCommand,
  type Tag,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import { type Moto, startMoto } from "../support/moto.js";
import { AwsFront } from "./aws-front.js";
import { Disk } from "./disk.js";
import { Firewall } from "./firewall.js";
import { Machine } from "./machine.js";
import { type Metadata, MetadataServer } from "./metadata.js";
import { Services } from "./services.js";
import type { Site } from "./site.js";

/** The images that there are; those with an `e` are made with DATA_VOLUME=true, the Consul of those with a `b` cannot start. */
export const IMAGES = [
  "ami-0a01",
  "ami-0a02",
  "ami-0a03",
  "ami-0a04",
  "ami-0b01",
  "ami-0e01",
  "ami-0e02",
  "ami-0e03",
  "ami-0e04",
];

const BROKEN = fileURLToPath(new URL("broken", import.meta.url));

/** One computer's worth of EC2: moto says what there is, and this makes machines and volumes of it. */
export class Fleet implements Site {
  readonly name = "demo";
  readonly images = { plain: ["ami-0a01", "ami-0a02"], data: ["ami-0e01", "ami-0e02"] } as const;
  readonly #machines = new Map<string, Machine>();
  readonly #told = new Map<string, Metadata>();
  readonly #disks = new Map<string, Disk>();
  readonly #busy = new Set<Promise<void>>();
  readonly #metadata: MetadataServer;
  readonly #services: Services;
  readonly #ec2: EC2Client;
  readonly #firewall: Firewall;
  /** What AWS says to Terraform and the product. */
  readonly front: AwsFront;
  #endpoint = "";
  #sshConfig = "";
  #following: Promise<void> | undefined;
  #isOver = false;
  /** What went wrong behind the tests' back. */
  readonly failures: string[] = [];

  /** The folder of layers that image.sh has made. */
  readonly #layers = process.env["ROLLOUT_FLEET"] ?? "";

  private constructor(readonly moto: Moto) {
    const instanceAt = (address: string): Metadata | undefined =>
      [...this.#told.values()].find(
        (each) => each.address === address && this.#machines.get(each.id)?.isUp === true,
      );
    this.front = new AwsFront(moto, (id) => this.#machines.get(id)?.printed);
    this.#metadata = new MetadataServer(instanceAt);
    this.#services = new Services({
      cache: this.cache,
      aws: moto.url,
      instanceAt,
      hostOf: (id) => this.#machines.get(id)?.props.host,
    });
    this.#ec2 = new EC2Client({
      endpoint: moto.url,
      region: "eu-west-1",
      credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    });
    this.#firewall = new Firewall(this.#ec2);
  }

  static async start(): Promise<Fleet> {
    const moto = await startMoto({ images: IMAGES });
    const fleet = new Fleet(moto);
    await fleet.#metadata.start();
    await fleet.#services.start();
    fleet.#endpoint = await fleet.front.start();
    fleet.#sshConfig = await fleet.sshConfig("/srv");
    fleet.#following = fleet.#follow();
    return fleet;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#following;
    await Promise.allSettled(this.#busy);
    await Promise.all([...this.#machines.values()].map((machine) => machine.remove()));
    await Promise.all([...this.#disks.values()].map((disk) => disk.detach()));
    this.#ec2.destroy();
    this.#metadata.stop();
    this.#services.stop();
    this.front.stop();
    await this.moto.stop();
  }

  get env(): Readonly<Record<string, string>> {
    return { ...this.moto.env, AWS_ENDPOINT_URL: this.#endpoint, ROLLOUT_SSH_CONFIG: this.#sshConfig };
  }

  /** Makes a network, an instance profile and a key pair. */
  async settings(): Promise<AwsSettings> {
    const { vpcId, subnetIds } = await this.moto.ec2.createNetwork();
    await this.moto.ec2.createInstanceProfile("demo-agents");
    await this.moto.ec2.createKeyPair("ops");
    return {
      region: "eu-west-1",
      vpcId,
      subnetIds: [...subnetIds],
      keyName: "ops",
      instanceProfile: "demo-agents",
      securityGroupIds: [await this.openToRunner(vpcId)],
    };
  }

  get cache(): string {
    return join(this.#layers, "..");
  }

  machines(pattern = /./): Machine[] {
    return [...this.#machines.values()]
      .filter(({ isUp, props }) => isUp && pattern.test(props.host))
      .sort((a, b) => (a.props.host < b.props.host ? -1 : 1));
  }

  machine(host: string): Machine {
    const machine = this.machines().find(({ props }) => props.host === host);
    if (machine === undefined) throw new Error(`no machine is up as ${host}`);
    return machine;
  }

  /** How many machines have ever been made as a host. */
  made(host: string): number {
    return [...this.#machines.values()].filter(({ props }) => props.host === host).length;
  }

  /** A power cut, after which EC2 has given the machine up. */
  async lose(host: string): Promise<void> {
    const machine = this.machine(host);
    await this.#ec2.send(new TerminateInstancesCommand({ InstanceIds: [machine.props.id] }));
    await machine.kill();
  }

  /** Starts a machine without Terraform. */
  async run(host: string, subnetId: string, group: string, userData: string): Promise<void> {
    const Tags = [{ Key: "Name", Value: `demo-${host}` }];
    await this.#ec2.send(
      new RunInstancesCommand({
        ImageId: IMAGES[0],
        InstanceType: "t3.small",
        MinCount: 1,
        MaxCount: 1,
        SubnetId: subnetId,
        SecurityGroupIds: [group],
        UserData: Buffer.from(userData).toString("base64"),
        TagSpecifications: [{ ResourceType: "instance", Tags }],
      }),
    );
  }

  /**
   * A security group as docs/image.md leaves it to the user: who may use ssh, and the ports of jobs. It is open to the address
   * that the tests ask from.
   */
  async openToRunner(vpcId: string): Promise<string> {
    const { GroupId = "" } = await this.#ec2.send(
      new CreateSecurityGroupCommand({ GroupName: "runner", Description: "ssh and jobs", VpcId: vpcId }),
    );
    const IpPermissions = [22, 8080, 9876].map((port) => ({
      IpProtocol: "tcp",
      FromPort: port,
      ToPort: port,
      IpRanges: [{ CidrIp: "10.0.255.254/32" }],
    }));
    await this.#ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
    return GroupId;
  }

  async putSecret(name: string, value: unknown): Promise<void> {
    const response = await fetch(this.moto.url, {
      method: "POST",
      headers: {
        authorization:
          "AWS4-HMAC-SHA256 Credential=testing/20200101/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=none",
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonSSM.PutParameter",
      },
      body: JSON.stringify({
        Name: name,
        Value: JSON.stringify(value),
        Type: "SecureString",
        Overwrite: true,
      }),
    });
    if (!response.ok) throw new Error(await response.text());
  }

  /** An ssh_config that knows the machines by the authority that signs their keys, as docs/image.md has it. */
  async sshConfig(folder: string): Promise<string> {
    const known = join(folder, "known_hosts");
    const authority = await readFile(join(this.cache, "host-authority.pub"), "utf8");
    await writeFile(known, `@cert-authority * ${authority}`);
    return this.writeSshConfig(join(folder, "ssh_config"), `UserKnownHostsFile ${known}`);
  }

  /** An ssh_config of the login that the image has. */
  async writeSshConfig(file: string, ...more: readonly string[]): Promise<string> {
    await writeFile(
      file,
      [
        "Host *",
        "User rollout",
        `IdentityFile ${join(this.cache, "user")}`,
        "IdentitiesOnly yes",
        "IdentityAgent none",
        "GlobalKnownHostsFile /dev/null",
        ...more,
        "",
      ].join("\n"),
    );
    return file;
  }

  async #follow(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#observe();
      } catch (error) {
        this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  /** Makes what there is as moto has it. What takes long goes on beside. */
  async #observe(): Promise<void> {
    const { Reservations = [] } = await this.#ec2.send(new DescribeInstancesCommand({}));
    const instances = Reservations.flatMap((each) => each.Instances ?? []);
    await this.#firewall.observe(instances);
    for (const instance of instances) {
      const {
        InstanceId: id = "",
        State,
        ImageId,
        InstanceType,
        PrivateIpAddress,
        Placement,
        IamInstanceProfile,
        Tags,
      } = instance;
      const state = State?.Name ?? "";
      const known = this.#machines.get(id);
      if (state === "running" && known === undefined) {
        const host = hostOf(Tags) ?? id;
        this.#told.set(id, {
          id,
          image: ImageId ?? "",
          type: InstanceType ?? "",
          address: PrivateIpAddress ?? "",
          zone: Placement?.AvailabilityZone ?? "",
          userData: await this.#userData(id),
          role: IamInstanceProfile?.Arn?.split("/").at(-1) ?? "none",
        });
        const machine = new Machine({
          id,
          host,
          address: PrivateIpAddress ?? "",
          layers: this.#layersOf(ImageId ?? ""),
        });
        this.#machines.set(id, machine);
        await machine.guard(this.#firewall.rulesetOf(instance));
        await machine.start();
      } else if (known !== undefined && state !== "running" && known.isUp)
        this.#begin(() => known.stop(), id);
      else if (known !== undefined && state === "running") {
        await known.guard(this.#firewall.rulesetOf(instance));
        if (!known.isUp) await known.start();
      }
    }
    await this.#observeVolumes();
  }

  async #observeVolumes(): Promise<void> {
    const { Volumes = [] } = await this.#ec2.send(new DescribeVolumesCommand({}));
    for (const { VolumeId: id = "", Size = 1, Attachments = [] } of Volumes) {
      const attached = Attachments.find(({ Device }) => Device === "/dev/sdf");
      const machine = attached && this.#machines.get(attached.InstanceId ?? "");
      let disk = this.#disks.get(id);
      if (attached !== undefined && disk === undefined) this.#disks.set(id, (disk = new Disk(id, Size)));
      if (disk === undefined || disk.machine === machine) continue;
      // As a real disk: the one who has it must be gone before another gets it.
      if (disk.machine?.isUp === true) continue;
      if (disk.machine !== undefined) await disk.detach();
      if (machine?.isUp === true) await disk.attach(machine);
    }
  }

  #layersOf(image: string): string {
    const layers = [join(this.#layers, "agents"), join(this.#layers, "debian")];
    if (image.startsWith("ami-0e")) layers.unshift(join(this.#layers, "data"));
    if (image.startsWith("ami-0b")) layers.unshift(BROKEN);
    return layers.join(":");
  }

  async #userData(id: string): Promise<string> {
    const { UserData } = await this.#ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "userData" }),
    );
    return Buffer.from(UserData?.Value ?? "", "base64").toString();
  }

  readonly #stopping = new Set<string>();

  #begin(work: () => Promise<void>, id: string): void {
    if (this.#stopping.has(id)) return;
    this.#stopping.add(id);
    const done = work()
      .catch((error: unknown) => this.failures.push(`${id}: ${String(error)}`))
      .then(() => {
        this.#stopping.delete(id);
        this.#busy.delete(done);
      });
    this.#busy.add(done);
  }
}

/** A machine's `Name` is its cluster's and its own. */
function hostOf(tags: readonly Tag[] = []): string | undefined {
  const value = (key: string) => tags.find(({ Key }) => Key === key)?.Value;
  const cluster = value("rollout:cluster") ?? "demo";
  return value("Name")?.slice(cluster.length + 1);
}
