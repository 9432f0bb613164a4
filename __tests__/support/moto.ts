import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { AwsQuery } from "./aws-query.js";
import { Ec2 } from "./moto-ec2.js";
import { prepareOnce } from "./prepare.js";
import { supportFolder } from "./prepared.js";

/** An EC2 API of the test's own: moto's server, empty but for a few images. */
export interface Moto {
  readonly url: string;
  /** Lets the AWS provider (with nothing but a region in its block) and other SDKs use this server and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  /** What the cloud holds, asked through its API. */
  readonly ec2: Ec2;
  /** Ends the server. It ends with the test process in any case. */
  stop(): Promise<void>;
}

export interface MotoOptions {
  /** @default eu-west-1 */
  readonly region?: string;
  /** The images that exist; moto cannot register an id of one's own later. @default `ami-0aaa` to `ami-0fff` */
  readonly images?: readonly string[];
  /** Images of other accounts: the account, by the image. @default none */
  readonly strangers?: Readonly<Record<string, string>>;
}

const defaultImages = ["ami-0aaa", "ami-0bbb", "ami-0ccc", "ami-0ddd", "ami-0eee", "ami-0fff"];
const startTimeout = 60_000;

/** Starts a moto server on a free port of 127.0.0.1 and waits until it answers. */
export async function startMoto({
  region = "eu-west-1",
  images = defaultImages,
  strangers = {},
}: MotoOptions = {}): Promise<Moto> {
  const { moto } = await prepareOnce();
  if (!moto.ok) throw new Error(moto.reason);
  const folder = await mkdtemp(join(tmpdir(), "rollout-moto-"));
  const imageFile = join(folder, "images.json");
  await writeFile(
    imageFile,
    JSON.stringify([...images, ...Object.keys(strangers)].map((id) => describeImage(id, strangers[id]))),
  );

  const server = execa(
    process.execPath,
    [join(supportFolder, "tether.mjs"), moto.binary, "-H", "127.0.0.1", "-p", "0"],
    {
      env: { MOTO_AMIS_PATH: imageFile, PYTHONUNBUFFERED: "1", NODE_OPTIONS: "" },
      stdin: "pipe",
      all: true,
      buffer: false,
      reject: false,
    },
  );
  const stop = async (): Promise<void> => {
    server.stdin.end();
    await server;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const url = await waitForUrl(server);
    return { url, env: awsEnvironment(url, region), ec2: new Ec2(new AwsQuery(url, region), region), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The server picks its port itself (`-p 0`), which nobody can take first, and names it when it listens. */
async function waitForUrl(server: { readonly all: NodeJS.ReadableStream }): Promise<string> {
  const deadline = AbortSignal.timeout(startTimeout);
  let output = "";
  server.all.on("data", (chunk: Buffer) => {
    if (output.length < 100_000) output += chunk.toString();
  });
  for (;;) {
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
    if (url !== undefined) return url;
    try {
      await Promise.race([
        once(server.all, "data", { signal: deadline }),
        once(server.all, "end", { signal: deadline }).then(() => {
          throw new Error("it ended");
        }),
      ]);
    } catch (error) {
      throw new Error(`moto_server did not start: ${String(error)}\n${output}`, { cause: error });
    }
  }
}

function awsEnvironment(url: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "testing",
    AWS_SECRET_ACCESS_KEY: "testing",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: "true",
    // The person's own settings must not reach a test.
    AWS_PROFILE: "",
    AWS_SESSION_TOKEN: "",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}

/** The provider asks for the root device of an image as soon as an instance declares its root volume. */
function describeImage(id: string, owner = "123456789012"): Record<string, string | boolean> {
  return {
    ami_id: id,
    name: id,
    description: id,
    owner_id: owner,
    image_location: `${owner}/${id}`,
    public: true,
    state: "available",
    image_type: "machine",
    architecture: "x86_64",
    virtualization_type: "hvm",
    hypervisor: "xen",
    root_device_type: "ebs",
    root_device_name: "/dev/sda1",
    sriov: "simple",
  };
}
