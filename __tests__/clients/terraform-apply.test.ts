import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { applyPlan, type ApplyEvent } from "../../clients/terraform-apply.js";
import { UserError } from "../../spec/user-error.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-apply-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("An apply tells of each resource while it runs, and of nothing else that Terraform says", async () => {
  // What Terraform says second it says only once the first has been told of.
  const go = join(folder, "go");
  const lines = [
    "OpenTofu warns of something",
    "{ no JSON",
    line("version", {}),
    line("apply_start", hook("terraform_data.broker-0-0", "delete"), "2026-01-01T00:00:01.000Z"),
  ];
  const rest = [
    line("apply_progress", hook("terraform_data.broker-0-0", "delete")),
    line("apply_complete", hook("terraform_data.broker-0-0", "delete"), "2026-01-01T00:00:02.500Z"),
    line("apply_start", hook("data.x.y", "read")),
  ];
  const env = await terraform(
    `printf '%s\\n' '${lines.join("' '")}'\nfor i in 1 2 3 4 5 6 7 8 9; do [ -e ${go} ] && break; sleep 1; done\n[ -e ${go} ] || exit 1\nprintf '%s\\n' '${rest.join("' '")}'`,
  );
  const events: ApplyEvent[] = [];
  await applyPlan("plan", { cwd: folder, env }, (event) => {
    events.push(event);
    if (events.length === 1) void writeFile(go, "");
  });
  expect(events).toEqual([
    { address: "terraform_data.broker-0-0", action: "delete", what: "started", at: 1767225601000 },
    { address: "terraform_data.broker-0-0", action: "delete", what: "done", at: 1767225602500 },
  ]);
});

test("An apply that fails rejects with what Terraform and the hook said", async () => {
  const error = JSON.stringify({
    type: "diagnostic",
    "@level": "error",
    "@message": "Error: local-exec provisioner error",
    "@timestamp": "2026-01-01T00:00:01.000Z",
    diagnostic: { severity: "error", summary: "s", detail: "broker-0 is not ready after 900 s " },
  });
  const env = await terraform(`printf '%s\\n' '${error}'\nexit 1`);
  const failure: unknown = await applyPlan("plan", { cwd: folder, env }, () => undefined).catch(
    (reason: unknown) => reason,
  );
  expect(failure).toBeInstanceOf(UserError);
  expect(String(failure)).toBe(
    "UserError: terraform apply failed: Error: local-exec provisioner error\nbroker-0 is not ready after 900 s",
  );
});

test("Terraform in a process group of its own gets one signal, and is waited for", async () => {
  const log = join(folder, "log");
  const env = await terraform(
    `trap 'echo asked >> ${log}' TERM INT\necho '${line("apply_start", hook("terraform_data.x", "create"))}'\nfor i in 1 2 3 4 5 6 7 8 9; do [ -e ${log} ] && break; sleep 1; done\necho ended >> ${log}\nexit 1`,
  );
  const end = new AbortController();
  const applying = applyPlan("plan", { cwd: folder, env, end: end.signal, ownGroup: true }, () => {
    end.abort();
  });
  await expect(applying).rejects.toThrow("terraform apply failed");
  expect(await readFile(log, "utf8")).toBe("asked\nended\n");
});

/** A shell script in the place of Terraform. */
async function terraform(script: string): Promise<Record<string, string>> {
  const file = join(folder, "terraform");
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { TERRAFORM_BINARY_NAME: file };
}

const hook = (addr: string, action: string) => ({ hook: { action, resource: { addr } } });

const line = (type: string, more: object, time = "2026-01-01T00:00:00.000Z"): string =>
  JSON.stringify({ type, "@level": "info", "@message": "m", "@timestamp": time, ...more });
