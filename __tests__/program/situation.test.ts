import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readSituation } from "../../program/situation.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { locked, storeIn } from "../support/run-records.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-situation-"));
  writeFileSync(join(folder, "cluster.yaml"), LOCAL_EXAMPLE);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run = async () => (await readSituation({ CLUSTER: join(folder, "cluster.yaml") }, 0)).run;

/** As Terraform notes who holds the lock of a state. */
const note = (Who: string, Operation = "OperationTypeApply"): void => {
  const said = {
    ID: "dfaa1eaf",
    Operation,
    Who,
    Version: "1.11.4",
    Created: "2026-11-21T09:12:01.085075489Z",
  };
  writeFileSync(join(folder, ".terraform.demo.tfstate.lock.info"), JSON.stringify(said));
};

test("an apply of Terraform alone is a run, and no other of its commands is", async () => {
  expect(await run()).toBeUndefined();
  note("ann@elsewhere", "OperationTypePlan");
  expect(await run()).toBeUndefined();
  note("ann@elsewhere");
  expect(await run()).toEqual({
    by: "ann@elsewhere",
    since: "2026-11-21T09:12:01.085Z",
    pid: undefined,
    command: "Terraform alone",
  });
});

test("a run that holds the cluster's own lock comes before its Terraform", async () => {
  note("ann@elsewhere");
  const lock = await locked(storeIn(folder), "rollout deploy broker-0");
  expect(await run()).toMatchObject({ command: "rollout deploy broker-0", pid: process.pid });
  await lock.release();
});

test("a Terraform of this machine that was killed has left its note, and no lock", async () => {
  // Linux alone lists who holds a lock.
  if (process.platform !== "linux") return;
  writeFileSync(
    join(folder, "terraform.demo.tfstate"),
    '{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"a","outputs":{},"resources":[]}',
  );
  note(`ann@${hostname()}`);
  expect(await run()).toBeUndefined();
});
