import { existsSync } from "node:fs";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { prepareStandIn } from "./prepare-stand-in.js";
import { announce, cacheFolder, firstExisting, missing, providerVersions, writeWhole } from "./prepared.js";
import type { Providers, Result, Terraform } from "./prepared.js";

type ProviderName = keyof typeof providerVersions;

/** A provider and the filesystem mirror that holds it. */
type Mirrored = Result<{ readonly mirror: string }>;

const probeTimeout = 15_000;
const downloadTimeout = 600_000;

/**
 * Gets both providers from the registry, once, or else from what this machine has: a mirror with the AWS provider, and a stand-in
 * for the null provider. Either way Terraform reads them from a folder, so it makes links, and no run depends on the network.
 */
export async function prepareProviders(terraform: Result<Terraform>): Promise<Providers> {
  // OpenTofu means another registry by the same name, so each has a configuration of its own.
  const cliConfig = join(cacheFolder, `${terraform.ok ? terraform.registry : "terraform"}.tfrc`);
  if (!terraform.ok) {
    const reason = "Terraform is missing, so its providers cannot be installed";
    return { aws: missing(reason), null: missing(reason), cliConfig };
  }
  const mirrors = (await fromRegistry(terraform)) ?? (await fromThisMachine(terraform));
  await writeCliConfig(cliConfig, terraform, mirrors);
  return { aws: withoutMirror(mirrors.aws), null: withoutMirror(mirrors.null), cliConfig };
}

/** A folder that `terraform init` filled has the layout of a mirror. Nothing is asked of the network once it is there. */
async function fromRegistry(terraform: Terraform): Promise<Record<ProviderName, Mirrored> | undefined> {
  if (process.env["ROLLOUT_TEST_PROVIDER_MIRROR"]) return undefined;
  const folder = join(cacheFolder, "downloaded", terraform.registry);
  const mirror = join(folder, ".terraform", "providers");
  const both = { aws: { ok: true, mirror }, null: { ok: true, mirror } } as const;
  if (names().every((name) => findIn(mirror, terraform, name) !== undefined)) return both;

  const probe = join(cacheFolder, "probe");
  const reached = await init(terraform, probe, ["null"], probeTimeout);
  await rm(probe, { recursive: true, force: true });
  if (!reached) return undefined;
  announce(`downloading the AWS provider ${providerVersions.aws} (675 MB)`);
  return (await init(terraform, folder, names(), downloadTimeout)) ? both : undefined;
}

/** Uses the person's own Terraform settings: their proxy, mirror and plugin cache are how the registry is reached here. */
async function init(
  terraform: Terraform,
  folder: string,
  providers: readonly ProviderName[],
  timeout: number,
): Promise<boolean> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const required = providers.map(
    (name) => [name, { source: `hashicorp/${name}`, version: providerVersions[name] }] as const,
  );
  const main = { terraform: { required_providers: Object.fromEntries(required) } };
  await writeFile(join(folder, "main.tf.json"), JSON.stringify(main));
  const { failed } = await execa(terraform.binary, ["init", "-input=false", "-no-color"], {
    cwd: folder,
    env: { CHECKPOINT_DISABLE: "1" },
    reject: false,
    timeout,
  });
  return !failed;
}

async function fromThisMachine(terraform: Terraform): Promise<Record<ProviderName, Mirrored>> {
  return { aws: await findAws(terraform), null: await prepareStandIn(terraform) };
}

async function findAws(terraform: Terraform): Promise<Mirrored> {
  const named = process.env["ROLLOUT_TEST_PROVIDER_MIRROR"];
  const candidates = [
    ...(named ? [named] : []),
    join(homedir(), ".terraform.d", "plugins"),
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/opt/tf-plugins",
  ];
  const mirror = candidates.find((candidate) => findIn(candidate, terraform, "aws") !== undefined);
  if (mirror !== undefined) return { ok: true, mirror };
  for (const candidate of candidates) {
    const linked = await linkIn(candidate, terraform);
    if (linked !== undefined) return { ok: true, mirror: linked };
  }
  return missing(
    `hashicorp/aws ${providerVersions.aws} for ${terraform.platform} is neither to be had from the registry ` +
      `nor in a mirror (${candidates.join(", ")}); name one in ROLLOUT_TEST_PROVIDER_MIRROR`,
  );
}

/** Both registries have the same program: a mirror that holds it for Terraform serves OpenTofu by a link. */
async function linkIn(mirror: string, terraform: Terraform): Promise<string | undefined> {
  const registry = "registry.terraform.io";
  const found = findIn(mirror, { ...terraform, registry }, "aws");
  if (found === undefined) return undefined;
  const own = join(cacheFolder, "mirror");
  const link = join(own, terraform.registry, relative(join(mirror, registry), found));
  await mkdir(dirname(link), { recursive: true });
  await rm(link, { force: true });
  await symlink(found, link);
  return own;
}

/** Terraform knows two layouts of a mirror: unpacked folders and zip files. */
function findIn(mirror: string, { registry, platform }: Terraform, name: ProviderName): string | undefined {
  const version = providerVersions[name];
  const provider = join(mirror, registry, "hashicorp", name);
  return firstExisting([
    join(provider, version, platform),
    join(provider, `terraform-provider-${name}_${version}_${platform}.zip`),
  ]);
}

async function writeCliConfig(
  file: string,
  { registry }: Terraform,
  mirrors: Record<ProviderName, Mirrored>,
): Promise<void> {
  const address = (name: ProviderName): string => JSON.stringify(`${registry}/hashicorp/${name}`);
  const blocks = names().flatMap((name) => {
    const mirrored = mirrors[name];
    if (!mirrored.ok) return [];
    return [
      "  filesystem_mirror {",
      `    path    = ${JSON.stringify(mirrored.mirror)}`,
      `    include = [${address(name)}]`,
      "  }",
    ];
  });
  const direct = ["  direct {", `    exclude = [${names().map(address).join(", ")}]`, "  }"];
  const content = ["provider_installation {", ...blocks, ...direct, "}", ""].join("\n");
  if (existsSync(file) && (await readFile(file, "utf8")) === content) return;
  await writeWhole(file, content);
}

function withoutMirror(result: Mirrored): Result {
  return result.ok ? { ok: true } : result;
}

function names(): readonly ProviderName[] {
  return ["aws", "null"];
}
