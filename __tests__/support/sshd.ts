import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { devNull, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { prepareOnce } from "./prepare.js";

/** A machine that the current user may log in to by ssh, on a free port of 127.0.0.1. It is this machine, with folders of its own. */
export interface Sshd {
  readonly port: number;
  /** A folder for the test's files; removed at the end. */
  readonly folder: string;
  /** Puts a program before all others on the PATH of those who log in. */
  program(name: string, script: string): Promise<void>;
  /** An environment whose ssh_config knows the machine as `machine`, its host key and a user's key. */
  env(client?: ClientOptions): Promise<Readonly<Record<string, string>>>;
  /** Ends the connections that there are; new ones are let in. */
  cut(): void;
  stop(): Promise<void>;
}

export interface ClientOptions {
  /** What known_hosts says of the machine. @default its key */
  readonly knownHost?: "key" | "authority" | "another key" | "nothing";
  /** @default true */
  readonly rightKey?: boolean;
  /** Further lines of ssh_config. */
  readonly lines?: readonly string[];
  /** @default the machine's */
  readonly port?: number;
}

export interface SshdOptions {
  /** The largest file that may be written, in blocks of 512 bytes: a full disk. @default no limit */
  readonly fileBlocks?: number;
  /** The PATH of those who log in, behind the test's own programs. @default /usr/bin:/bin */
  readonly path?: string;
}

/** Starts one `sshd` for each connection, by handing it the connected socket: so the port is free for certain. */
export async function startSshd({ fileBlocks, path = "/usr/bin:/bin" }: SshdOptions = {}): Promise<Sshd> {
  const { sshd } = await prepareOnce();
  if (!sshd.ok) throw new Error(sshd.reason);
  const folder = await mkdtemp(join(tmpdir(), "rollout-sshd-"));
  const at = (name: string): string => join(folder, name);
  const programs = at("programs");
  await mkdir(programs);
  for (const name of ["host", "user", "other", "authority"]) {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", at(name)]);
  }
  await execa("ssh-keygen", ["-q", "-s", at("authority"), "-I", "m", "-h", "-n", "machine", at("host.pub")]);
  await writeFile(
    at("sshd_config"),
    [
      `HostKey ${at("host")}`,
      `HostCertificate ${at("host-cert.pub")}`,
      `AuthorizedKeysFile ${at("user.pub")}`,
      `SetEnv PATH=${programs}:${path}`,
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      "",
    ].join("\n"),
  );
  // An sshd that runs as root wants this folder, which is gone after a restart of the machine.
  if (userInfo().uid === 0 && !existsSync("/run/sshd")) mkdirSync("/run/sshd", { mode: 0o755 });

  const limit = fileBlocks === undefined ? "" : `ulimit -f ${String(fileBlocks)}; `;
  const children = new Set<ReturnType<typeof spawn>>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(
      "sh",
      ["-c", `${limit}exec "$0" "$@"`, sshd.binary, "-i", "-e", "-f", at("sshd_config")],
      {
        stdio: [socket, socket, "ignore"],
      },
    );
    children.add(child);
    child.on("exit", () => children.delete(child));
    child.on("spawn", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;

  const cut = (): void => {
    for (const child of children) child.kill();
  };
  let clients = 0;
  return {
    port,
    folder,
    program: (name, script) => writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 }),
    env: async ({ knownHost = "key", rightKey = true, ...client } = {}) => {
      const line = async (prefix: string, name: string): Promise<string> =>
        `${prefix} ${await readFile(at(`${name}.pub`), "utf8")}`;
      const known = {
        key: () => line("machine", "host"),
        authority: () => line("@cert-authority machine", "authority"),
        "another key": () => line("machine", "other"),
        nothing: () => Promise.resolve(""),
      };
      clients += 1;
      const config = at(`ssh_config-${String(clients)}`);
      await writeFile(`${config}.known_hosts`, await known[knownHost]());
      await writeFile(
        config,
        [
          "Host *",
          "  HostName 127.0.0.1",
          `  Port ${String(client.port ?? port)}`,
          "  HostKeyAlias machine",
          `  User ${userInfo().username}`,
          `  IdentityFile ${at(rightKey ? "user" : "other")}`,
          "  IdentitiesOnly yes",
          "  IdentityAgent none",
          `  UserKnownHostsFile ${config}.known_hosts`,
          `  GlobalKnownHostsFile ${devNull}`,
          "  UpdateHostKeys no",
          ...(client.lines ?? []),
          "",
        ].join("\n"),
      );
      return { ROLLOUT_SSH_CONFIG: config };
    },
    cut,
    stop: async () => {
      server.close();
      cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
