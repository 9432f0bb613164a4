import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { styleText } from "node:util";
import { terraformVersion } from "../../clients/terraform.js";
import { reportFailure } from "../report-failure.js";
import { wrap } from "../wrap.js";
import type { Walk } from "./steps.js";
import { formatSeconds, labelled } from "./text.js";

/** What `npm start` runs: the main job on this machine, in a scratch folder, in under a minute. */
process.exitCode = await main();

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), "rollout-start-"));
  process.once("exit", () => {
    rmSync(scratch, { recursive: true, force: true });
  });
  const stop = stopOnSignal();
  try {
    const { version, binary } = await terraformVersion();
    process.chdir(scratch);
    introduce(version, binary);
    return await walkThrough(stop);
  } catch (error) {
    if (!stop.aborted) return reportFailure(error);
    console.error("\nstopped; the scratch folder is removed");
    return 130;
  }
}

/** Ctrl-C reaches Terraform, too, which then ends by itself and is waited for. */
function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stop.abort();
    });
  }
  return stop.signal;
}

function introduce(version: string, binary: string): void {
  const tool = basename(binary).startsWith("tofu") ? "OpenTofu" : "Terraform";
  print(
    styleText("bold", `Rolling images through a cluster, one group at a time, with ${tool} ${version}`),
    "",
    ...wrap(
      "The platform is local: machines are stand-ins (Terraform's terraform_data), and in this version they run no agents yet, so the hooks find nothing to drain and nothing to wait for. Synth, guard, plans, applies and their order are real. It all happens in a scratch folder. Each step names the command that does the same in a cluster of your own.",
    ),
  );
}

async function walkThrough(stop: AbortSignal): Promise<number> {
  const start = performance.now();
  // Loading cdktf takes a moment, in which there is something to read already.
  const { STEPS } = await import("./steps.js");
  const walk: Walk = {
    stop,
    say: (label, ...lines) => {
      print(labelled(label, lines));
    },
  };
  for (const [index, step] of STEPS.entries()) {
    stop.throwIfAborted();
    print("", styleText("bold", `${String(index + 1)}. ${step.title}`), "");
    const problems = await step.run(walk);
    if (problems.length > 0) {
      walk.say("differs", ...problems);
      console.error(`step ${String(index + 1)} did not do what it should`);
      return 1;
    }
  }
  print("", ...conclusion((performance.now() - start) / 1000));
  return 0;
}

function conclusion(seconds: number): string[] {
  return [
    styleText("bold", `All four steps did what they should, in ${formatSeconds(seconds)}.`),
    "The scratch folder is removed; nothing else was touched.",
    "",
    "Next, for a cluster of your own:",
    "   cp cluster.example.yaml cluster.yaml     edit it, and keep it in git",
    "   npx cdktf list                           the views that can be deployed",
    "   README.md                                the five-minute path",
  ];
}

function print(...lines: readonly string[]): void {
  console.log(lines.join("\n"));
}
