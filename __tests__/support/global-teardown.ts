import { existsSync } from "node:fs";
import { readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** Says at the very end which tests did not run and why, and removes the run's folder. */
export default async function globalTeardown(): Promise<void> {
  const run = process.env["ROLLOUT_TEST_RUN"];
  if (run === undefined || !existsSync(run)) return;
  const notes = (await readdir(run)).filter((file) => file.startsWith("not-run-"));
  const lines = await Promise.all(notes.map((file) => readFile(join(run, file), "utf8")));
  if (lines.length > 0) {
    const list = lines.sort().map((line) => `  - ${line}\n`);
    process.stderr.write(
      `\nThese tests did not run (ROLLOUT_TEST_REQUIRE=all makes that a failure):\n${list.join("")}\n`,
    );
  }
  await rm(run, { recursive: true, force: true });
}
