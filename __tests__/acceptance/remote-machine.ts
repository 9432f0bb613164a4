import { GetConsoleOutputCommand, type EC2Client } from "@aws-sdk/client-ec2";
import { execa } from "execa";
import type { Host } from "../fleet/site.js";

export interface RemoteMachineProps {
  readonly id: string;
  readonly host: string;
  readonly address: string;
  /** Where its connection is kept: a handshake for every request would take longer than the request. */
  readonly folder: string;
}

/** A machine of EC2, reached by ssh as the image's login. */
export class RemoteMachine implements Host {
  constructor(
    private readonly ec2: EC2Client,
    readonly props: RemoteMachineProps,
  ) {}

  async run(words: readonly string[], { input = "" }: { readonly input?: string } = {}): Promise<string> {
    const { id, address, folder } = this.props;
    const config = process.env["ROLLOUT_SSH_CONFIG"];
    const options = {
      BatchMode: "yes",
      StrictHostKeyChecking: "yes",
      ConnectTimeout: "10",
      ServerAliveInterval: "5",
      ServerAliveCountMax: "2",
      ControlMaster: "auto",
      ControlPersist: "15",
      ControlPath: `${folder}/${id}`,
    };
    const { stdout } = await execa(
      "ssh",
      [
        ...(config === undefined ? [] : ["-F", config]),
        ...Object.entries(options).map(([name, value]) => `-o${name}=${value}`),
        address,
        ...words.map((word) => `'${word.replaceAll("'", "'\\''")}'`),
      ],
      { input, timeout: 60_000 },
    );
    return stdout;
  }

  /** The login may not read the machine's journal: what EC2 shows of its console. */
  async journal(): Promise<string> {
    const { Output = "" } = await this.ec2.send(new GetConsoleOutputCommand({ InstanceId: this.props.id }));
    return Buffer.from(Output, "base64").toString();
  }

  async logs(): Promise<Record<string, string>> {
    return { console: await this.journal().catch(String) };
  }
}
