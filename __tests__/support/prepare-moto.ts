import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { announce, cacheFolder, firstLine, missing, writeWhole } from "./prepared.js";
import type { Result } from "./prepared.js";

const version = "5.2.1";
const installTimeout = 300_000;

/** `moto_server` from the PATH if it runs; else from a Python environment of its own in the cache. */
export async function prepareMoto(): Promise<Result<{ readonly binary: string }>> {
  const { failed } = await execa("moto_server", ["--help"], { reject: false, timeout: 60_000 });
  if (!failed) return { ok: true, binary: "moto_server" };

  const folder = join(cacheFolder, "moto");
  const binary = join(folder, "bin", "moto_server");
  const finished = join(folder, `installed-${version}`);
  if (existsSync(finished) && existsSync(binary)) return { ok: true, binary };
  try {
    announce(`installing moto ${version}`);
    await rm(folder, { recursive: true, force: true });
    await execa("python3", ["-m", "venv", folder], { timeout: installTimeout });
    await execa(
      join(folder, "bin", "python"),
      ["-m", "pip", "install", "--quiet", `moto[server]==${version}`],
      {
        timeout: installTimeout,
      },
    );
    await writeWhole(finished, "");
    return { ok: true, binary };
  } catch (error) {
    return missing(`moto_server is not on the PATH and could not be installed: ${firstLine(error)}`);
  }
}
