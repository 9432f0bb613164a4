import { loadProgram, synthesize } from "./program/program.js";
import { reportFailure } from "./program/report-failure.js";

/**
 * What `npx cdktf` runs: adds one stack for each view of the cluster and writes them. Resources of your own go into
 * `own-resources.ts`.
 */
try {
  synthesize(await loadProgram(process.env), process.env["CDKTF_OUTDIR"] ?? "cdktf.out");
} catch (error) {
  process.exitCode = reportFailure(error);
}
