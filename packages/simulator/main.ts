import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { parseClusterFile } from "./http/cluster-file.js";
import { controlOf, machinesOf } from "./http/control.js";
import { listen } from "./http/listen.js";
import { announce } from "./http/announce.js";
import { startSimulator } from "./http/simulator.js";

/**
 * The simulator as a process: `node dist/bin/simulator.js --file cluster.json [--factor 0.01] [--with-parent]`. Prints
 * one line of JSON, `{"control", "machines"}`, and runs until SIGINT or SIGTERM, or until its parent has ended.
 *
 * With `--announce FILE` in place of `--file` it begins without machines, its time is that of the clock on the wall, and
 * it writes into that file where it is found. It runs until the file is gone, or another simulator's.
 */
const { values } = parseArgs({
  options: {
    file: { type: "string" },
    announce: { type: "string" },
    factor: { type: "string", default: "1" },
    "with-parent": { type: "boolean", default: false },
  },
});
const factor = Number(values.factor);
if ((values.file === undefined) === (values.announce === undefined) || !(factor > 0)) {
  process.stderr.write(
    "usage: simulator.js --file cluster.json | --announce FILE [--factor 0.01] [--with-parent]\n",
  );
  process.exit(2);
}

const { options, jobs } =
  values.file === undefined
    ? { options: { epoch: new Date() }, jobs: [] }
    : parseClusterFile(await readFile(values.file, "utf8"));
const simulator = await startSimulator({ ...options, factor, clock: "real" });
for (const job of jobs)
  simulator.do(() => {
    simulator.cluster.runJob(job);
  });
const control = await listen(controlOf(simulator));

const end = (): void => {
  void Promise.all([control.close(), simulator.close()]).then(() => process.exit(0));
};
process.once("SIGINT", end);
process.once("SIGTERM", end);
if (values["with-parent"]) {
  const parent = process.ppid;
  setInterval(() => {
    // An orphan is given to another process.
    if (process.ppid !== parent) end();
  }, 200);
}
const url = `http://127.0.0.1:${String(control.port)}`;
if (values.announce !== undefined && "epoch" in options) {
  const { epoch } = options;
  await announce(
    values.announce,
    { control: url, pid: process.pid, since: epoch.toISOString(), factor },
    end,
  );
}
process.stdout.write(`${JSON.stringify({ control: url, ...machinesOf(simulator) })}\n`);
