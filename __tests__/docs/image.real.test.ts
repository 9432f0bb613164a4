import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { copyFile, mkdir, readlink, truncate, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { machineEnv } from "../support/consul-agent.js";
import { describeReal } from "../support/environment.js";
import { pathWithSbin } from "../support/prepare-ext4.js";
import { Scratch } from "../support/scratch.js";

const docs = new URL("../../docs/", import.meta.url).pathname;
const root = join(docs, "image", "root");
const library = join(root, "usr/local/lib/rollout");
const share = join(root, "usr/local/share/rollout");
const page = readFileSync(join(docs, "image.md"), "utf8");
const hclFiles = [
  ...["image/agents.pkr.hcl", "acl/consul-rollout.hcl", "acl/nomad-rollout.hcl"].map((file) =>
    join(docs, file),
  ),
  ...[join(root, "etc/consul.d"), join(root, "etc/nomad.d"), share].flatMap((folder) =>
    readdirSync(folder).flatMap((file) => (file.endsWith(".hcl") ? join(folder, file) : [])),
  ),
];

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.create();
  for (const folder of ["etc/consul.d", "etc/nomad.d", "etc/rollout"])
    await mkdir(join(scratch.folder, folder), { recursive: true });
});
afterEach(async () => {
  await scratch.remove();
});

const run = (script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  scratch.run(join(library, script), args, { ROLLOUT_ROOT: scratch.folder, ...env });

/** Lets the machine boot as the one of this name, and says which roles its agents got. */
async function boot(pool: string, name: string, servers?: string) {
  await scratch.write("etc/rollout/machine.env", machineEnv({ pool, name }, servers));
  const ended = await run("boot");
  const roleOf = async (agent: string): Promise<string | undefined> => {
    const link = join(scratch.folder, `etc/${agent}.d/role.hcl`);
    return readlink(link).then(basename, () => undefined);
  };
  return { ...ended, consul: await roleOf("consul"), nomad: await roleOf("nomad") };
}

const metadata = (pool: string, group: string) => ({
  rollout_cluster: "demo",
  rollout_pool: pool,
  rollout_group: group,
  rollout_host: `${group}-0`,
  rollout_image: "ami-0aaa",
  rollout_template_hash: "0123456789abcdef",
});

describe("the boot script", () => {
  test("makes a Consul server of a machine of consul-server, and no Nomad agent", async () => {
    expect(await boot("consul-server", "consul-server-0-0")).toEqual({
      exitCode: 0,
      output: "rollout-boot: consul-server-0-0 is consul-server",
      consul: "consul-server.hcl",
      nomad: undefined,
    });
    expect(existsSync(join(scratch.folder, "etc/nomad.d/rollout-machine.json"))).toBe(false);
  });

  test("makes a Nomad server of a machine of nomad-server", async () => {
    expect(await boot("nomad-server", "nomad-server-1-0")).toMatchObject({
      consul: "consul-client.hcl",
      nomad: "nomad-server.hcl",
    });
    expect(JSON.parse(await scratch.read("etc/nomad.d/rollout-machine.json"))).toEqual({
      name: "nomad-server-1-0",
    });
  });

  test("has as many servers form a new cluster as user data says, and no other agent", async () => {
    const files = async () => [
      JSON.parse(await scratch.read("etc/consul.d/rollout-machine.json")) as unknown,
      JSON.parse(await scratch.read("etc/nomad.d/rollout-machine.json").catch(() => "null")) as unknown,
    ];
    await boot("consul-server", "consul-server-0-1", "5");
    expect(await files()).toEqual([
      {
        node_name: "consul-server-0-1",
        node_meta: { ...metadata("consul-server", "consul-server-0"), rollout_host: "consul-server-0-1" },
        bootstrap_expect: 5,
      },
      null,
    ]);
    await boot("nomad-server", "nomad-server-1-0", "5");
    expect(await files()).toEqual([
      { node_name: "nomad-server-1-0", node_meta: metadata("nomad-server", "nomad-server-1") },
      { name: "nomad-server-1-0", server: { bootstrap_expect: 5 } },
    ]);
  });

  test("names the agents of every other machine as the machine, with all of machine.env", async () => {
    expect(await boot("broker", "broker-2-0")).toMatchObject({
      consul: "consul-client.hcl",
      nomad: "nomad-client.hcl",
    });
    const meta = metadata("broker", "broker-2");
    expect(JSON.parse(await scratch.read("etc/consul.d/rollout-machine.json"))).toEqual({
      node_name: "broker-2-0",
      node_meta: meta,
    });
    expect(JSON.parse(await scratch.read("etc/nomad.d/rollout-machine.json"))).toEqual({
      name: "broker-2-0",
      client: { meta },
    });
  });

  test("gives the same at every boot, and nothing is left over", async () => {
    await boot("broker", "broker-2-0");
    const files = () =>
      ["etc/consul.d", "etc/nomad.d", "etc/rollout"].flatMap((each) =>
        readdirSync(join(scratch.folder, each)),
      );
    const before = files();
    await boot("broker", "broker-2-0");
    expect(files()).toEqual(before);
    expect(before.filter((file) => file.endsWith(".new"))).toEqual([]);
  });

  test("refuses a value that could end a text of JSON, and a machine without user data", async () => {
    await scratch.write(
      "etc/rollout/machine.env",
      'ROLLOUT_POOL=broker\nROLLOUT_HOST=a","server":true,"b":"\n',
    );
    expect(await run("boot")).toEqual({
      exitCode: 1,
      output: `rollout-boot: ROLLOUT_HOST is empty or has characters that no name has: 'a","server":true,"b":"'`,
    });
    await scratch.write("etc/rollout/machine.env", "ROLLOUT_POOL=broker\n");
    const file = join(scratch.folder, "etc/rollout/machine.env");
    expect((await run("boot")).output).toBe(
      `rollout-boot: ROLLOUT_HOST and ROLLOUT_POOL must both be in ${file}`,
    );
  });
});

describe("the script that fetches secrets", () => {
  const env = { AWS_DEFAULT_REGION: "eu-west-1", ROLLOUT_ONCE: "1" };
  const aws = (names: string): Promise<void> =>
    scratch.program(
      "aws",
      `case "$*" in
  "ssm get-parameters-by-path --path /rollout/demo/all "*) printf '%s\\n' '${names}' ;;
  "ssm get-parameters-by-path --path /rollout/demo/nomad-client "*) echo /rollout/demo/nomad-client/nomad/secrets.json ;;
  "ssm get-parameter --name "*) echo "the value of $4" ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac`,
    );

  test("writes each to the agent that its path names, for that agent's group only", async () => {
    await boot("broker", "broker-2-0");
    await aws("/rollout/demo/all/consul/secrets.json\t/rollout/demo/all/consul/ca.pem");
    expect(await run("secrets", [], env)).toEqual({ exitCode: 0, output: "" });
    expect(await scratch.read("run/rollout/consul/secrets.json")).toBe(
      "the value of /rollout/demo/all/consul/secrets.json\n",
    );
    expect(readdirSync(join(scratch.folder, "run/rollout/consul")).sort()).toEqual([
      "ca.pem",
      "secrets.json",
    ]);
    const mode = statSync(join(scratch.folder, "run/rollout/nomad/secrets.json")).mode & 0o777;
    expect(mode.toString(8)).toBe("640");
  });

  test("leaves out what would be written elsewhere", async () => {
    await boot("broker", "broker-2-0");
    await aws(
      "/rollout/demo/all/consul/secrets.json\t/rollout/demo/all/consul/../../x\t/rollout/demo/all/ssh/key",
    );
    expect((await run("secrets", [], env)).output).toBe(
      [
        "rollout-secrets: /rollout/demo/all/consul/../../x is neither consul/FILE nor nomad/FILE, and is left out",
        "rollout-secrets: /rollout/demo/all/ssh/key is neither consul/FILE nor nomad/FILE, and is left out",
      ].join("\n"),
    );
    expect(readdirSync(join(scratch.folder, "run/rollout"))).toEqual(["consul", "nomad"]);
  });

  test("fails while Consul's are not there, so that no agent starts with half of them", async () => {
    await boot("broker", "broker-2-0");
    await aws("/rollout/demo/all/consul/ca.pem");
    expect(await run("secrets", [], env)).toEqual({
      exitCode: 1,
      output:
        "rollout-secrets: no consul/secrets.json below /rollout/demo/all or /rollout/demo/nomad-client; trying again",
    });
  });
});

describe("the script that is run when the list of servers has changed", () => {
  const restarts = async (answer: string): Promise<boolean> => {
    await scratch.program("curl", answer);
    await scratch.program("systemctl", 'echo "systemctl $*"');
    return (await run("servers-changed")).output.includes("systemctl restart consul.service");
  };

  test("restarts an agent that has no servers: a client, and a server that is new", async () => {
    expect(await restarts("printf 'No known Consul servers'")).toBe(true);
    expect(await restarts("printf '[]'")).toBe(true);
  });

  test("leaves alone an agent that has servers, also without a leader, and one that does not answer", async () => {
    expect(await restarts(`printf '["10.0.0.1:8300","10.0.1.1:8300"]'`)).toBe(false);
    expect(await restarts("printf 'No cluster leader'")).toBe(false);
    expect(await restarts("exit 7")).toBe(false);
  });
});

describeReal("The script for data volumes", ["ext4"], () => {
  /** A device of 64 MiB, a file here. */
  const device = async (): Promise<string> => {
    const file = await scratch.write("device", "");
    await truncate(file, 64 * 1024 * 1024);
    return file;
  };
  const prepare = (file: string) => run("data-volume", [file], { PATH: pathWithSbin() });

  test("makes a file system on a blank one, and touches it no more", async () => {
    const file = await device();
    expect(await prepare(file)).toEqual({
      exitCode: 0,
      output: `rollout-data-volume: ${file} was blank and is ext4 now`,
    });
    const made = readFileSync(file);
    expect(await prepare(file)).toEqual({ exitCode: 0, output: "" });
    expect(readFileSync(file).equals(made)).toBe(true);
  });

  test("refuses a file system of somebody else's", async () => {
    const file = await device();
    await execa("mkfs.ext4", ["-q", "-L", "other", file], { env: { PATH: pathWithSbin() } });
    const before = readFileSync(file);
    expect(await prepare(file)).toEqual({
      exitCode: 1,
      output: `rollout-data-volume: ${file} holds ext4 labelled 'other', not ext4 labelled 'rollout-data'; it is left as it is`,
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test("refuses one that has no file system and is not blank", async () => {
    const file = await device();
    await writeFile(file, "some log", { flag: "r+" });
    expect(await prepare(file)).toEqual({
      exitCode: 1,
      output: `rollout-data-volume: ${file} has no file system but is not blank; it is left as it is`,
    });
  });
});

describe("the host keys that EC2 has", () => {
  const known = join(docs, "image", "known-hosts");
  const console = `Debian GNU/Linux 12
-----BEGIN SSH HOST KEY KEYS-----
ecdsa-sha2-nistp256 AAAAE2Vj root@ip-10-0-0-7
ssh-ed25519 AAAAC3Nz root@ip-10-0-0-7
ssh-rsa AAAAB3Nz root@ip-10-0-0-7
-----END SSH HOST KEY KEYS-----
ssh-ed25519 AAAAFake later`;

  test("are those between the marks of the machine that has the address", async () => {
    await scratch.write("console", console);
    await scratch.program(
      "aws",
      `case "$*" in
  *describe-instances*private-ip-address,Values=10.0.0.7\\ *) echo i-0abc ;;
  *get-console-output*i-0abc) cat ${scratch.folder}/console ;;
esac`,
    );
    const keys = "ecdsa-sha2-nistp256 AAAAE2Vj\n10.0.0.7 ssh-ed25519 AAAAC3Nz";
    expect(await scratch.run(known, ["10.0.0.7"])).toEqual({ exitCode: 0, output: `10.0.0.7 ${keys}` });
    expect((await scratch.run(known, ["10.0.0.8"])).output).toBe("");
  });

  test("are none when two machines have the address", async () => {
    await scratch.program("aws", "printf 'i-0abc\\ti-0def\\n'");
    expect(await scratch.run(known, ["10.0.0.7"])).toEqual({ exitCode: 0, output: "" });
  });
});

describe("the image's files", () => {
  const scripts = [
    join(docs, "image/provision.sh"),
    join(docs, "image/known-hosts"),
    ...readdirSync(library).map((file) => join(library, file)),
    ...readdirSync(join(docs, "ready-checks")).map((file) => join(docs, "ready-checks", file)),
  ];

  test.each(scripts.map(titled))("%s is executable and valid for a POSIX shell", async (_, file) => {
    expect(statSync(file).mode & 0o111).toBe(0o111);
    expect(await scratch.run("sh", ["-n", file])).toEqual({ exitCode: 0, output: "" });
  });

  test("units start programs that the image has", () => {
    const folder = join(root, "etc/systemd/system");
    const started = readdirSync(folder)
      .flatMap((unit) => readFileSync(join(folder, unit), "utf8").match(/^ExecStart=\S+/gm) ?? [])
      .map((line) => line.replace("ExecStart=", ""));
    expect(started.filter((program) => !existsSync(join(root, program)))).toEqual(["/usr/local/bin/consul"]);
    const provision = readFileSync(join(docs, "image/provision.sh"), "utf8");
    const enabled = [...provision.matchAll(/[\w-]+\.(?:service|path)\b/g)].map(([unit]) => unit);
    expect(readdirSync(folder).filter((unit) => !enabled.includes(unit))).toEqual([
      // Their paths start them.
      "rollout-list.service",
      "rollout-servers.service",
    ]);
  });

  test("the login may do one thing as root", () => {
    const rules = readFileSync(join(root, "etc/sudoers.d/rollout"), "utf8").replaceAll(/^#.*\n/gm, "");
    expect(rules).toBe(
      "Cmnd_Alias ROLLOUT = /usr/bin/systemctl stop nomad, /usr/bin/systemctl stop nomad.service\nrollout ALL=(root) NOPASSWD: ROLLOUT\n",
    );
  });

  test("none has a list of servers: that is the hook's", () => {
    const lists = hclFiles.filter((file) => /retry_join|start_join/.test(readFileSync(file, "utf8")));
    expect(lists).toEqual([]);
  });

  test("the page names every key of machine.env as the program writes it, and as the agents get it", () => {
    const keys = machineEnv({ pool: "broker", name: "broker-0-1" }).match(/^\w+(?==)/gm) ?? [];
    expect(keys).toHaveLength(6);
    expect(keys.filter((key) => !page.includes(`\n${key}=`))).toEqual([]);
    expect(keys.filter((key) => !page.includes(`\`${key.toLowerCase()}\``))).toEqual([]);
  });
});

test("the pages link to files that are there", () => {
  const pages = ["image.md", "acl.md", "iam.md", "ready-checks.md"];
  const dead = pages.flatMap((name) =>
    [...readFileSync(join(docs, name), "utf8").matchAll(/\]\(([^)#:]+)(?:#[\w-]+)?\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !existsSync(join(docs, target)))
      .map((target) => `${name}: ${target}`),
  );
  expect(dead).toEqual([]);
});

describeReal("HCL", ["terraform"], ({ terraform, env }) => {
  test.each(hclFiles.map(titled))("%s parses and has the usual format", async (_, file) => {
    const { exitCode, stdout, stderr } = await execa(
      terraform,
      ["fmt", "-check", "-diff", "-no-color", "-"],
      {
        env,
        input: readFileSync(file),
        reject: false,
      },
    );
    expect({ exitCode, said: stdout + stderr }).toEqual({ exitCode: 0, said: "" });
  });
});

describeReal("The real Consul", ["consul"], () => {
  test.each(["consul-server", "broker"])(
    "takes the folder of a machine of %s, with its list of servers",
    async (pool) => {
      const { consul = "" } = await boot(pool, `${pool}-0-0`);
      const folder = join(scratch.folder, "etc/consul.d");
      await copyFile(join(root, "etc/consul.d/agent.hcl"), join(folder, "agent.hcl"));
      // The link leads to where the image has it.
      const linked = join(scratch.folder, "linked", consul);
      await mkdir(join(scratch.folder, "linked"));
      await copyFile(join(share, consul), linked);
      await scratch.run("ln", ["-sf", linked, join(folder, "role.hcl")]);
      for (const list of ["{}", '{"retry_join": ["10.0.0.1", "10.0.1.1", "10.0.2.1"]}']) {
        await writeFile(join(folder, "rollout-servers.json"), list);
        const { exitCode, output } = await scratch.run("consul", ["validate", folder]);
        expect({ exitCode, output }).toMatchObject({
          exitCode: 0,
          output: expect.stringContaining("Configuration is valid!"),
        });
      }
    },
  );
});

/** A file as a title names it, and as it is opened. */
function titled(file: string): [title: string, file: string] {
  return [relative(docs, file), file];
}
