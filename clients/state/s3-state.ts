import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3BackendBlock, type S3Backend } from "../../cluster/backend.js";
import { nothingDeployed, type Deployed } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import type { Environment } from "../environment.js";
import { firstError, withoutSecrets } from "../terraform/error.js";
import { jsonOf, runTerraform } from "../terraform/terraform.js";
import type { Expected } from "./cluster-of-state.js";
import { parseState } from "./parse-state.js";

/**
 * Reads a state from S3, by Terraform's own `state pull`, in a scratch folder that holds nothing but the backend block. A
 * key that does not exist reads as an empty state: serial 0, no lineage. Nothing is locked and nothing is written.
 * @throws UserError when the bucket, the credentials or the state do not allow it, in Terraform's own words
 */
export async function readS3State(
  backend: S3Backend,
  expected: Expected,
  env: Environment = {},
): Promise<Deployed> {
  const text = await pullState(backend, expected.where, env);
  if (text.trim() === "")
    return nothingDeployed({ kind: "state", where: expected.where, serial: 0, lineage: "" });
  return parseState(text, expected);
}

async function pullState(backend: S3Backend, where: string, env: Environment): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rollout-state-"));
  try {
    const options = { cwd: folder, env: { ...env, ...(await prepare(folder, backend)) } };
    const init = await runTerraform(["init", "-input=false", "-no-color"], options);
    // Providers that are not installed fail init as well, but only after the backend has been set up, which is recorded.
    if (init.exitCode !== 0 && !existsSync(join(folder, DATA_FOLDER, "terraform.tfstate"))) {
      throw unreadable(where, init.stderr, env, CORRECT_ACCESS);
    }
    const pull = await runTerraform(["state", "pull"], options);
    if (pull.exitCode !== 0) throw unreadable(where, pull.stderr, env, CORRECT_STATE);
    if (pull.stdout.trim() === "") return "";
    return jsonOf(pull.stdout) || pull.stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const DATA_FOLDER = ".terraform";

/** Fills the folder; answers the variables under which Terraform keeps to it. */
async function prepare(folder: string, backend: S3Backend): Promise<Environment> {
  const providers = join(folder, "no-providers");
  const cliConfig = join(folder, "cli.tfrc");
  await mkdir(providers);
  await writeFile(
    join(folder, "main.tf.json"),
    JSON.stringify({ terraform: { backend: { s3: s3BackendBlock(backend) } } }),
  );
  await writeFile(cliConfig, installationFrom(providers));
  return { TF_CLI_CONFIG_FILE: cliConfig, TF_DATA_DIR: join(folder, DATA_FOLDER) };
}

/** A CLI configuration that finds providers in an empty folder only: init would install hundreds of megabytes for nothing. */
const installationFrom = (folder: string): string =>
  `provider_installation {
  filesystem_mirror {
    path = ${JSON.stringify(folder)}
  }
}
`;

const CORRECT_ACCESS = "correct the spec's backend, or AWS's credentials in the environment";
const CORRECT_STATE =
  "give it to the Terraform or OpenTofu that wrote it, correct your rights, or restore an older version of the object";

function unreadable(where: string, stderr: string, env: Environment, whatToDo: string): UserError {
  const reason = withoutSecrets(firstError(stderr), { ...process.env, ...env }) || "no reason was given";
  return new UserError(`the state cannot be read: ${where}: ${reason}; ${whatToDo}`);
}
