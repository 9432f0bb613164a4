import { execa } from "execa";
import { missing, type Result } from "./prepared.js";

/** The `consul` on the PATH. Nothing is downloaded: Debian 11 was the last to package it. */
export async function prepareConsul(): Promise<Result<{ readonly binary: string }>> {
  const { failed, stdout } = await execa("consul", ["version"], { reject: false, timeout: 30_000 });
  if (failed || !stdout.startsWith("Consul v")) {
    return missing("consul is not on the PATH; see https://developer.hashicorp.com/consul/install");
  }
  return { ok: true, binary: "consul" };
}
