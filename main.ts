import { buildApp, loadProgram } from "./program/program.js";
import { reportFailure } from "./program/report-failure.js";

/**
 * What `npx cdktf` runs: adds one stack for each view of the cluster and writes them. Resources of your own go into
 * `own-resources.ts`.
 */
try {
  const program = await loadProgram(process.env);
  const app = buildApp(program, process.env["CDKTF_OUTDIR"] ?? "cdktf.out");
  app.synth();
} catch (error) {
  process.exitCode = reportFailure(error);
}
