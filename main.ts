import { heldViews } from "./program/held.js";
import { loadProgram, synthesize } from "./program/program.js";
import { reportFailure } from "./program/report-failure.js";

/**
 * What `npx cdktf` runs: adds one stack for each view of the cluster and writes them. Resources of your own go into
 * `own-resources.ts`.
 */
try {
  const program = await loadProgram(process.env);
  const held = await heldViews(program, process.env, Date.now());
  synthesize({ ...program, held }, process.env["CDKTF_OUTDIR"] ?? "cdktf.out");
} catch (error) {
  process.exitCode = reportFailure(error);
}
