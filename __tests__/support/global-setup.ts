import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Gives the run a folder of its own, in which its test files share what was prepared and note what was not run. The preparing
 * itself is left to the first test file that needs it (`prepare.ts`), so that unit tests start at once.
 */
export default async function globalSetup(): Promise<void> {
  process.env["ROLLOUT_TEST_RUN"] = await mkdtemp(join(tmpdir(), "rollout-tests-"));
}
