import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.js";
import { findFleet } from "./find-fleet.js";
import { findSshd } from "./find-sshd.js";
import { prepareConsul, prepareNomad } from "./prepare-agents.js";
import { prepareExt4 } from "./prepare-ext4.js";
import { prepareKafka, prepareRocketmq } from "./prepare-jars.js";
import { prepareMoto } from "./prepare-moto.js";
import { prepareProviders } from "./prepare-providers.js";
import { prepareTerraform, prepareTofu } from "./prepare-terraform.js";
import { cacheFolder, writeWhole } from "./prepared.js";
import type { Prepared } from "./prepared.js";

let prepared: Promise<Prepared> | undefined;

/**
 * Finds or makes what the tests with real programs need. The first test file of a run that asks does the work; the others, in
 * whatever process, wait for it and read its result. Test files that never ask cost nothing.
 */
export function prepareOnce(): Promise<Prepared> {
  prepared ??= withLock(join(cacheFolder, "lock"), async () => {
    const file = resultFile();
    if (file !== undefined && existsSync(file)) return JSON.parse(await readFile(file, "utf8")) as Prepared;
    const result = await prepare();
    if (file !== undefined) await writeWhole(file, JSON.stringify(result));
    return result;
  });
  return prepared;
}

async function prepare(): Promise<Prepared> {
  const [[terraform, tofu, providers], moto, consul, nomad, ext4, sshd] = await Promise.all([
    prepareTerraformAndProviders(),
    prepareMoto(),
    prepareConsul(),
    prepareNomad(),
    prepareExt4(),
    findSshd(),
  ]);
  // One Maven at a time: both write to the same repository of the user.
  const kafka = await prepareKafka();
  const rocketmq = await prepareRocketmq();
  return {
    terraform,
    tofu,
    ...providers,
    moto,
    consul,
    nomad,
    ext4,
    sshd,
    fleet: findFleet(),
    kafka,
    rocketmq,
  };
}

async function prepareTerraformAndProviders() {
  const terraform = await prepareTerraform();
  return [terraform, await prepareTofu(terraform), await prepareProviders(terraform)] as const;
}

/** `global-setup.mjs` names a folder for each run. Without one, this process keeps the result to itself. */
function resultFile(): string | undefined {
  const run = process.env["ROLLOUT_TEST_RUN"];
  return run === undefined ? undefined : join(run, "prepared.json");
}
