import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { machineEnv } from "../support/consul-agent.js";
import { describeReal } from "../support/environment.js";
import { Scratch } from "../support/scratch.js";

const root = new URL("../../docs/image/root/", import.meta.url).pathname;
const KEY = "etc/ssh/ssh_host_ed25519_key";

let scratch: Scratch;

beforeEach(async () => {
  scratch = await Scratch.create();
  await scratch.write("etc/rollout/machine.env", machineEnv({ pool: "broker", name: "broker-0-1" }));
  await scratch.write(KEY, "");
  await scratch.program("systemctl", `echo "$*" >>'${scratch.folder}/systemctl'`);
  // Instance metadata of version 2: a token first.
  await scratch.program(
    "curl",
    `case "$*" in
  *"-X PUT"*"/latest/api/token") echo the-token ;;
  *"-token: the-token"*/meta-data/local-ipv4) echo 10.0.0.7 ;;
  *"-token: the-token"*/meta-data/instance-id) echo i-0abc ;;
  *) echo "401: $*" >&2; exit 22 ;;
esac`,
  );
});
afterEach(async () => {
  await scratch.remove();
});

const run = (script: string, ...args: readonly string[]) =>
  scratch.run(join(root, "usr/local/lib/rollout", script), args, {
    ROLLOUT_ROOT: scratch.folder,
    ROLLOUT_ONCE: "1",
  });

describeReal("The script that has the host key signed", ["sshd"], () => {
  beforeEach(async () => {
    await rm(join(scratch.folder, KEY));
    for (const file of [KEY, "ca"])
      await scratch.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(scratch.folder, file)]);
  });

  /** The image's own program, which signs by a CA that is at hand. */
  const sign = (script: string) => scratch.script("usr/local/lib/rollout/sign-host-key", script);
  const byTheCa = (): Promise<void> =>
    sign(
      `cd '${scratch.folder}' && cat >in.pub &&
ssh-keygen -q -s ca -I "$1" -h -n "$(echo "$@" | tr ' ' ',')" in.pub && cat in-cert.pub`,
    );

  test("asks for the machine's names by IMDSv2, and lets sshd read the certificate if it runs already", async () => {
    await byTheCa();
    expect(await run("host-key")).toEqual({ exitCode: 0, output: "" });
    const { output } = await scratch.run("ssh-keygen", ["-L", "-f", join(scratch.folder, `${KEY}-cert.pub`)]);
    expect(output).toMatch(/Principals: \n +broker-0-1\n +10\.0\.0\.7\n +i-0abc\n/);
    // sshd may wait for this very unit: who waited for sshd here would wait for ever.
    expect(await scratch.read("systemctl")).toBe("--no-block try-reload-or-restart ssh.service\n");
    expect(readdirSync(join(scratch.folder, "etc/ssh")).sort()).toEqual([
      "ssh_host_ed25519_key",
      "ssh_host_ed25519_key-cert.pub",
      "ssh_host_ed25519_key.pub",
    ]);
  });

  test.each([
    ["a CA that does not answer", "exit 1"],
    ["what is no certificate", "echo sorry"],
  ])("refuses %s, and goes on trying", async (_, script) => {
    await sign(script);
    const { exitCode, output } = await run("host-key");
    expect({ exitCode, last: output.split("\n").at(-1) }).toEqual({
      exitCode: 1,
      last: "rollout-host-key: the host key was not signed; trying again",
    });
    expect(existsSync(join(scratch.folder, `${KEY}-cert.pub`))).toBe(false);
  });

  test("is seen by the check of a machine", async () => {
    await byTheCa();
    const seen = async (): Promise<string[]> =>
      (await run("check", "machine")).output.split("\n").filter((line) => /host key|has failed/.test(line));
    await scratch.program(
      "systemctl",
      'case "$*" in *rollout-host-key*) exit 3 ;; *--state=failed*) echo rollout-boot.service ;; esac',
    );
    expect(await seen()).toEqual([
      "NOT SO  the host key's unit has ended well",
      "NOT SO  the host key is signed for this machine",
      "NOT SO  no unit of rollout's has failed",
    ]);
    await scratch.program("systemctl", "exit 0");
    await run("host-key");
    expect(await seen()).toEqual([
      "ok      the host key's unit has ended well",
      "ok      the host key is signed for this machine",
      "ok      no unit of rollout's has failed",
    ]);
  });

  test("is seen by the check of a machine without a CA, too", async () => {
    const seen = async (): Promise<string[]> =>
      (await run("check", "machine")).output.split("\n").filter((line) => line.includes("host key"));
    expect(await seen()).toEqual(["NOT SO  cloud-init has ended, and printed the host keys"]);
    await scratch.write("var/lib/cloud/instance/boot-finished", "");
    expect(await seen()).toEqual(["ok      cloud-init has ended, and printed the host keys"]);
  });

  test("is seen by the check of an image that lacks its unit", async () => {
    await scratch.program("systemctl", 'case "$*" in *rollout-host-key*) exit 1 ;; esac');
    const { exitCode, output } = await run("check", "image");
    expect(exitCode).toBe(1);
    expect(output).toContain("NOT SO  rollout-host-key.service starts at boot\n");
    expect(output).toContain("ok      rollout-boot.service starts at boot\n");
  });
});

describe("the order in which a machine boots", () => {
  const folder = join(root, "etc/systemd/system");
  const units = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const named = (unit: string, key: string): string[] =>
    [...(units.get(unit) ?? "").matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].flatMap(([, names = ""]) =>
      names.split(" "),
    );
  /** What it starts after, through whatever else. */
  const before = (unit: string, seen = new Set<string>()): Set<string> => {
    const others = [...units.keys()].filter((other) => named(other, "Before").includes(unit));
    for (const each of [...named(unit, "After"), ...others]) {
      if (seen.has(each)) continue;
      seen.add(each);
      before(each, seen);
    }
    return seen;
  };

  test("sshd answers after the host key is signed, or after its unit has given up for a while", () => {
    expect([...before("ssh.service")]).toContain("rollout-host-key.service");
    const unit = units.get("rollout-host-key.service");
    expect(unit).toMatch(/^TimeoutStartSec=120$/m);
    expect(unit).toMatch(/^Restart=on-failure$/m);
  });

  test("cloud-init prints the host keys without waiting for secrets: it waits for all that multi-user.target does", () => {
    const awaited = [...units.keys()].filter((unit) => named(unit, "WantedBy").includes("multi-user.target"));
    expect(awaited).toEqual([
      "rollout-boot.service",
      "rollout-host-key.service",
      "rollout-list.path",
      "rollout-servers.path",
    ]);
    const endless = [...units].filter(([, text]) => text.includes("TimeoutStartSec=infinity"));
    expect(endless.map(([unit]) => unit)).toEqual(["rollout-secrets.service"]);
    expect(awaited.filter((unit) => before(unit).has("rollout-secrets.service"))).toEqual([]);
    expect([...before("consul.service")]).toContain("rollout-secrets.service");
  });
});
