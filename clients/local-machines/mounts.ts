import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Takes away what is mounted below a folder. Nomad that runs as root mounts a file system in memory for each task's
 * secrets, and one that was killed leaves them, so that its folder cannot be removed.
 * @throws Error when something is in use
 */
export function unmountBelow(folder: string): void {
  for (const point of mountsBelow(folder)) execFileSync("umount", [point], { stdio: "pipe" });
}

/** The deepest first; none where the system has no `/proc`. */
function mountsBelow(folder: string): string[] {
  let table: string;
  try {
    table = readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return [];
  }
  return table
    .split("\n")
    .map((line) => plain(line.split(" ")[1] ?? ""))
    .filter((point) => point.startsWith(`${folder}/`))
    .sort()
    .reverse();
}

/** Blanks and the like are written as three octal digits. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
