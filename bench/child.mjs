/**
 * One synth, as a process of its own: `node bench/child.mjs ours|bare FOLDER`. What is to be synthesized stands in the
 * folder, where `synth.mjs` has put it. Prints its CPU time and the peak of its memory.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [, , who, folder] = process.argv;

if (who === "bare") {
  const { synthesizeBare } = await import("./bare.mjs");
  synthesizeBare({
    ...JSON.parse(readFileSync(join(folder, "bare.json"), "utf8")),
    outdir: join(folder, "bare"),
  });
} else {
  const { buildApp, loadProgram } = await import("../dist/program/program.js");
  const env = { CLUSTER: join(folder, "cluster.yaml"), ROLLOUT_CAUSE: "bench" };
  const view = readFileSync(join(folder, "view"), "utf8");
  if (view === "cluster") {
    buildApp(await loadProgram(env), join(folder, "ours")).synth();
  } else {
    const { readSpec } = await import("../dist/program/read-spec.js");
    const { groups, addresses, ...rest } = JSON.parse(readFileSync(join(folder, "deployed.json"), "utf8"));
    const deployed = { ...rest, groups: new Map(groups), addresses: new Set(addresses) };
    buildApp({ ...readSpec(env), deployed, views: [view], cause: "bench" }, join(folder, "ours")).synth();
  }
}

const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ kilobytes: maxRSS, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }));
