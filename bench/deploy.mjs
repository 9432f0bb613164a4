/**
 * Compares `rollout deploy GROUP` with the commands that a person would have to run for the same effect: `npm run bench --
 * deploy`. On platform local, by turns, on copies of one state. What counts is the ratio of the fastest, which other work on
 * the machine disturbs least; the median of the ratios of the pairs is shown beside it.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MOST = 1.05;
const GROUP = "broker-0";
const path = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

/** The slower a roll, the less a constant overhead is of it: with agents, work is drained and a bake time waited for. */
const CASES = [
  { name: "no agents", hosts: 3, pairs: 5 },
  { name: "no agents", hosts: 20, pairs: 3 },
  { name: "simulated agents", hosts: 3, pairs: 3, local: "\nlocal: { agents: simulated, speed: 10 }" },
];

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const rows = [];
for (const each of CASES) {
  const { name, hosts, pairs } = each;
  const found = each.local === undefined ? onCopies(each) : inTurns(each);
  const ours = found.map(({ ours }) => ours);
  const bare = found.map(({ terraform, synth }) => terraform + synth);
  const terraform = found.map((each) => each.terraform);
  const fastest = Math.min(...ours) / Math.min(...bare);
  const overTerraform = Math.min(...ours) - Math.min(...terraform);
  rows.push([
    name,
    hosts,
    pairs,
    `${fastest.toFixed(2)}x`,
    `${median(ours.map((seconds, pair) => seconds / bare[pair])).toFixed(2)}x`,
    `${Math.min(...ours).toFixed(2)} s / ${Math.min(...bare).toFixed(2)} s`,
    `${Math.min(...terraform).toFixed(2)} s`,
    `${overTerraform.toFixed(2)} s`,
  ]);
  if (fastest > MOST) {
    console.error(
      `${name}, ${String(hosts)} hosts: ${fastest.toFixed(2)}x the bare commands; at most ${String(MOST)}x is wanted`,
    );
    process.exitCode = 1;
  }
}
const heading = [
  "cluster",
  "hosts",
  "pairs",
  "fastest",
  "median",
  "fastest, deploy / bare",
  "of it Terraform",
  "deploy less Terraform",
];
const line = (cells) => `| ${cells.join(" | ")} |`;
console.log([line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n"));

/** Where nothing runs, a folder is all there is of a cluster: each roll begins at a copy of the same. */
function onCopies({ name, hosts, pairs, local }) {
  const standing = join(root, `standing-${String(hosts)}`);
  stand(standing, { hosts, local });
  write(standing, { hosts, local, image: "v2" });
  return Array.from({ length: pairs }, (_, pair) => {
    const copy = (who) => {
      const folder = join(root, `${who}-${String(hosts)}-${String(pair)}`);
      cpSync(standing, folder, { recursive: true });
      return folder;
    };
    return measured({ name, hosts, pair, image: "v2", ours: copy("ours"), bare: copy("bare") });
  });
}

/** Machines that run belong to their folder: two clusters, each rolled from image to image. */
function inTurns({ name, hosts, pairs, local }) {
  const [ours, bare] = ["ours", "bare"].map((who) => join(root, `${who}-agents`));
  try {
    for (const folder of [ours, bare]) stand(folder, { hosts, local });
    return Array.from({ length: pairs }, (_, pair) => {
      const image = `v${String(pair + 2)}`;
      for (const folder of [ours, bare]) write(folder, { hosts, local, image });
      return measured({ name, hosts, pair, image, ours, bare });
    });
  } finally {
    // The simulated cluster ends by itself once this is gone.
    for (const folder of [ours, bare]) rmSync(join(folder, ".rollout"), { recursive: true, force: true });
  }
}

function measured({ name, hosts, pair, image, ours, bare }) {
  const result = {
    ours: timed(ours, process.execPath, [path("bin/rollout.js"), "deploy", GROUP, "--yes"]),
    ...byHand(bare),
  };
  for (const folder of [ours, bare]) checkRolled(folder, image);
  process.stderr.write(
    `${name}, ${String(hosts)} hosts, pair ${String(pair + 1)}: ${result.ours.toFixed(2)} s, bare ${(result.terraform + result.synth).toFixed(2)} s\n`,
  );
  return result;
}

/** The whole cluster, and a folder of the group's view that was initialized before. */
function stand(folder, { hosts, local }) {
  mkdirSync(folder);
  write(folder, { hosts, local, image: "v1" });
  synth(folder);
  const stack = join(folder, "out/demo/cluster");
  timed(stack, "terraform", ["init", "-input=false"], folder);
  timed(stack, "terraform", ["apply", "-input=false", "-auto-approve"], folder);
}

/**
 * What a person runs: synth, and then twice plan, show and apply, since the gate's own wait is no part of the first apply.
 * Nobody reads what show prints here, and nobody checks it.
 */
function byHand(folder) {
  const stack = join(folder, "out/demo", GROUP);
  const seconds = { terraform: 0, synth: synth(folder) };
  const run = (...args) => {
    seconds.terraform += timed(stack, "terraform", args, folder);
  };
  run("init", "-input=false", "-no-color", "-reconfigure");
  for (const gate of ["closed", "open"]) {
    run("plan", "-input=false", "-no-color", "-refresh=false", `-var=rollout_gate=${gate}`, "-out=plan");
    run("show", "-json", "plan");
    run("apply", "-json", "-input=false", "-no-color", "plan");
  }
  return seconds;
}

function write(folder, { hosts, image, local = "" }) {
  writeFileSync(
    join(folder, "cluster.yaml"),
    `name: demo
platform: local${local}
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  broker: { images: [${image}, v1, v1], instanceTypes: [small, small, small], hosts: [${String(hosts)}, 1, 1] }
`,
  );
}

function synth(folder) {
  return timed(folder, process.execPath, [path("main.js")]);
}

/** @throws Error with what the command said, when it failed */
function timed(cwd, file, args, folder = cwd) {
  const env = {
    ...process.env,
    CLUSTER: join(folder, "cluster.yaml"),
    CDKTF_OUTDIR: join(folder, "out"),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  const begun = process.hrtime.bigint();
  const { status, signal, error, stdout, stderr } = spawnSync(file, args, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1e9,
  });
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  if (status === 0) return seconds;
  const said = `${stderr}\n${stdout}`.trim().slice(-4000);
  throw new Error(`${file} ${args.join(" ")} failed with ${String(status ?? signal ?? error)}:\n${said}`);
}

/** @throws Error when the comparison is void: a state that does not say that the image was rolled and proven */
function checkRolled(folder, image) {
  const { resources } = JSON.parse(readFileSync(join(folder, "terraform.demo.tfstate"), "utf8"));
  const { instances } = resources.find(({ name }) => name === `${GROUP}-revision`);
  const last = instances[0].attributes.input.value.revisions.at(-1);
  if (last.image !== image) throw new Error(`${folder} did not roll: ${JSON.stringify(last)}`);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
