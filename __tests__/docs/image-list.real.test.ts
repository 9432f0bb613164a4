import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseIp } from "../../cluster/ip-address.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { startAgent, type RealAgent } from "../contract/real-agent.js";
import { describeReal } from "../support/environment.js";
import { freePorts } from "../support/free-port.js";
import { MachineOfContract2 } from "../support/machine-of-contract-2.js";
import { Scratch } from "../support/scratch.js";

const OLD = renderServersFile(["10.0.0.9"]);

let scratch: Scratch;
let machine: MachineOfContract2;

beforeEach(async () => {
  scratch = await Scratch.create();
  machine = await MachineOfContract2.in(scratch);
  await writeFile(file(), OLD);
});
afterEach(async () => {
  await scratch.remove();
});

const file = (): string => join(machine.consul, "rollout-servers.json");
const writeList = (text: string): Promise<void> => writeFile(join(machine.lists, "consul-servers"), text);

describe("of the list that the login writes the machine", () => {
  test.each([
    [["10.0.0.1", "10.0.1.1", "10.0.2.1"]],
    [["10.0.0.1:8301", "255.255.255.255:65535", "0.0.0.0:1"]],
    [["fd00::1", "::1", "::", "1:2:3:4:5:6:7:8", "[fd00::1]", "[fd00::1]:8301", "FD00::a:b"]],
  ])("makes what the hook would write itself: %j", async (servers) => {
    await writeList(`${servers.join("\n")}\n`);
    expect(await machine.readList()).toEqual({
      exitCode: 0,
      output: `rollout-list: Consul's list has ${String(servers.length)} addresses`,
    });
    expect(await readFile(file(), "utf8")).toBe(renderServersFile(servers));
    expect(readdirSync(machine.consul)).toEqual(["rollout-contract.json", "rollout-servers.json"]);
  });

  test("touches nothing where it says the same", async () => {
    await writeList("10.0.0.9\n");
    await chmod(file(), 0o604);
    expect(await machine.readList()).toEqual({ exitCode: 0, output: "" });
  });

  test("reads no more than the login itself may read", async () => {
    await writeList("10.0.0.9\n");
    await machine.readList();
    expect(await scratch.read("as")).toBe(
      `--reuid=rollout --regid=rollout --clear-groups head -c 4097 ${machine.lists}/consul-servers\n`,
    );
  });

  test("refuses what the login may not read, and says nothing of what is in it", async () => {
    await scratch.write("secret", "10.0.0.1\n");
    await symlink(join(scratch.folder, "secret"), join(machine.lists, "consul-servers"));
    await scratch.program("setpriv", 'echo "Permission denied" >&2; exit 1');
    expect(await machine.readList()).toEqual({
      exitCode: 1,
      output: "Permission denied\nrollout-list: the list cannot be read; Consul's list stays as it was",
    });
    expect(await readFile(file(), "utf8")).toBe(OLD);
  });

  test.each([
    ["nothing", ""],
    ["an empty line", "10.0.0.1\n\n10.0.1.1\n"],
    ["a number that is too large", "10.0.0.256\n"],
    ["five numbers", "10.0.0.1.1\n"],
    ["a port that is none", "10.0.0.1:65536\n"],
    ["a gap twice", "1::2::3\n"],
    ["nine groups", "1:2:3:4:5:6:7:8:9\n"],
  ])("refuses %s", async (_, text) => {
    await writeList(text);
    const { exitCode, output } = await machine.readList();
    expect(exitCode).toBe(1);
    expect(output).toMatch(
      /rollout-list: the list is not made of addresses alone; Consul's list stays as it was$/,
    );
    expect(await readFile(file(), "utf8")).toBe(OLD);
  });

  test.each([
    ["JSON", '{"watches":[]}\n'],
    ["the end of a text of JSON", '10.0.0.1"],"watches":["\n'],
    ["a name", "consul.internal\n"],
    ["a way to ask a cloud", "provider=aws tag_key=a tag_value=b\n"],
    ["a template", "{{ GetPrivateIP }}\n"],
    ["a NUL byte", "10.0.0.1\0\n"],
    ["lines of another system", "10.0.0.1\r\n"],
    ["a blank", "10.0.0.1 \n"],
  ])("refuses %s", async (_, text) => {
    await writeList(text);
    expect(await machine.readList()).toEqual({
      exitCode: 1,
      output: "rollout-list: the list has characters that no address has; Consul's list stays as it was",
    });
    expect(await readFile(file(), "utf8")).toBe(OLD);
  });

  test("refuses more than a list can have", async () => {
    await writeList("10.0.0.1\n".repeat(456));
    expect(await machine.readList()).toEqual({
      exitCode: 1,
      output: "rollout-list: the list has more than 4096 bytes; Consul's list stays as it was",
    });
  });

  test("refuses each line that is no address for the program either, and no other", async () => {
    const part = fc.constantFrom(
      "0",
      "1",
      "10",
      "255",
      "256",
      "01",
      "ffff",
      "f",
      "12345",
      "",
      ".",
      ":",
      "::",
    );
    const end = fc.constantFrom("", "", ":1", ":8301", ":65536", ":0", "]", "]:8301");
    const joined = fc
      .tuple(fc.array(part, { maxLength: 5 }), fc.constantFrom(".", ":"), end, fc.constantFrom("", "", "["))
      .map(([parts, sign, last, first]) => `${first}${parts.join(sign)}${last}`);
    // A port with zeros before it and an IPv4 address within an IPv6 one are the program's alone, and no hook writes them.
    const text = fc.oneof(joined, fc.ipV4(), fc.ipV6()).filter((each) => !/:.*\.|:0\d+$/.test(each));
    const lines = fc.sample(text, 1500);
    for (let from = 0; from < lines.length; from += 100) {
      const some = lines.slice(from, from + 100);
      await writeList(`${some.join("\n")}\n`);
      const { output } = await machine.readList();
      const refused = [...output.matchAll(/line (\d+) is no address/g)].map(
        ([, line]) => some[Number(line) - 1],
      );
      expect(refused).toEqual(some.filter((each) => parseIp(each) === undefined));
    }
  });
});

describeReal("A real Consul", ["consul"], ({ consul }) => {
  let agent: RealAgent | undefined;
  let url: string;
  afterEach(async () => {
    await agent?.kill();
    agent = undefined;
  });

  test("runs what its folder says, and nothing of it when the login writes the same to its list", async () => {
    const ran = (name: string): boolean => existsSync(join(scratch.folder, name));
    const watch = (name: string) => ({
      type: "nodes",
      handler_type: "script",
      args: ["touch", join(scratch.folder, name)],
    });
    const check = { name: "c", interval: "1s", args: ["touch", join(scratch.folder, "check")] };
    const hostile = JSON.stringify({
      retry_join: ["10.0.0.1"],
      watches: [watch("watch")],
      enable_local_script_checks: true,
      check,
      acl: { enabled: true, default_policy: "deny", tokens: { master: "mine" } },
    });

    // As by the contract before: what the login writes is what the agent reads.
    await writeFile(file(), hostile);
    await start({ acl: { tokens: { agent: "mine" } } });
    await until(() => ran("watch") && ran("check"));
    await agent?.kill();

    const before = await Scratch.create();
    await scratch.remove();
    scratch = before;
    machine = await MachineOfContract2.in(scratch);
    await writeFile(file(), OLD);
    await writeList(hostile);
    expect((await machine.readList()).exitCode).toBe(1);
    expect(await readFile(file(), "utf8")).toBe(OLD);
    await start({ watches: [watch("own")] });
    await until(() => ran("own"));
    expect(await (await fetch(`${url}/v1/agent/checks`)).json()).toEqual({});
    expect((await fetch(`${url}/v1/acl/tokens`)).status).toBe(401);
    expect({ watch: ran("watch"), check: ran("check") }).toEqual({ watch: false, check: false });
    const self: unknown = await (await fetch(`${url}/v1/agent/self`)).json();
    expect(self).toMatchObject({ Meta: { rollout_contract: "2", rollout_pool: "broker" } });
  });

  /** A server of its own; the metadata are of two files, as on a machine. */
  async function start(settings: object): Promise<void> {
    const [http, server, serf] = await freePorts(3);
    url = `http://127.0.0.1:${String(http)}`;
    const data = join(scratch.folder, "data");
    await mkdir(data, { recursive: true });
    await writeFile(
      join(machine.consul, "agent.json"),
      JSON.stringify({
        node_name: "broker-0-0",
        node_meta: { rollout_pool: "broker" },
        server: true,
        bootstrap_expect: 1,
        performance: { raft_multiplier: 1 },
        data_dir: data,
        bind_addr: "127.0.0.1",
        disable_update_check: true,
        ports: { http, server, serf_lan: serf, serf_wan: -1, dns: -1, grpc: -1 },
        ...settings,
      }),
    );
    agent = startAgent(consul, ["agent", `-config-dir=${machine.consul}`]);
  }
});

/** Looks again and again, with what the look itself takes in between. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}
