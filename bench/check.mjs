/**
 * Compares `rollout check PLAN` with what reads the same bytes and judges nothing: `npm run bench`, or this alone:
 * `node bench/check.mjs` after a build. All are whole processes that run by turns; what counts is the ratio of their
 * fastest and of their median runs. The run fails when a plan is not accepted, or a target is missed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
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

const CASES = [
  { pools: 1, hosts: [1, 1, 1], runs: 15, against: ["node -e 0"] },
  { pools: 344, hosts: [2, 2, 1], runs: 5, against: ["JSON.parse", "jq"] },
  { pools: 20, hosts: [42, 42, 41], runs: 5, against: ["JSON.parse", "jq"] },
  { pools: 75, hosts: [42, 42, 41], runs: 3, against: ["JSON.parse", "jq"] },
];

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-check-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const hasJq = spawnSync("jq", ["--version"]).status === 0;
if (!hasJq) console.error("jq is not installed: the comparison with it is skipped");
report(CASES.flatMap(measure));

function measure({ pools, hosts, runs, against }) {
  const folder = join(root, "plan");
  const { file, bytes, resources } = writePlan(folder, { verdict: "accepted", pools, hosts });
  const check = [process.execPath, ROLLOUT, "check", file];
  const names = against.filter((name) => name !== "jq" || hasJq);
  const commands = [check, ...names.map((name) => REFERENCES[name].command(file))];
  const times = commands.map(() => []);
  for (let turn = 0; turn < runs; turn++) {
    for (const [index, command] of commands.entries()) times[index].push(run(command));
    process.stderr.write(
      `${resources} resources: ${times.map((each) => each.at(-1).toFixed(2)).join(" / ")} s\n`,
    );
  }
  rmSync(folder, { recursive: true });
  const [own, ...others] = times;
  return others.map((other, index) => ({
    resources,
    bytes,
    name: names[index],
    most: REFERENCES[names[index]].most,
    fastest: [Math.min(...own), Math.min(...other)],
    median: [median(own), median(other)],
  }));
}

/** @returns the seconds from start to exit */
function run([program, ...args]) {
  const cwd = dirname(args.find((arg) => arg.endsWith(".json")) ?? join(root, "-"));
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, CLUSTER: "cluster.yaml" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const seconds = (performance.now() - start) / 1000;
  if (status === 0) return seconds;
  throw new Error(`${basename(program)} ${args.join(" ")} ended with ${status}: ${stderr}`);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report(results) {
  const ratio = ([own, other]) => `${(own / other).toFixed(2)}x`;
  const seconds = (values) => values.map((value) => `${value.toFixed(2)} s`).join(" / ");
  const rows = results.map(({ resources, bytes, name, most, fastest, median }) => [
    String(resources),
    `${(bytes / 1e6).toFixed(1)} MB`,
    name,
    ratio(fastest),
    ratio(median),
    `${most}x`,
    seconds(fastest),
    seconds(median),
  ]);
  const heading = ["resources", "plan", "against", "fastest", "median", "at most"];
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const all = [...heading, "fastest, check / other", "median, check / other"];
  console.log(`\n${[line(all), line(all.map(() => "---")), ...rows.map(line)].join("\n")}`);
  for (const { resources, name, most, fastest } of results) {
    if (fastest[0] <= most * fastest[1]) continue;
    console.error(
      `a plan of ${resources} resources takes ${ratio(fastest)} ${name}; at most ${most}x is wanted`,
    );
    process.exitCode = 1;
  }
}
