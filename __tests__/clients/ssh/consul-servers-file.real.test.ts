import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import {
  remoteServersFile,
  SERVERS_FILE,
  writeCommand,
  type ServersFile,
} from "../../../clients/ssh/consul-servers-file.js";
import { Ssh } from "../../../clients/ssh/ssh.js";
import { renderServersFile } from "../../../rollout/configure-consul.js";
import { describeReal } from "../../support/environment.js";
import { MachineOfContract2 } from "../../support/machine-of-contract-2.js";
import { failure, refusal } from "../../support/refusal.js";
import { Scratch } from "../../support/scratch.js";
import { startSshd, type Sshd } from "../../support/sshd.js";

const OLD = '{"retry_join":["10.0.0.1"]}\n';

test("the file is in the agent's own folder", () => {
  expect(SERVERS_FILE).toBe("/etc/consul.d/rollout-servers.json");
});

describeReal("The list of servers on a machine", ["sshd"], () => {
  let sshd: Sshd;
  let ssh: Ssh;
  let folder: string;
  let path: string;
  let file: ServersFile;

  beforeAll(async () => {
    sshd = await startSshd();
    ssh = new Ssh({ env: await sshd.env() });
    folder = join(sshd.folder, 'consul\'s $(id) "d"');
    path = join(folder, "rollout-servers.json");
    file = remoteServersFile(ssh, "machine", { path });
  });
  afterAll(() => sshd.stop());

  beforeEach(async () => {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await sshd.program("consul", "exit 0");
    await sshd.program("sudo", 'echo "sudo: a password is required" >&2; exit 1');
  });

  test("is absent on a new machine", async () => {
    expect(await file.read()).toEqual({ content: undefined, reloadDue: false });
  });

  test("arrives byte for byte, under a path of any name, and notes that a reload is due", async () => {
    const content = 'it\'s "quoted" $(id) `id` \\n ${HOME} é€\n\n\ttab\r\nEOF\n';
    await file.write(content);
    expect(await readFile(path, "utf8")).toBe(content);
    expect(await file.read()).toEqual({ content, reloadDue: true });
    expect(await readdir(folder)).toEqual(["rollout-servers.json", "rollout-servers.json.reload-due"]);

    await file.reloaded();
    expect(await file.read()).toEqual({ content, reloadDue: false });
    await file.reloaded();
  });

  test("keeps its mode when it is replaced, and is another file then", async () => {
    await writeFile(path, OLD);
    await chmod(path, 0o604);
    const before = await stat(path);
    await file.write("new");
    const after = await stat(path);
    expect(after.mode & 0o777).toBe(0o604);
    expect([after.uid, after.gid]).toEqual([before.uid, before.gid]);
    expect(after.ino).not.toBe(before.ino);
  });

  test("can be read by the agent's group when it is new, or by all where the group is root's", async () => {
    await file.write("new");
    const { gid } = await stat(folder);
    expect((await stat(path)).mode & 0o777).toBe(gid === 0 ? 0o644 : 0o640);
    expect((await stat(path)).gid).toBe(gid);
  });

  test("is validated with all that the agent reads, and with nothing copied but itself", async () => {
    await writeFile(path, OLD);
    await writeFile(join(folder, "agent.hcl"), "");
    await writeFile(join(folder, "keys.json"), "{}");
    await writeFile(join(folder, "notes.txt"), "");
    const seen = join(sshd.folder, "seen");
    await sshd.program(
      "consul",
      `[ "$1" = validate ] && ls -F "$2" >'${seen}' && cat "$2/rollout-servers.json" >>'${seen}'`,
    );
    await file.write("new\n");
    expect(await readFile(seen, "utf8")).toBe("agent.hcl@\nkeys.json@\nrollout-servers.json\nnew\n");
  });

  test("refuses what makes the agent's folder invalid, and leaves the old file", async () => {
    await writeFile(path, OLD);
    await sshd.program(
      "consul",
      `grep -q new "$2/rollout-servers.json" || exit 0; echo "bad: $(basename "$0")"; exit 1`,
    );
    expect(await failure(file.write("new"))).toBe(
      `consul validate refuses the folder with the new file: ${path} on machine: bad: consul; nothing was changed; correct what the image or a hand put beside it`,
    );
    await expectOldFile();
  });

  test("refuses a folder that was invalid before", async () => {
    await writeFile(path, OLD);
    await sshd.program("consul", 'echo "data_dir cannot be empty" >&2; exit 1');
    expect(await failure(file.write("new"))).toBe(
      `consul validate refuses the folder, also without the new file: ${path} on machine: data_dir cannot be empty; nothing was changed; correct it in the image: all of the agent's settings belong into that folder`,
    );
    await expectOldFile();
  });

  test("refuses a machine without the folder", async () => {
    await rm(folder, { recursive: true });
    await sshd.program("sudo", 'shift 2; exec "$@"');
    const message = `no folder ${folder} on machine; the image must bring it, and its Consul agent must read it (-config-dir)`;
    expect(await failure(file.write("new"))).toBe(message);
    expect(await failure(file.read())).toBe(message);
  });

  test("is written by sudo where the login may not write", async () => {
    await rm(folder, { recursive: true });
    // What only sudo can see stands for what only sudo can write: to root, who may run this, no folder is closed.
    await sshd.program(
      "sudo",
      `[ "$1 $2" = "-n --" ] || exit 3; shift 2; mkdir '${folder.replaceAll("'", String.raw`'\''`)}'; exec "$@"`,
    );
    await file.write("new");
    expect(await readFile(path, "utf8")).toBe("new");
  });

  test("refuses a login that may neither write nor use sudo", async () => {
    await rm(folder, { recursive: true });
    expect(await failure(file.write("new"))).toBe(
      `the login may not write: ${path} on machine: sudo: a password is required; give it the rights of docs/image.md, "Login and rights", or sudo without a password`,
    );
  });

  test("stays the old one when the connection breaks in the middle", async () => {
    await writeFile(path, OLD);
    const input = new PassThrough();
    const cut = new AbortController();
    const run = ssh.run("machine", writeCommand(path, 200_000), { input, signal: cut.signal });
    const refused = refusal(run);
    input.write("x".repeat(100_000));
    const beside = async (): Promise<string[]> =>
      (await readdir(folder)).filter((name) => name.startsWith("rollout-servers.json.new."));
    await until(async () => {
      const [name] = await beside();
      return name !== undefined && (await stat(join(folder, name))).size === 100_000;
    });
    cut.abort();
    expect(await refused).toMatchObject({ kind: "cancelled" });
    await until(async () => (await beside()).length === 0);
    await expectOldFile();
  });

  test("refuses content that did not arrive whole", async () => {
    await writeFile(path, OLD);
    const { exitCode } = await ssh.run("machine", writeCommand(path, 4), { input: "new" });
    expect(exitCode).toBe(46);
    await expectOldFile();
  });

  test("takes away what a machine that lost its power left", async () => {
    await writeFile(`${path}.new.abcdef`, "half");
    await file.write("new");
    expect(existsSync(`${path}.new.abcdef`)).toBe(false);
  });

  async function expectOldFile(): Promise<void> {
    expect(await readFile(path, "utf8")).toBe(OLD);
    expect((await readdir(folder)).filter((name) => name.startsWith("rollout"))).toEqual([
      "rollout-servers.json",
    ]);
    expect(await file.read()).toEqual({ content: OLD, reloadDue: false });
  }
});

describeReal("The list of servers on a machine of contract 2", ["sshd"], () => {
  const CONTENT = renderServersFile(["10.0.0.1", "10.0.1.1:8301", "[fd00::1]:8301"]);
  let sshd: Sshd;
  let scratch: Scratch;
  let machine: MachineOfContract2;
  let file: ServersFile;

  beforeEach(async () => {
    sshd = await startSshd();
    scratch = await Scratch.create();
    machine = await MachineOfContract2.in(scratch);
    const path = join(machine.consul, "rollout-servers.json");
    file = remoteServersFile(new Ssh({ env: await sshd.env() }), "machine", { path, lists: machine.lists });
    await sshd.program("consul", "exit 0");
    await sshd.program("sudo", 'echo "sudo: a password is required" >&2; exit 1');
  });
  afterEach(async () => {
    await sshd.stop();
    await scratch.remove();
  });

  test("is written as addresses alone, elsewhere, and what the machine makes of it is waited for", async () => {
    const before = await readdir(machine.consul);
    expect(await file.read()).toEqual({ content: undefined, reloadDue: false });
    const end = machine.readLists();
    await file.write(CONTENT);
    end();
    expect(await readFile(join(machine.lists, "consul-servers"), "utf8")).toBe(
      "10.0.0.1\n10.0.1.1:8301\n[fd00::1]:8301\n",
    );
    expect(await readdir(machine.lists)).toEqual(["consul-servers", "rollout-servers.json.reload-due"]);
    expect(await readdir(machine.consul)).toEqual([...before, "rollout-servers.json"]);
    expect(await file.read()).toEqual({ content: CONTENT, reloadDue: true });

    await file.reloaded();
    expect(await file.read()).toEqual({ content: CONTENT, reloadDue: false });
  });

  test("is written by sudo as the login's user where another may not write", async () => {
    // What only sudo can see stands for what only sudo can write: to root, who may run this, no folder is closed.
    await rename(machine.lists, `${machine.lists}.closed`);
    await sshd.program("stat", '[ "$1 $2" = "-c %U" ] && echo rollout || exec /usr/bin/stat "$@"');
    await sshd.program(
      "sudo",
      `[ "$1 $2 $3 $4" = "-n -u rollout --" ] || exit 3; shift 4; mv '${machine.lists}.closed' '${machine.lists}'; exec "$@"`,
    );
    await writeFile(join(machine.consul, "rollout-servers.json"), CONTENT);
    await file.write(CONTENT);
    expect(existsSync(join(machine.lists, "consul-servers"))).toBe(true);
  });

  test("refuses a machine that makes nothing of it", async () => {
    await sshd.program("sleep", "exit 0");
    expect(await failure(file.write(CONTENT))).toBe(
      `the machine has not made of the list what Consul reads: ${machine.consul}/rollout-servers.json on machine; the old file is as it was; see there: journalctl -u rollout-list`,
    );
    expect(await readdir(machine.consul)).toEqual(["rollout-contract.json"]);
  });

  test("refuses a version of the contract that it does not know", async () => {
    const contract = '{ "node_meta": { "rollout_contract": "3" } }';
    await writeFile(join(machine.consul, "rollout-contract.json"), contract);
    const message = `the image wants a newer rollout: ${machine.consul}/rollout-contract.json on machine names a version of the contract other than 2; nothing was changed`;
    expect(await failure(file.write(CONTENT))).toBe(message);
    expect(await failure(file.read())).toBe(message);
    expect(await readdir(machine.lists)).toEqual([]);
  });
});

describeReal("The list of servers on a full disk", ["sshd"], () => {
  test("stays the old one", async () => {
    const sshd = await startSshd({ fileBlocks: 1 });
    try {
      const folder = join(sshd.folder, "consul.d");
      const path = join(folder, "rollout-servers.json");
      await mkdir(folder);
      await writeFile(path, OLD);
      await sshd.program("consul", "exit 0");
      const file = remoteServersFile(new Ssh({ env: await sshd.env() }), "machine", { path });
      const message = await failure(file.write("x".repeat(5000)));
      expect(message).toMatch(/^cannot be read or written: .* on machine: .*; the old file is as it was$/);
      expect(await readdir(folder)).toEqual(["rollout-servers.json"]);
      expect(await file.read()).toEqual({ content: OLD, reloadDue: false });

      await file.write("x".repeat(500));
      expect(await file.read()).toMatchObject({ content: "x".repeat(500) });
    } finally {
      await sshd.stop();
    }
  });
});

describeReal("The list of servers and the real consul", ["sshd", "consul"], () => {
  test("is refused beside a broken file, and taken beside a sound one", async () => {
    const sshd = await startSshd({ path: process.env["PATH"] ?? "" });
    try {
      const folder = join(sshd.folder, "consul.d");
      const path = join(folder, "rollout-servers.json");
      const agent = join(folder, "agent.json");
      await mkdir(folder);
      const file = remoteServersFile(new Ssh({ env: await sshd.env() }), "machine", { path });

      await writeFile(agent, '{"data_dir": "/nowhere", "bind_addr": "127.0.0.1", "serverr": true}');
      const message = await failure(file.write(OLD));
      expect(message).toContain("also without the new file");
      expect(message).toContain("serverr");
      expect(existsSync(path)).toBe(false);

      await writeFile(agent, '{"data_dir": "/nowhere", "bind_addr": "127.0.0.1"}');
      expect(await failure(file.write('{"retry_joinn": []}'))).toContain("with the new file");
      expect(existsSync(path)).toBe(false);

      await file.write(OLD);
      expect(await file.read()).toEqual({ content: OLD, reloadDue: true });
      await file.write(OLD);
    } finally {
      await sshd.stop();
    }
  });
});

/** Looks again and again, with what the look itself takes in between. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
