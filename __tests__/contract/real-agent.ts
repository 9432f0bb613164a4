import { join } from "node:path";
import { execa } from "execa";
import { supportFolder } from "../support/prepared.js";

/** A real agent. It ends with the test process, however that ends. */
export interface RealAgent {
  /** Ends it as a power failure would. Nothing happens where it has ended already. */
  kill(): Promise<void>;
}

/**
 * Starts an agent of Consul or Nomad. What it prints is dropped; its own log file is in its folder.
 * @param env what its tasks inherit, too
 */
export function startAgent(
  binary: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RealAgent {
  const tether = execa(process.execPath, [join(supportFolder, "tether.mjs"), binary, ...args], {
    env: { NODE_OPTIONS: "", ...env },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    reject: false,
  });
  return {
    kill: async () => {
      tether.stdin.end();
      await tether;
    },
  };
}
