import type { Readable } from "node:stream";
import { type Environment, withoutTokens } from "../environment.js";
import { withoutSecrets } from "../terraform/error.js";
import { shellWords } from "./shell-words.js";
import { checkDestination } from "./ssh-destination.js";
import { SshFailure, sshFailure } from "./ssh-failure.js";

export interface RunOptions {
  /** What the command reads. The only way for content and secrets: arguments can be seen by everybody on both machines. */
  readonly input?: string | Readable;
  /** For all of it, the connection included. @default 60 000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What a remote command printed and how it ended. An exit code other than 0 is a result, no exception. */
export interface RemoteResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A command that this machine runs: the program is always `ssh`. */
export interface SshCommand {
  readonly args: readonly string[];
  readonly env: Environment;
}

/** More than any configuration file has. */
const MOST_OUTPUT = 4_000_000;

/**
 * The system's `ssh`, so that the user's ssh_config applies (users, keys, ProxyJump, SSM by ProxyCommand). It never asks
 * anything, and a host key that is not known ends it.
 */
export class Ssh {
  readonly #env: Environment;

  /** @param settings in `env`, `ROLLOUT_SSH_CONFIG` names a file that ssh reads in place of the user's and the system's ssh_config */
  constructor({ env = {} }: { readonly env?: Environment } = {}) {
    this.#env = env;
  }

  /**
   * Runs a command on a machine.
   * @param words program and arguments; they arrive as they are, whatever they hold
   * @throws SshFailure when the machine cannot be reached or has no such program, or time is up
   */
  async run(destination: string, words: readonly string[], options: RunOptions = {}): Promise<RemoteResult> {
    const { input = "", timeoutMs = 60_000, signal } = options;
    const command = this.command(destination, words);
    const { execa } = await import("execa");
    const result = await execa("ssh", command.args, {
      env: command.env,
      extendEnv: false,
      input,
      timeout: timeoutMs,
      ...(signal ? { cancelSignal: signal } : {}),
      reject: false,
      stripFinalNewline: false,
      maxBuffer: MOST_OUTPUT,
    });
    if (result.isCanceled) throw new SshFailure("cancelled", `ended before it was done: ssh ${destination}`);
    if (result.timedOut) throw timedOut(destination, timeoutMs);
    if (result.code === "ENOENT") throw noSsh();
    const stderr = withoutInput(withoutSecrets(result.stderr, command.env), input);
    const { exitCode } = result;
    if (exitCode === undefined || exitCode === 255) throw sshFailure(destination, stderr);
    if (exitCode === 127) {
      throw new SshFailure(
        "program-missing",
        `no such program on the machine: ${words[0] ?? ""} at ${destination}; the image must bring it`,
      );
    }
    return { stdout: result.stdout, stderr, exitCode };
  }

  /**
   * The arguments of `ssh` for a command, and its environment.
   * @param options further options of ssh, before the common ones, which they override
   */
  command(destination: string, words: readonly string[], options: readonly string[] = []): SshCommand {
    const { ROLLOUT_SSH_CONFIG: config = "", ...env } = { ...process.env, ...this.#env };
    const own = [
      ...options,
      "-oBatchMode=yes",
      "-oStrictHostKeyChecking=yes",
      "-oConnectTimeout=15",
      "-oServerAliveInterval=5",
      "-oServerAliveCountMax=3",
      // What ssh says about its own failures decides what is said to people; banners do not belong there.
      "-oLogLevel=ERROR",
      // A master that this call left behind would keep its output open for ever.
      "-oControlMaster=no",
      // What ssh_config may say for people who log in.
      "-oClearAllForwardings=yes",
      "-oRemoteCommand=none",
      "-oForwardAgent=no",
      "-T",
    ];
    return {
      args: [
        ...(config === "" ? [] : ["-F", config]),
        ...own,
        "--",
        checkDestination(destination),
        shellWords(words),
      ],
      // The agents' tokens are for HTTP; no ssh_config should be able to send them on.
      env: withoutTokens({ ...env, LC_ALL: "C" }),
    };
  }
}

/** For whoever starts `ssh` and finds none. */
export const noSsh = (): SshFailure =>
  new SshFailure(
    "program-missing",
    "ssh is not installed: looked for ssh on the PATH; install OpenSSH's client",
  );

const timedOut = (destination: string, timeoutMs: number): SshFailure =>
  new SshFailure(
    "timeout",
    `did not end in time: a command on ${destination}, after ${String(timeoutMs / 1000)} s; run it again, and look at the machine if it stays so`,
  );

/** A shell that complains may quote what it has read. */
function withoutInput(stderr: string, input: string | Readable): string {
  if (typeof input !== "string") return stderr;
  return input
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.length > 5)
    .reduce((clean, line) => clean.replaceAll(line, "(input)"), stderr);
}
