import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import {
  announce,
  cacheFolder,
  firstLine,
  missing,
  providerVersions,
  supportFolder,
  writeWhole,
} from "./prepared.js";
import type { Result, Terraform } from "./prepared.js";

const source = join(supportFolder, "null-provider");
const buildTimeout = 300_000;

/** Builds the stand-in for hashicorp/null (see its README.md) into a mirror, again only when its sources changed. */
export async function prepareStandIn(terraform: Terraform): Promise<Result<{ readonly mirror: string }>> {
  const { registry, platform } = terraform;
  const version = providerVersions.null;
  const mirror = join(cacheFolder, "mirror");
  const provider = join(mirror, registry, "hashicorp", "null", version, platform);
  const binary = join(provider, `terraform-provider-null_v${version}`);
  const stamp = join(cacheFolder, `null-provider.${registry}.${platform}.sha256`);

  const hash = await hashSources();
  if (existsSync(binary) && existsSync(stamp) && (await readFile(stamp, "utf8")) === hash)
    return { ok: true, mirror };

  announce("building the stand-in for the null provider");
  const unfinished = join(cacheFolder, `null-provider.${String(process.pid)}`);
  try {
    await execa("go", ["build", "-trimpath", "-buildvcs=false", "-o", unfinished, "."], {
      cwd: source,
      env: { CGO_ENABLED: "0", GOWORK: "off" },
      timeout: buildTimeout,
    });
  } catch (error) {
    return missing(
      `hashicorp/null ${version} is not to be had from the registry, and its stand-in could not be built with Go: ${firstLine(error)}`,
    );
  }
  await mkdir(provider, { recursive: true });
  await rename(unfinished, binary);
  await writeWhole(stamp, hash);
  return { ok: true, mirror };
}

async function hashSources(): Promise<string> {
  const hash = createHash("sha256");
  const files = (await readdir(source)).filter((file) => /\.(go|mod|sum)$/.test(file)).sort();
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(source, file)));
  return hash.digest("hex");
}
