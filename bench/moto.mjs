import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { devNull } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REGION = "eu-west-1";
/** Where the tests install it. */
const INSTALLED = fileURLToPath(new URL("../.cache/tests/moto/bin/moto_server", import.meta.url));

/**
 * Starts moto's server behind a proxy that counts.
 * @param folder where its list of images goes
 * @returns `env`, which lets the AWS provider ask it; `count()`, the requests since it was asked last; `network()`; `stop()`
 */
export async function startMoto(folder, images) {
  const amis = join(folder, "images.json");
  writeFileSync(amis, JSON.stringify(images.map(describeImage)));
  // Moto heeds them, too: with a profile of no name it makes no key pair.
  const withoutAws = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")),
  );
  const server = spawn(existsSync(INSTALLED) ? INSTALLED : "moto_server", ["-H", "127.0.0.1", "-p", "0"], {
    env: { ...withoutAws, MOTO_AMIS_PATH: amis, PYTHONUNBUFFERED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => server.kill("SIGKILL");
  process.once("exit", end);
  const port = await new Promise((resolve, reject) => {
    const read = (chunk) => {
      const found = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(String(chunk));
      if (found) resolve(Number(found[1]));
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.once("error", reject);
    server.once("exit", () => reject(new Error("moto_server ended")));
  });
  let requests = 0;
  const proxy = createServer((incoming, outgoing) => {
    requests++;
    const { method, url: path, headers } = incoming;
    const onward = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String(proxy.address().port)}`;
  return {
    env: environment(url),
    network: () => network(url),
    count() {
      const counted = requests;
      requests = 0;
      return counted;
    },
    stop() {
      process.off("exit", end);
      end();
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

/** A VPC with a subnet in each of three zones, an instance profile and a key. */
async function network(url) {
  const call = async (service, action, parameters) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=testing/20200101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=none`;
    const Version = service === "iam" ? "2010-05-08" : "2016-11-15";
    const body = new URLSearchParams({ Action: action, Version, ...parameters });
    const response = await fetch(url, { method: "POST", headers: { authorization }, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${action}: ${text}`);
    return text;
  };
  await call("iam", "CreateInstanceProfile", { InstanceProfileName: "demo-agents" });
  await call("ec2", "CreateKeyPair", { KeyName: "ops" });
  const [, vpcId] = /<vpcId>(.*?)</.exec(await call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }));
  const subnetIds = [];
  for (const [index, zone] of ["a", "b", "c"].entries()) {
    const subnet = await call("ec2", "CreateSubnet", {
      VpcId: vpcId,
      CidrBlock: `10.0.${String(index)}.0/24`,
      AvailabilityZone: `${REGION}${zone}`,
    });
    subnetIds.push(/<subnetId>(.*?)</.exec(subnet)[1]);
  }
  return { vpcId, subnetIds };
}

const environment = (url) => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: "testing",
  AWS_SECRET_ACCESS_KEY: "testing",
  AWS_REGION: REGION,
  AWS_EC2_METADATA_DISABLED: "true",
  // A person's own settings must not reach a benchmark.
  AWS_PROFILE: "",
  AWS_SESSION_TOKEN: "",
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
});

const describeImage = (id) => ({
  ami_id: id,
  name: id,
  description: id,
  owner_id: "123456789012",
  image_location: `123456789012/${id}`,
  public: true,
  state: "available",
  image_type: "machine",
  architecture: "x86_64",
  virtualization_type: "hvm",
  hypervisor: "xen",
  root_device_type: "ebs",
  root_device_name: "/dev/sda1",
  sriov: "simple",
});
