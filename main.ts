import { buildApp, loadProgram } from "./cli/program.js";
import { reportFailure } from "./cli/report-failure.js";

/**
 * What `npx cdktf` runs: adds one stack for each view of the cluster and writes them. A construct of your own, such as
 * an alarm, can be added to the stacks of `app` before `synth`.
 */
try {
  const program = await loadProgram(process.env);
  const app = buildApp(program, process.env["CDKTF_OUTDIR"] ?? "cdktf.out");
  app.synth();
} catch (error) {
  process.exitCode = reportFailure(error);
}
