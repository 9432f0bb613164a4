import { execa } from "execa";
import { firstLine, missing } from "./prepared.js";
import type { Result } from "./prepared.js";

/** `consul` on the PATH. Tests do not install it: `.ci/install-consul` does, where apt can. */
export async function findConsul(): Promise<Result> {
  try {
    await execa("consul", ["version"], { timeout: 30_000 });
    return { ok: true };
  } catch (error) {
    return missing(
      `consul is not on the PATH: ${firstLine(error)}; .ci/install-consul installs it where there is apt`,
    );
  }
}
