import { join } from "node:path";
import type { Environment } from "../clients/environment.js";
import {
  fetchOpenTofu,
  OPENTOFU,
  OPENTOFU_RELEASES,
  platformOf,
  type Release,
} from "../clients/terraform/fetch-opentofu.js";
import { findTerraform } from "../clients/terraform/find.js";
import { FETCHED } from "../clients/terraform/opentofu.js";
import { UserError } from "../cluster/user-error.js";
import { answerTo, type Dialogue } from "./ask.js";

export interface EnsureDeps {
  readonly env: Environment;
  /** The folder in which the command runs. */
  readonly folder: string;
  readonly dialogue: Dialogue;
  readonly note: (line: string) => void;
  /** Default: the one that this version is tried with. */
  readonly release?: Release;
}

/**
 * The Terraform or OpenTofu that runs here. Where there is none, a release of OpenTofu is fetched into `.cache`: a person at a
 * terminal is asked first, elsewhere it is said. `ROLLOUT_DOWNLOAD=never` forbids it, `ROLLOUT_DOWNLOAD_URL` names a mirror.
 * @throws UserError where there is none in the end
 */
export async function ensureTerraform({
  env,
  folder,
  dialogue,
  note,
  release = OPENTOFU,
}: EnsureDeps): Promise<string> {
  try {
    return await findTerraform(env, folder);
  } catch (missing) {
    const from = sourceIn(env);
    const platform = platformOf(process.platform, process.arch);
    const isNamed = (env["TERRAFORM_BINARY_NAME"] ?? "") !== "";
    if (isNamed || from === undefined || platform === undefined) throw missing;
    const what = `OpenTofu ${release.version} (35 MB) from ${from}`;
    if (dialogue.input.isTTY === true) {
      const question = `Neither Terraform nor OpenTofu is on the PATH. Fetch ${what} into .cache?\nType yes to go on: `;
      if ((await answerTo(question, dialogue)) !== "yes") throw missing;
    } else {
      note(
        `neither Terraform nor OpenTofu is on the PATH; fetching ${what} into .cache (ROLLOUT_DOWNLOAD=never forbids it)`,
      );
    }
    await fetchOpenTofu(release, { from, platform, file: join(folder, FETCHED) });
    note(
      `fetched OpenTofu ${release.version}, checksum and signature verified; for cdktf: export TERRAFORM_BINARY_NAME="$PWD/${FETCHED}"`,
    );
    return findTerraform(env, folder);
  }
}

/** Where releases come from; undefined where none may be fetched. */
function sourceIn(env: Environment): string | undefined {
  const download = env["ROLLOUT_DOWNLOAD"] ?? "";
  if (!["", "never"].includes(download))
    throw new UserError(`ROLLOUT_DOWNLOAD is "${download}"; expected never, or nothing`, 2);
  const mirror = env["ROLLOUT_DOWNLOAD_URL"] ?? "";
  if (download === "never") return undefined;
  if (mirror === "") return OPENTOFU_RELEASES;
  const { username, password, search, hash } = URL.canParse(mirror)
    ? new URL(mirror)
    : { username: mirror, password: "", search: "", hash: "" };
  // None is printed, since it may be a secret; and the name of a file cannot follow a query.
  if ([username, password, search, hash].some((part) => part !== ""))
    throw new UserError(
      "ROLLOUT_DOWNLOAD_URL is no address of a mirror; expected https://HOST/PATH, without a user, a password or a query",
      2,
    );
  return mirror;
}
