/**
 * Compares `rollout check PLAN` with what reads the same bytes and judges nothing: `npm run bench`, or this alone:
 * `node bench/check.mjs` after a build. All are whole processes that run by turns; what counts is the ratio of their
 * fastest runs. CPU time stands beside wall time, since it says more where others use the machine. The run fails when a
 * verdict is not the expected one, or a target is missed.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writePlan } from "./plans.mjs";

const ROLLOUT = fileURLToPath(new URL("../dist/bin/rollout.js", import.meta.url));
const PARSE = 'JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))';

/** What a plan is compared with, and how many times as long the check may take. */
const REFERENCES = {
  "node -e 0": { most: 3, command: () => [process.execPath, "-e", "0"] },
  "JSON.parse": { most: 1.5, command: (file) => [process.execPath, "-e", PARSE, file] },
  jq: { most: 1, command: (file) => ["jq", ".resource_changes[] | .address", file] },
};

/** Prints what its children have used once they have ended: user and system time, on the last line. */
const TIMED = '"$@" >/dev/null; code=$?; times >&3; exit $code';

const EXIT_CODES = { accepted: 0, rejected: 1 };

const CASES = [
  { verdict: "accepted", pools: 1, hosts: [1, 1, 1], runs: 15, against: ["node -e 0"] },
  { verdict: "accepted", pools: 344, hosts: [2, 2, 1], runs: 7, against: ["JSON.parse", "jq"] },
  { verdict: "rejected", pools: 344, hosts: [2, 2, 1], runs: 1, against: ["JSON.parse", "jq"] },
  { verdict: "accepted", pools: 20, hosts: [42, 42, 41], runs: 7, against: ["JSON.parse", "jq"] },
  { verdict: "accepted", pools: 75, hosts: [42, 42, 41], runs: 3, against: ["JSON.parse", "jq"] },
];

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-check-")));
let running;
process.once("exit", () => {
  // The whole group: a shell measures, and its child is what takes the time.
  if (running) process.kill(-running.pid);
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const hasJq = spawnSync("jq", ["--version"]).status === 0;
if (!hasJq) console.error("jq is not installed: the comparison with it is skipped");
const results = [];
for (const each of CASES) results.push(...(await measure(each)));
report(results);

async function measure({ verdict, pools, hosts, runs, against }) {
  const folder = join(root, "plan");
  const { file, bytes, resources } = writePlan(folder, { verdict, pools, hosts });
  const names = against.filter((name) => name !== "jq" || hasJq);
  const commands = [
    { command: [process.execPath, ROLLOUT, "check", file], expected: EXIT_CODES[verdict] },
    ...names.map((name) => ({ command: REFERENCES[name].command(file), expected: 0 })),
  ];
  const times = commands.map(() => []);
  for (let turn = 0; turn < runs; turn++) {
    for (const [index, { command, expected }] of commands.entries())
      times[index].push(await run(command, { cwd: folder, expected }));
    const last = times.map((each) => `${each.at(-1).wall.toFixed(2)} (${each.at(-1).cpu.toFixed(2)})`);
    process.stderr.write(`${resources} resources, ${verdict}: ${last.join(" / ")} s\n`);
  }
  rmSync(folder, { recursive: true });
  const [own, ...others] = times.map(summaryOf);
  return others.map((other, index) => {
    return { verdict, resources, bytes, name: names[index], most: REFERENCES[names[index]].most, own, other };
  });
}

/** @returns the seconds from start to exit, and those of CPU time */
async function run(command, { cwd, expected }) {
  const start = performance.now();
  const child = spawn("sh", ["-c", TIMED, "sh", ...command], {
    cwd,
    env: { ...process.env, CLUSTER: "cluster.yaml" },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    detached: true,
  });
  running = child;
  const [, , said, times] = child.stdio.map((stream) => stream && textOf(stream));
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const wall = (performance.now() - start) / 1000;
  running = undefined;
  if (code === expected) return { wall, cpu: cpuSeconds(await times) };
  throw new Error(`${basename(command[0])} ${command.slice(1).join(" ")} ended with ${code}: ${await said}`);
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** The sum of `0m1.23s 0m0.45s`, the times of children, below those of the shell itself. */
function cpuSeconds(times) {
  const parts = times
    .trim()
    .split("\n")
    .at(-1)
    .matchAll(/(\d+)m([\d.]+)s/g);
  return [...parts].reduce((sum, [, minutes, seconds]) => sum + 60 * minutes + Number(seconds), 0);
}

function summaryOf(runs) {
  const [walls, cpus] = [runs.map(({ wall }) => wall), runs.map(({ cpu }) => cpu)];
  return { fastest: Math.min(...walls), median: median(walls), cpu: Math.min(...cpus) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report(results) {
  const ratio = (key, { own, other }) => `${(own[key] / other[key]).toFixed(2)}x`;
  const seconds = (key, { own, other }) => `${own[key].toFixed(2)} s / ${other[key].toFixed(2)} s`;
  const rows = results.map((result) => [
    String(result.resources),
    `${(result.bytes / 1e6).toFixed(1)} MB`,
    result.verdict,
    result.name,
    ratio("fastest", result),
    ratio("median", result),
    ratio("cpu", result),
    `${result.most}x`,
    seconds("fastest", result),
    seconds("cpu", result),
  ]);
  const heading = ["resources", "plan", "verdict", "against", "fastest", "median", "CPU", "wanted"];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const all = [...heading, "fastest, check / other", "CPU, check / other"];
  console.log(`\n${[line(all), line(all.map(() => "---")), ...rows.map(line)].join("\n")}`);
  for (const result of results) {
    const { resources, name, most, own, other } = result;
    if (own.fastest <= most * other.fastest) continue;
    console.error(
      `a plan of ${resources} resources takes ${ratio("fastest", result)} ${name}; at most ${most}x is wanted`,
    );
    process.exitCode = 1;
  }
}
