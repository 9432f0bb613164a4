import { execa } from "execa";
import { missing } from "./prepared.js";
import type { Result } from "./prepared.js";

type Binary = Result<{ readonly binary: string }>;

/** `consul` from the PATH, where its agents can have loopback addresses of their own. */
export function prepareConsul(): Promise<Binary> {
  return prepareAgent("consul", "`.ci/install-consul` installs it where there is apt");
}

/** `nomad` from the PATH, likewise. */
export function prepareNomad(): Promise<Binary> {
  return prepareAgent("nomad", "see https://developer.hashicorp.com/nomad/install");
}

async function prepareAgent(binary: string, howToGetIt: string): Promise<Binary> {
  const { failed } = await execa(binary, ["version"], { reject: false, timeout: 30_000 });
  if (failed) return missing(`${binary} is not on the PATH; ${howToGetIt}`);
  // Only Linux has all of 127.0.0.0/8 without being told.
  if (process.platform !== "linux")
    return missing(`real ${binary} agents need the loopback addresses of Linux`);
  return { ok: true, binary };
}
