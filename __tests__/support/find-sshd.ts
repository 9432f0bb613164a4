import { execa } from "execa";
import { firstExisting, firstLine, missing } from "./prepared.js";
import type { Result } from "./prepared.js";

/** It is seldom on a person's PATH, and refuses to be started by any but its whole path. */
const places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/opt/homebrew/sbin/sshd"];

/** OpenSSH: `sshd`, `ssh` and `ssh-keygen`. Tests do not install it: `.ci/install-sshd` does, where apt can. */
export async function findSshd(): Promise<Result<{ readonly binary: string }>> {
  const howToGetIt = ".ci/install-sshd installs it where there is apt";
  const binary = firstExisting(places);
  if (binary === undefined) return missing(`sshd is in none of ${places.join(", ")}; ${howToGetIt}`);
  try {
    await execa("ssh", ["-V"]);
    await execa("sh", ["-c", "command -v ssh-keygen"]);
    return { ok: true, binary };
  } catch (error) {
    return missing(`OpenSSH is not whole: ${firstLine(error)}; ${howToGetIt}`);
  }
}
