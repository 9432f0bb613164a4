/**
 * What a host more costs: `npm run bench -- scale`, or `-- scale 10 100` for some sizes only. For each number of hosts a group:
 * the size of the state and the CPU time of Terraform's plan of one group, after the creation of the cluster and after the next
 * apply, beside those of a bare program: the same resources without depends_on, lifecycle and hooks. The run fails where a host
 * more costs more than a fifth more at one size than at another. The state is in moto's S3: beside the spec, Terraform would
 * write all of it for each resource that it makes.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startMoto } from "./moto.mjs";

const SIZES = [10, 33, 100, 300];
/** How much more a host may cost at one size than at another. */
const MOST = 1.2;
/** The CPU time of a plan is the least of so many. */
const RUNS = 3;
/** Moto checks no signature. */
const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=testing/20200101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=none";

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
const root = realpathSync(mkdtempSync(join(tmpdir(), "rollout-bench-")));
process.once("exit", () => {
  rmSync(root, { recursive: true, force: true });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

const moto = await startMoto(root, []);
const states = `${moto.env.AWS_ENDPOINT_URL}/states`;
await fetch(states, { method: "PUT" });
const env = { ...process.env, ...moto.env, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
const quiet = { ...env, PATH: `${path("__tests__/support/node-stand-in")}:${env.PATH}` };

const chosen = process.argv.slice(3).map(Number);
const rows = [];
for (const hosts of chosen.length > 0 ? chosen : SIZES) {
  const ours = await measure(hosts, (stack) => stack);
  const bare = await measure(hosts, bareOf);
  rows.push({ hosts, ours, bare });
  process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
}

moto.stop();

const figures = {
  "state, created": ({ created }) => created.bytes / 1000,
  "state, next apply": ({ next }) => next.bytes / 1000,
  "plan, created": ({ created }) => created.cpu * 1000,
  "plan, next apply": ({ next }) => next.cpu * 1000,
};
const units = { state: "kB", plan: "ms" };
console.log("what a host more costs, from one size to the next");
console.log(
  ["".padEnd(28), ...rows.slice(1).map(({ hosts }) => `to ${hosts}`.padStart(9)), "spread".padStart(9)].join(
    "",
  ),
);
for (const [name, figure] of Object.entries(figures)) {
  for (const who of ["ours", "bare"]) {
    const costs = rows
      .slice(1)
      .map(
        (row, index) => (figure(row[who]) - figure(rows[index][who])) / (3 * (row.hosts - rows[index].hosts)),
      );
    const spread = Math.max(...costs) / Math.min(...costs);
    const title = `${name}, ${who} (${units[name.split(",")[0]]})`;
    console.log(
      [
        title.padEnd(28),
        ...costs.map((cost) => cost.toFixed(2).padStart(9)),
        `${spread.toFixed(2)}x`.padStart(9),
      ].join(""),
    );
    if (who === "ours" && !(spread <= MOST)) {
      console.error(
        `${name}: a host costs ${spread.toFixed(2)} times as much at one size as at another; ${MOST} is the most`,
      );
      process.exitCode = 1;
    }
  }
}

/** A cluster of three groups of so many hosts, with volumes and a load balancer, created and then rolled in one group. */
async function measure(hosts, change) {
  const folder = mkdtempSync(join(root, "cluster-"));
  const key = basename(folder);
  const views = join(folder, "cdktf.out", "demo");
  const synth = async (view, images) => {
    writeFileSync(join(folder, "cluster.yaml"), specText(hosts, images, key));
    await run(process.execPath, [path("dist/main.js")], {
      env: {
        ...env,
        CLUSTER: join(folder, "cluster.yaml"),
        CDKTF_OUTDIR: join(folder, "cdktf.out"),
        ROLLOUT_CAUSE: "bench",
      },
    });
    const file = join(views, view, "cdk.tf.json");
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")))));
    await run(terraform, ["init", "-input=false", "-reconfigure"], { cwd: join(views, view), env });
  };
  const apply = (view) =>
    run(terraform, ["apply", "-auto-approve", "-parallelism=30"], {
      cwd: join(views, view),
      env: quiet,
      maxBuffer: 2 ** 28,
    });
  const look = async (view) => {
    const seconds = [];
    for (let count = 0; count < RUNS; count++)
      seconds.push(await cpuOf(["plan", "-input=false", "-out=plan"], join(views, view)));
    const state = await fetch(`${states}/${key}`, { headers: { authorization: AUTHORIZATION } });
    return { bytes: (await state.arrayBuffer()).byteLength, cpu: Math.min(...seconds) };
  };
  await synth("cluster", ["v1", "v1", "v1"]);
  await apply("cluster");
  await synth("broker-0", ["v2", "v1", "v1"]);
  const created = await look("broker-0");
  await apply("broker-0");
  await synth("broker-1", ["v2", "v2", "v1"]);
  const next = await look("broker-1");
  rmSync(folder, { recursive: true });
  return { created, next };
}

/** The CPU time of Terraform and all that it starts, in seconds: a shell measures, since Node does not. */
async function cpuOf(args, cwd) {
  const { stderr } = await run(
    "bash",
    ["-c", 'TIMEFORMAT="%U %S"; time "$@" >/dev/null', "bash", terraform, ...args],
    { cwd, env },
  );
  const [user, system] = stderr.trim().split("\n").at(-1).split(" ").map(Number);
  return user + system;
}

function bareOf(stack) {
  for (const blocks of Object.values(stack.resource))
    for (const block of Object.values(blocks))
      for (const key of ["depends_on", "lifecycle", "provisioner"]) delete block[key];
  return stack;
}

function specText(hosts, images, key) {
  const three = (value) => [value, value, value];
  const server = { images: three("v1"), instanceTypes: three("small") };
  return JSON.stringify({
    name: "demo",
    platform: "local",
    local: { agents: "none" },
    backend: { type: "s3", bucket: "states", key, region: "eu-west-1", usePathStyle: true },
    pools: {
      "consul-server": server,
      "nomad-server": server,
      broker: {
        ...server,
        images,
        hosts: three(hosts),
        dataVolumes: three({ sizeGib: 10 }),
        loadBalancer: { port: 9876 },
      },
    },
  });
}
