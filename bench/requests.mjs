/**
 * Counts what the plan of one group asks of AWS: `npm run bench -- requests`, or `-- requests 1 10` for some sizes only. The
 * cluster stands in moto; the driver's plan and a plain `terraform plan` of the same view are made by turns, and the times
 * are medians. `TIMES=5` says how often (default 1).
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ViewPlanner } from "../dist/driver/plan-view.js";
import { refuseStrays } from "../dist/program/strays.js";
import { startMoto } from "./moto.mjs";

const DONE_BEFORE = { 1: [161, 25], 10: [512, 142], 100: [4022, 1312] };
const GROUP = "broker-0";
const TIMES = Number(process.env.TIMES ?? "1");
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const HOOKS_STAND_IN = new URL("../__tests__/support/hooks-stand-in.mjs", import.meta.url).href;

const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const chosen = process.argv.slice(3).map(Number);
const sizes = chosen.length > 0 ? chosen : [1, 10, 100];
const rows = [];
for (const hosts of sizes) {
  const row = await measure(hosts);
  const [full, targeted] = DONE_BEFORE[hosts] ?? [];
  rows.push([
    hosts,
    row.resources,
    row.plain.requests,
    row.driver.requests,
    row.stray,
    row.plain.seconds.toFixed(1),
    row.driver.seconds.toFixed(1),
  ]);
  process.stderr.write(`${JSON.stringify({ hosts, ...row, full, targeted })}\n`);
  if (targeted !== undefined && row.driver.requests > targeted) {
    console.error(
      `${GROUP} of ${String(hosts)} hosts: ${String(row.driver.requests)} requests; at most ${String(targeted)} are wanted`,
    );
    process.exitCode = 1;
  }
}
const heading = [
  "hosts a group",
  "resources",
  "terraform plan",
  "driver's plan",
  "stray machines",
  "terraform plan, s",
  "driver's plan, s",
];
const line = (cells) => `| ${cells.join(" | ")} |`;
console.log([line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n"));

async function measure(hosts) {
  const folder = join(root, String(hosts));
  mkdirSync(join(folder, "plugins"), { recursive: true });
  const moto = await startMoto(folder, ["ami-0aaa", "ami-0bbb"]);
  try {
    const { vpcId, subnetIds } = await moto.network();
    const specFile = join(folder, "cluster.yaml");
    const write = (image) => writeFileSync(specFile, specText({ hosts, image, vpcId, subnetIds }));
    const own = {
      ...moto.env,
      CLUSTER: specFile,
      CDKTF_OUTDIR: join(folder, "out"),
      ROLLOUT_CAUSE: "bench",
      TF_PLUGIN_CACHE_DIR: join(folder, "plugins"),
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      ...mirror(),
    };
    Object.assign(process.env, own);
    const stackOf = (view) => join(folder, "out", "demo", view);
    const run = (cwd, file, args, env = {}) =>
      promisify(execFile)(file, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 1e9 });
    write("ami-0aaa");
    await run(folder, process.execPath, [path("dist/main.js")]);
    await run(stackOf("cluster"), "terraform", ["init", "-input=false"]);
    await run(
      stackOf("cluster"),
      "terraform",
      ["apply", "-input=false", "-auto-approve", "-parallelism=30"],
      {
        NODE_OPTIONS: `--import=${HOOKS_STAND_IN}`,
      },
    );
    const { resources } = JSON.parse(readFileSync(join(folder, "terraform.demo.tfstate"), "utf8"));
    write("ami-0bbb");
    await run(folder, process.execPath, [path("dist/main.js")]);
    await run(stackOf(GROUP), "terraform", ["init", "-input=false"]);
    const counted = async (action) => {
      moto.count();
      const begun = performance.now();
      const value = await action();
      return { requests: moto.count(), seconds: (performance.now() - begun) / 1000, value };
    };
    const turns = [];
    for (let turn = 0; turn < TIMES; turn++) {
      const plain = await counted(() =>
        run(stackOf(GROUP), "terraform", ["plan", "-input=false", "-out=plan"]),
      );
      const planner = new ViewPlanner(
        { env: process.env, folder, stop: new AbortController().signal },
        GROUP,
      );
      turns.push({ plain, driver: await counted(() => planner.plan("closed")) });
    }
    const [{ plain, driver }] = turns;
    const median = (who) => turns.map((turn) => turn[who].seconds).sort((a, b) => a - b)[TIMES >> 1];
    const { value, requests: stray } = await counted(() => refuseStrays(driver.value.program, GROUP));
    if (value.length > 0) throw new Error(`the comparison is void: ${value.join(", ")}`);
    const of = (who, { requests }) => ({ requests, seconds: median(who) });
    return { resources: resources.length, plain: of("plain", plain), driver: of("driver", driver), stray };
  } finally {
    moto.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The providers that the tests prepare, where they have; else Terraform's own settings. */
function mirror() {
  const file = path(".cache/tests/registry.terraform.io.tfrc");
  return existsSync(file) ? { TF_CLI_CONFIG_FILE: file } : {};
}

/** `cluster.example.yaml` in a network that exists. Moto starts no machine whose root device has no size. */
function specText({ hosts, image, vpcId, subnetIds }) {
  const replaced = (text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the example does not contain ${from}`);
    return text.replace(from, to);
  };
  const text = [
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    ["instanceProfile: demo-agents", "instanceProfile: demo-agents\n  providerVersion: 5.100.0"],
    ["hosts: [3, 3, 3]", `hosts: [${String(hosts)}, ${String(hosts)}, ${String(hosts)}]`],
  ].reduce(replaced, readFileSync(path("cluster.example.yaml"), "utf8"));
  const [before, brokers] = text.split(/(?=^ {2}broker:)/m);
  return (before + brokers.replace("images: [ami-0aaa", `images: [${image}`)).replace(
    /^ {4}images: .*$/gm,
    "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]",
  );
}
