import { resolve } from "node:path";
import { execa } from "execa";
import { FETCHED } from "../../clients/terraform/opentofu.js";
import { missing } from "./prepared.js";
import type { Result, Terraform } from "./prepared.js";

/** The oldest Terraform and OpenTofu that the program supports. */
const oldest = { major: 1, minor: 9 };

/** What `global-setup.mjs` has fetched. */
const fetched = resolve(FETCHED);

/** The binary that `TERRAFORM_BINARY_NAME` names, else `terraform`, else `tofu`, else what was fetched. */
export async function prepareTerraform(): Promise<Result<Terraform>> {
  const named = process.env["TERRAFORM_BINARY_NAME"];
  const candidates = named === undefined || named === "" ? ["terraform", "tofu", fetched] : [named];
  for (const binary of candidates) {
    const found = await askVersion(binary);
    if (found !== undefined) return found;
  }
  return missing(
    `${candidates.slice(0, 2).join(" or ")} is not on the PATH; see https://developer.hashicorp.com/terraform/install`,
  );
}

/** OpenTofu, whatever binary the other tests run. */
export async function prepareTofu(
  terraform: Result<Terraform>,
): Promise<Result<{ readonly binary: string }>> {
  if (terraform.ok && terraform.registry === OPENTOFU) return terraform;
  return (
    (await askVersion("tofu")) ??
    (await askVersion(fetched)) ??
    missing("tofu is not on the PATH; see https://opentofu.org/docs/intro/install")
  );
}

const OPENTOFU = "registry.opentofu.org";

async function askVersion(binary: string): Promise<Result<Terraform> | undefined> {
  const { failed, stdout } = await execa(binary, ["version"], {
    env: { CHECKPOINT_DISABLE: "1" },
    reject: false,
    timeout: 30_000,
  });
  const match = /^(Terraform|OpenTofu) v((\d+)\.(\d+)\S*)\s+on (\w+)/m.exec(stdout);
  if (failed || match === null) return undefined;
  const [, product = "", version = "", major, minor, platform = ""] = match;
  if (Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor)) {
    return missing(`${product} ${version} is too old; 1.9 or newer is needed`);
  }
  const registry = product === "OpenTofu" ? OPENTOFU : "registry.terraform.io";
  return { ok: true, binary, version, platform, registry };
}
