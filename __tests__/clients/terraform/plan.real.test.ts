import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { makePlan, printedBy } from "../../../clients/terraform/plan.js";
import { UserError } from "../../../cluster/user-error.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-terraform-plan-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("initializes, plans and shows the plan", async () => {
  const options = await terraform(`[ "$1" = show ] && printf 'a warning\\n{"plan":1}'`);
  expect(await makePlan({ ...options, file: "out" })).toBe('{"plan":1}');
  expect(await asked()).toEqual([
    "init -input=false -no-color",
    "plan -input=false -no-color -out=out",
    "show -json out",
  ]);
});

test("takes the backend anew where that is asked for", async () => {
  const options = await terraform("");
  await makePlan({ ...options, file: "out", reconfigure: true });
  expect((await asked())[0]).toBe("init -input=false -no-color -reconfigure");
});

test.each([
  ["init", undefined, "terraform init failed: out of luck"],
  ["plan", "nothing was changed", "terraform plan failed: out of luck; nothing was changed"],
  ["show", "nothing was changed", "terraform show failed: out of luck; nothing was changed"],
])("rejects with what Terraform said when %s fails, and runs nothing more", async (step, remark, message) => {
  const options = await terraform(`[ "$1" = ${step} ] && echo "Error: out of luck." && exit 1`);
  const made = makePlan({ ...options, file: "out", ...(remark === undefined ? {} : { remark }) });
  await expect(made).rejects.toThrow(new UserError(message));
  expect((await asked()).at(-1)?.split(" ")[0]).toBe(step);
});

test("rejects with the signal's reason between two commands, and lets the first one end", async () => {
  const stop = new AbortController();
  const options = await terraform("");
  const made = makePlan({ ...options, file: "out", stop: stop.signal });
  stop.abort(new Error("stopped"));
  await expect(made).rejects.toThrow("stopped");
  expect(await asked()).toEqual(["init -input=false -no-color"]);
  await expect(printedBy(["apply"], { ...options, stop: stop.signal })).rejects.toThrow("stopped");
  expect(await asked()).toHaveLength(1);
});

/** A program that notes what it is asked, and then does this. */
async function terraform(script: string): Promise<{ cwd: string; env: Record<string, string> }> {
  const file = join(folder, "terraform");
  await writeFile(file, `#!/bin/sh\necho "$*" >> "${folder}/asked"\n${script}\nexit 0\n`);
  await chmod(file, 0o755);
  return { cwd: folder, env: { TERRAFORM_BINARY_NAME: file } };
}

const asked = async (): Promise<string[]> =>
  (await readFile(join(folder, "asked"), "utf8")).trimEnd().split("\n");
