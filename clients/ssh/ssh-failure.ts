import { UserError } from "../../cluster/user-error.js";

/**
 * Why a machine could not be reached, or a command not be run there.
 * - `unreachable`: no answer, refused, unknown name, or the connection broke. May pass: a machine that boots looks like this
 * - `timeout`: connected, but the command did not end in time
 * - `program-missing`: the machine (or, for `ssh` itself, this one) has no such program
 */
export type SshFailureKind =
  | "unreachable"
  | "host-key-unknown"
  | "host-key-changed"
  | "permission-denied"
  | "program-missing"
  | "timeout"
  | "cancelled";

/** What ssh could not do. Its message holds neither what went to the standard input nor the command. */
export class SshFailure extends UserError {
  override readonly name: string = "SshFailure";

  constructor(
    readonly kind: SshFailureKind,
    message: string,
  ) {
    super(message);
  }
}

const CHECK_THE_KEY =
  "compare the key's fingerprint with the machine's own (its console output shows it at the first boot) and put the key into known_hosts, or sign the keys of your machines and name the authority there once, by a line @cert-authority";

/** Reads what ssh printed when it failed by itself (exit code 255). */
export function sshFailure(destination: string, stderr: string): SshFailure {
  const lines = stderr.split(/\r?\n/).map((line) => line.trim());
  const said = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line));
  if (said(/REMOTE HOST IDENTIFICATION HAS CHANGED|host key .*has changed|host certificate .*revoked/i)) {
    return new SshFailure(
      "host-key-changed",
      `another host key than before: ${destination}; nothing was sent: either the machine was replaced and its old line in known_hosts must go (ssh-keygen -R), or somebody else answers; ${CHECK_THE_KEY}`,
    );
  }
  if (said(/host key is known for|Host key verification failed/i)) {
    return new SshFailure(
      "host-key-unknown",
      `unknown host key: ${destination}; nothing was sent; ${CHECK_THE_KEY}`,
    );
  }
  const denied = said(/Permission denied \(|Too many authentication failures|No supported authentication/i);
  if (denied !== undefined) {
    return new SshFailure(
      "permission-denied",
      `ssh is not let in: ${destination}: ${short(denied)}; load the right key into ssh-agent, or name user and key in ssh_config`,
    );
  }
  const reason = lines.findLast((line) => line !== "") ?? "the connection ended without a word";
  return new SshFailure(
    "unreachable",
    `cannot be reached by ssh: ${destination}: ${short(reason)}; see that the machine runs and that ssh ${destination} works from here (ssh_config applies: ProxyJump, ProxyCommand)`,
  );
}

const short = (text: string): string => text.replace(/\.$/, "").slice(0, 300);
