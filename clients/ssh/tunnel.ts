import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ssh } from "./ssh.js";
import { noSsh } from "./ssh.js";
import { SshFailure, sshFailure } from "./ssh-failure.js";

/** A way to one loopback port of a machine. */
export interface Tunnel {
  /** A unix socket, in a folder that nobody else may enter. A connection that is reset means that nothing listens at the other end. */
  readonly socketPath: string;
  /** False once it has ended, by itself or not. */
  readonly isOpen: () => boolean;
  /** Ends it and removes the socket; open connections through it are cut. Closing twice is fine. */
  close(): Promise<void>;
}

const READY = "rollout-tunnel-ready";

/**
 * Opens a tunnel to a port of a machine's loopback address, such as 8500 of its Consul agent.
 *
 * On the machine runs a `cat`, which ends when its input does: so the tunnel ends with this process however that ends, which
 * `ssh -N` would not do. ssh listens before it starts a command, so the socket is there once that has said something.
 * @param timeoutMs until it is ready
 * @throws SshFailure
 */
export async function openTunnel(
  ssh: Ssh,
  destination: string,
  remotePort: number,
  timeoutMs = 30_000,
): Promise<Tunnel> {
  if (!Number.isInteger(remotePort) || remotePort < 1 || remotePort > 65_535)
    throw new Error(`no port: ${String(remotePort)}`);
  // Checked before a folder is made.
  const words = ["sh", "-c", `echo ${READY} && exec cat >/dev/null`];
  ssh.command(destination, words);
  // macOS allows 104 bytes for the path of a socket: short names.
  const folder = await mkdtemp(join(tmpdir(), "rollout-"));
  const socketPath = join(folder, "agent");
  const command = ssh.command(destination, words, [
    "-oClearAllForwardings=no",
    "-oExitOnForwardFailure=yes",
    // A forwarding that a master of the user's took over would outlive this.
    "-oControlPath=none",
    "-L",
    `${socketPath}:127.0.0.1:${String(remotePort)}`,
  ]);
  const late = new AbortController();
  const { execa } = await import("execa");
  const child = execa("ssh", command.args, {
    env: command.env,
    extendEnv: false,
    stdin: "pipe",
    reject: false,
    buffer: { stdout: false, stderr: true },
    maxBuffer: 100_000,
    cancelSignal: late.signal,
  });
  const close = async (): Promise<void> => {
    child.kill();
    await child;
    await rm(folder, { recursive: true, force: true });
  };
  let isOpen = true;
  const ended = child.then(() => {
    isOpen = false;
  });
  const ready = new Promise<boolean>((resolve) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (output.length < 1000) output += chunk.toString();
      if (output.includes(READY)) resolve(true);
    });
    void ended.then(() => {
      resolve(false);
    });
  });
  const timer = setTimeout(() => {
    late.abort();
  }, timeoutMs);
  const isReady = await ready;
  clearTimeout(timer);
  if (isReady) return { socketPath, isOpen: () => isOpen, close };

  await close();
  const { code, stderr } = await child;
  if (late.signal.aborted) {
    throw new SshFailure(
      "timeout",
      `did not open in time: a tunnel to ${destination}, after ${String(timeoutMs / 1000)} s; run it again, and look at the machine if it stays so`,
    );
  }
  if (code === "ENOENT") throw noSsh();
  throw sshFailure(destination, stderr);
}

/** A tunnel that is opened when it is first asked for, and again when it has broken. */
export class TunnelOnDemand {
  #tunnel: Promise<Tunnel> | undefined;

  constructor(private readonly open: () => Promise<Tunnel>) {}

  /** @throws SshFailure */
  async socketPath(): Promise<string> {
    for (;;) {
      const opening = (this.#tunnel ??= this.open());
      const forget = (): void => {
        if (this.#tunnel === opening) this.#tunnel = undefined;
      };
      try {
        const tunnel = await opening;
        if (tunnel.isOpen()) return tunnel.socketPath;
        forget();
        await tunnel.close();
      } catch (error) {
        forget();
        throw error;
      }
    }
  }

  async close(): Promise<void> {
    const open = await this.#tunnel?.catch(() => undefined);
    this.#tunnel = undefined;
    await open?.close();
  }
}
