/**
 * Compares synth with a bare cdktf program that declares the same resources: `npm run bench`. Every synth is a process
 * of its own, ours and the bare one by turns; what counts is the ratio of each pair, of which the median is shown. A
 * comparison is void, and the run fails, when the two did not write the same.
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { poolsOf } from "../dist/cluster/groups.js";
import { loadSpec } from "../dist/cluster/yaml/load.js";
import { rollText, specText } from "./clusters.mjs";
import { deployedOf } from "./deployed.mjs";

const MOST_WALL = 1.3;

const CASES = [
  { view: "cluster", hosts: 12, pairs: 15 },
  { view: "cluster", hosts: 36, pairs: 15 },
  { view: "cluster", hosts: 360, pairs: 7 },
  { view: "cluster", hosts: 3600, pairs: 5 },
  { view: "broker-0", hosts: 12, pairs: 15 },
  { view: "broker-0", hosts: 36, pairs: 15 },
  { view: "broker-0", hosts: 360, pairs: 7 },
  { view: "broker-0", hosts: 3600, pairs: 5 },
];

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const results = [];
for (const each of chosen()) results.push(await measure(each));
report(results);

/** `npm run bench -- 360` measures that size alone. */
function chosen() {
  const sizes = process.argv.slice(2).map(Number);
  return CASES.filter(({ hosts }) => sizes.length === 0 || sizes.includes(hosts));
}

async function measure({ view, hosts, pairs }) {
  const folder = prepare(view, hosts);
  const ours = [];
  const bare = [];
  for (let pair = 0; pair < pairs; pair++) {
    ours.push(await run("ours", folder));
    bare.push(await run("bare", folder));
    if (pair === 0) compare(folder, view);
    process.stderr.write(
      `${view} ${hosts}: ${ours[pair].seconds.toFixed(2)} s, bare ${bare[pair].seconds.toFixed(2)} s\n`,
    );
  }
  rmSync(folder, { recursive: true });
  const ratio = (value) => median(ours.map((each, pair) => value(each) / value(bare[pair])));
  return {
    view,
    hosts,
    wall: ratio(({ seconds }) => seconds),
    cpu: ratio(({ cpuSeconds }) => cpuSeconds),
    memory: ratio(({ kilobytes }) => kilobytes),
    ours: medians(ours),
    bare: medians(bare),
  };
}

/** Writes what both are to synthesize: a spec and what is deployed for ours, and the values of these for the bare program. */
function prepare(view, hosts) {
  const folder = join(root, `${view}-${hosts}`);
  mkdirSync(folder);
  const text = view === "cluster" ? specText(hosts) : rollText(hosts);
  writeFileSync(join(folder, "cluster.yaml"), text);
  writeFileSync(join(folder, "view"), view);
  const stackFolder = join(folder, "ours", "demo", view);
  const spec = specOf(text);
  const rolledOut = specOf(specText(hosts));
  const before = poolsOf(rolledOut).flatMap(({ groups }) => groups);
  const { groups, addresses, ...rest } = deployedOf(rolledOut);
  writeFileSync(
    join(folder, "deployed.json"),
    JSON.stringify({ ...rest, groups: [...groups], addresses: [...addresses] }),
  );
  const pools = poolsOf(spec).map((pool) => ({
    ...pool,
    groups: pool.groups.map((group) => {
      const { image, hash } = before.find(({ name }) => name === group.name);
      return { ...group, before: { image, hash } };
    }),
  }));
  const bare = {
    view,
    spec,
    pools,
    specFolder: relative(stackFolder, folder),
    program: relative(stackFolder, program()),
    cause: "bench",
  };
  writeFileSync(join(folder, "bare.json"), JSON.stringify(bare));
  return folder;
}

/** What the hooks call. */
function program() {
  const { bin } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return realpathSync(fileURLToPath(new URL(`../${bin.rollout}`, import.meta.url)));
}

function specOf(text) {
  return loadSpec(Buffer.from(text), "cluster.yaml");
}

/** @returns wall time from start to exit, CPU time and peak memory */
async function run(who, folder) {
  const child = fileURLToPath(new URL("child.mjs", import.meta.url));
  const start = performance.now();
  const process_ = spawn(process.execPath, [child, who, folder], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  process_.stdout.on("data", (chunk) => (printed += String(chunk)));
  const code = await new Promise((resolve) => process_.once("close", resolve));
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${who} failed with exit code ${code}`);
  return { seconds, ...JSON.parse(printed.trim().split("\n").at(-1)) };
}

/** @throws Error when the two programs did not declare the same */
function compare(folder, view) {
  const ours = flatten(JSON.parse(readFileSync(join(folder, "ours", "demo", view, "cdk.tf.json"), "utf8")));
  const bare = flatten(JSON.parse(readFileSync(join(folder, "bare", "stacks", view, "cdk.tf.json"), "utf8")));
  const addresses = new Set([...ours.keys(), ...bare.keys()]);
  const different = [...addresses].filter(
    (address) => !isDeepStrictEqual(ours.get(address), bare.get(address)),
  );
  if (different.length === 0) return;
  const [first] = different;
  throw new Error(
    `the comparison is void: ${different.length} of ${addresses.size} differ, first ${first}:\nours ${JSON.stringify(ours.get(first))}\nbare ${JSON.stringify(bare.get(first))}`,
  );
}

/** Every block of a stack by its address, without cdktf's notes on where it was declared. */
function flatten(stack) {
  const blocks = new Map();
  for (const [section, body] of Object.entries(stack)) {
    if (section === "//") continue;
    if (section !== "resource" && section !== "data") {
      blocks.set(section, body);
      continue;
    }
    for (const [type, byName] of Object.entries(body)) {
      for (const [name, attributes] of Object.entries(byName)) {
        delete attributes["//"];
        blocks.set(`${section}.${type}.${name}`, attributes);
      }
    }
  }
  return blocks;
}

function medians(runs) {
  return Object.fromEntries(
    ["seconds", "cpuSeconds", "kilobytes"].map((key) => [key, median(runs.map((each) => each[key]))]),
  );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report(results) {
  const ratio = (value) => `${value.toFixed(2)}x`;
  const seconds = (value) => `${value.toFixed(2)} s`;
  const megabytes = (value) => `${(value / 1024).toFixed(0)} MB`;
  const each = (write, key, { ours, bare }) => `${write(ours[key])} / ${write(bare[key])}`;
  const rows = results.map((result) => [
    result.view,
    String(result.hosts),
    ratio(result.wall),
    ratio(result.cpu),
    ratio(result.memory),
    each(seconds, "seconds", result),
    each(seconds, "cpuSeconds", result),
    each(megabytes, "kilobytes", result),
  ]);
  const heading = ["view", "hosts", "wall", "CPU", "peak memory", "wall, ours / bare", "CPU, ours / bare"];
  print([...heading, "peak memory, ours / bare"], rows);
  const growth = ["cluster", "broker-0"].flatMap((view) => growthOf(view, results));
  if (growth.length > 0) print(["view", "hosts", "CPU per further host, ours", "bare"], growth);
  for (const { view, hosts, wall } of results.filter(({ wall }) => wall > MOST_WALL)) {
    console.error(
      `${view} of ${hosts} hosts takes ${ratio(wall)} the bare program; at most ${ratio(MOST_WALL)} is wanted`,
    );
    process.exitCode = 1;
  }
}

/**
 * What one more host costs between two sizes: no more at the larger step, where growth is linear. In CPU time, which other
 * work on the machine disturbs least; among the smallest clusters the start of the process hides what a host costs.
 */
function growthOf(view, results) {
  const own = results.filter((each) => each.view === view && each.hosts >= 36);
  return own.slice(1).map((each, index) => {
    const before = own[index];
    const cost = (who) => (each[who].cpuSeconds - before[who].cpuSeconds) / (each.hosts - before.hosts);
    const milliseconds = (who) => `${(1000 * cost(who)).toFixed(2)} ms`;
    return [view, `${before.hosts} to ${each.hosts}`, milliseconds("ours"), milliseconds("bare")];
  });
}

function print(heading, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  console.log(`\n${[line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n")}`);
}
