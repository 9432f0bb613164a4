import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chmod, cp, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Scratch } from "../support/scratch.js";

const image = new URL("../../docs/image/", import.meta.url).pathname;

let scratch: Scratch;
/** A machine's root. */
let root: string;

beforeEach(async () => {
  scratch = await Scratch.create();
  root = join(scratch.folder, "root");
  for (const folder of ["tmp", "home", "var/lib/dbus", "usr/local/bin", "etc/ssh"])
    await mkdir(join(root, folder), { recursive: true });
  await scratch.write("root/etc/fstab", "PARTUUID=a / ext4 rw 0 1\n");
  for (const path of ["etc/machine-id", "var/lib/dbus/machine-id", "etc/ssh/ssh_host_rsa_key"])
    await scratch.write(`root/${path}`, "of the machine that builds\n");
  const log = `echo "$(basename "$0") $*" >>'${scratch.folder}/log'`;
  // What needs the network, the machine's users or its systemd.
  for (const name of [
    "apt-get",
    "chown",
    "cloud-init",
    "gpgv",
    "ssh-keygen",
    "systemctl",
    "useradd",
    "visudo",
  ])
    await scratch.program(name, log);
  await scratch.program("id", "exit 1");
  await scratch.program("gpg", 'case "$*" in *--export*) echo key ;; esac');
  await scratch.program(
    "curl",
    `while [ "$1" != --output ]; do shift; done
case $3 in *SUMS) for each in consul_1 nomad_1; do echo "0  $each""_linux_amd64.zip"; done ;; esac >"$2"`,
  );
  await scratch.program("sha256sum", "exit 0");
  await scratch.program("unzip", `echo binary >"$4"`);
  // Without owners, which only root may give.
  await scratch.program(
    "install",
    `for word; do
  shift
  case $word in -o | -g) skip=1 ;; *) if [ -n "\${skip-}" ]; then skip=; else set -- "$@" "$word"; fi ;; esac
done
exec /usr/bin/install "$@"`,
  );
  // There is no such user here: what is "the login's" is named so.
  await scratch.program(
    "find",
    `/usr/bin/find "$@" 2>/dev/null || /usr/bin/find "$1" -name '*.login' -delete`,
  );
});
afterEach(async () => {
  await scratch.remove();
});

test("makes the same image when it is run again, whatever the login has left in Consul's folder", async () => {
  expect(await provision()).toEqual({ exitCode: 0, output: "checked image" });
  const first = await files();
  expect(await scratch.read("root/etc/fstab")).toBe(
    "PARTUUID=a / ext4 rw 0 1\nLABEL=rollout-data /srv/data ext4 nofail,nodev,nosuid,x-systemd.device-timeout=0 0 2\n",
  );
  // As the image of before left it.
  await chmod(join(root, "etc/consul.d"), 0o1775);
  await scratch.write("root/etc/consul.d/rollout-servers.json.reload-due.login", "");
  await scratch.write("root/etc/consul.d/rollout-servers.json", '{"watches": []}');
  await scratch.write("root/var/lib/rollout/consul-servers", "10.0.0.1\n");
  expect(await provision()).toEqual({ exitCode: 0, output: "checked image" });
  expect(await files()).toBe(first);
});

test("leaves nothing that would make two machines the same one", async () => {
  await provision();
  expect(await scratch.read("root/etc/machine-id")).toBe("");
  // systemd would take this one, being empty itself.
  expect(existsSync(join(root, "var/lib/dbus/machine-id"))).toBe(false);
  expect(readdirSync(join(root, "etc/ssh")).filter((name) => name.startsWith("ssh_host"))).toEqual([]);
  expect(existsSync(join(root, "tmp/rollout-root"))).toBe(false);
});

test("lets the login write to its own folder, and no agent read it", async () => {
  await provision();
  const log = await scratch.read("log");
  expect(log).not.toMatch(/chown .*consul\.d/);
  expect(((await stat(join(root, "etc/consul.d"))).mode & 0o7777).toString(8)).toBe("755");
  expect(await scratch.read("root/etc/consul.d/rollout-servers.json")).toBe("{}\n");
  expect(log).toMatch(
    /^systemctl reenable .*rollout-host-key\.service rollout-list\.path rollout-servers\.path /m,
  );
});

test("takes away the CA's program when there is none any more", async () => {
  const sign = "root/usr/local/lib/rollout/sign-host-key";
  await provision({ HOST_CA: "vault write" });
  expect(await scratch.read(sign)).toBe("#!/bin/sh\nvault write\n");
  await provision();
  expect(existsSync(join(scratch.folder, sign))).toBe(false);
});

test("refuses to begin without the files of the image", async () => {
  expect(await provision({}, false)).toEqual({
    exitCode: 1,
    output: `provision: no ${root}/tmp/rollout-root; what is in docs/image/root is to be copied there first`,
  });
});

async function provision(env: Readonly<Record<string, string>> = {}, copied = true) {
  const from = join(root, "tmp/rollout-root");
  await rm(from, { recursive: true, force: true });
  if (copied) {
    await cp(join(image, "root"), from, { recursive: true });
    await scratch.script("root/tmp/rollout-root/usr/local/lib/rollout/check", 'echo "checked $1"');
  }
  return scratch.run(join(image, "provision.sh"), [], {
    ROLLOUT_ROOT: root,
    CONSUL_VERSION: "1",
    NOMAD_VERSION: "1",
    ARCH: "amd64",
    HASHICORP_KEY: "K",
    AUTHORIZED_KEYS: "ssh-ed25519 AAAA a",
    HOST_CA: "",
    DATA_VOLUME: "true",
    ...env,
  });
}

/** Every file of the machine, with its mode and its sum. */
function files(): Promise<string> {
  const all = 'find . -printf "%m %p\\n" | sort && find . -type f -exec cksum {} + | sort -k3';
  return Promise.resolve(execFileSync("sh", ["-c", all], { cwd: root, encoding: "utf8" }));
}
