import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Gives the run a folder of its own, in which its test files share what was prepared and note what was not run. The preparing
 * itself is left to the first test file that needs it (`prepare.ts`), so that unit tests start at once; only what a person at a
 * terminal is asked about comes first.
 */
export default async function globalSetup() {
  process.env["ROLLOUT_TEST_RUN"] = await mkdtemp(join(tmpdir(), "rollout-tests-"));
  const { ensureTerraform } = await built("cli/ensure-terraform.js");
  const { onTerminal } = await built("cli/ask.js");
  const deps = { env: process.env, folder: process.cwd(), dialogue: onTerminal(), note };
  // The tests that need it say at the end that they were not run.
  await ensureTerraform(deps).catch((error) => note(error.message));
}

/** As `npm run build` has made it: jest loads this file without the transformation that tests have. */
const built = (file) => import(pathToFileURL(resolve("dist", file)).href);

const note = (line) => process.stderr.write(`preparing the tests: ${line}\n`);
