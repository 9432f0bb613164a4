/**
 * Compares `rollout deploy GROUP` with the Terraform commands that it runs, bare: `npm run bench -- deploy`. On platform
 * local without agents, by turns, on copies of one state; what counts is the median of the ratios of the pairs.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MOST = 1.05;
const PAIRS = 3;
const CLI = fileURLToPath(new URL("../dist/bin/rollout.js", import.meta.url));

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const spec = (image, brokers) => `name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  broker: { images: [${image}, v1, v1], instanceTypes: [small, small, small], hosts: [${brokers}, ${brokers}, ${brokers}] }
`;

const env = (folder) => ({
  ...process.env,
  CLUSTER: join(folder, "cluster.yaml"),
  CDKTF_OUTDIR: join(folder, "out"),
  CHECKPOINT_DISABLE: "1",
  TF_IN_AUTOMATION: "1",
});

function timed(folder, file, args) {
  const begun = process.hrtime.bigint();
  execFileSync(file, args, { cwd: folder, env: env(folder), stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  return Number(process.hrtime.bigint() - begun) / 1e9;
}

const rollout = (folder, ...args) => timed(folder, process.execPath, [CLI, ...args]);

for (const brokers of [3, 12]) {
  const standing = join(root, `standing-${String(brokers)}`);
  mkdirSync(standing);
  writeFileSync(join(standing, "cluster.yaml"), spec("v1", brokers));
  rollout(standing, "plan", "cluster", "--out", join(standing, "plan"));
  timed(standing, "terraform", [
    `-chdir=${join(standing, "out/demo/cluster")}`,
    "apply",
    join(standing, "plan"),
  ]);
  writeFileSync(join(standing, "cluster.yaml"), spec("v2", brokers));
  // Both find a folder that was initialized before.
  rollout(standing, "plan", "broker-0", "--out", join(standing, "plan"));
  const ratios = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const ours = copyOf(standing, `ours-${String(brokers)}-${String(pair)}`);
    const total = rollout(ours, "deploy", "broker-0", "--yes");
    const bare = bareCommands(copyOf(standing, `bare-${String(brokers)}-${String(pair)}`));
    ratios.push(total / bare);
    process.stderr.write(`${String(brokers)} hosts: ${total.toFixed(2)} s, bare ${bare.toFixed(2)} s\n`);
  }
  const ratio = ratios.sort((a, b) => a - b)[Math.floor(PAIRS / 2)];
  console.log(
    `deploy of a group of ${String(brokers)} hosts: ${ratio.toFixed(3)} of the bare commands, at most ${String(MOST)}`,
  );
  if (ratio > MOST) process.exitCode = 1;
}

function copyOf(standing, name) {
  const folder = join(root, name);
  cpSync(standing, folder, { recursive: true });
  return folder;
}

/** What the driver asks of Terraform, in its order and with its options. */
function bareCommands(folder) {
  const stack = join(folder, "out/demo/broker-0");
  const run = (...args) => timed(stack, "terraform", args);
  const apply = (gate) =>
    run("init", "-input=false", "-no-color", "-reconfigure") +
    run("plan", "-input=false", "-no-color", "-refresh=false", `-var=rollout_gate=${gate}`, "-out=plan") +
    run("show", "-json", "plan") +
    run("apply", "-json", "-input=false", "-no-color", "plan");
  const seconds = apply("closed") + apply("open");
  if (!readFileSync(join(folder, "terraform.demo.tfstate"), "utf8").includes('"v2"'))
    throw new Error("it did not roll");
  return seconds;
}
