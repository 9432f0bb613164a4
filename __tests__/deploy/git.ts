import { execa } from "execa";

/** Git in a folder, whatever the person's own settings are. */
export async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const identity = ["-c", "user.name=ops", "-c", "user.email=ops@example.org", "-c", "commit.gpgSign=false"];
  const { stdout } = await execa("git", [...identity, ...args], { cwd: folder });
  return stdout;
}
