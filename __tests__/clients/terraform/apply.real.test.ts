import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { ApplyEvent } from "../../../clients/terraform/apply-stream.js";
import { type Applied, applyPlan } from "../../../clients/terraform/apply.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-apply-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test("An apply tells of each resource while it runs, and keeps what is no event", async () => {
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
  const applied = await apply(env, (event) => {
    events.push(event);
    if (event.kind === "started") void writeFile(go, "");
  });
  const [address, action] = ["terraform_data.broker-0-0", "delete"];
  expect(events).toEqual([
    { kind: "text", text: "OpenTofu warns of something" },
    { kind: "text", text: "{ no JSON" },
    { kind: "started", address, action, at: 1767225601000 },
    { kind: "lasts", address, action, seconds: 0 },
    { kind: "done", address, action, at: 1767225602500 },
    { kind: "started", address: "data.x.y", action: "read", at: 1767225600000 },
  ]);
  expect(applied).toEqual({
    exitCode: 0,
    errors: [],
    failed: [],
    texts: ["OpenTofu warns of something", "{ no JSON"],
  });
});

test("An apply that fails gives what Terraform and the hook said", async () => {
  const error = JSON.stringify({
    type: "diagnostic",
    "@level": "error",
    "@message": "Error: local-exec provisioner error",
    "@timestamp": "2026-01-01T00:00:01.000Z",
    diagnostic: { severity: "error", summary: "s", detail: "broker-0 is not ready after 900 s " },
  });
  const env = await terraform(`printf '%s\\n' '${error}'\nexit 1`);
  const { exitCode, errors } = await apply(env);
  expect(exitCode).toBe(1);
  expect(errors).toEqual([{ kind: "error", summary: "s", detail: "broker-0 is not ready after 900 s " }]);
  expect(await readFile(join(folder, "log"), "utf8")).toBe(`${error}\n`);
});

test("Terraform gets one signal, and is waited for", async () => {
  const asked = join(folder, "asked");
  const env = await terraform(
    `trap 'echo asked >> ${asked}' TERM INT\necho '${line("apply_start", hook("terraform_data.x", "create"))}'\nfor i in 1 2 3 4 5 6 7 8 9; do [ -e ${asked} ] && break; sleep 1; done\necho ended >> ${asked}\nexit 1`,
  );
  const stop = new AbortController();
  const { exitCode } = await apply(
    env,
    () => {
      stop.abort();
    },
    stop.signal,
  );
  expect(exitCode).toBe(1);
  expect(await readFile(asked, "utf8")).toBe("asked\nended\n");
});

const apply = (
  env: Record<string, string>,
  onEvent: (event: ApplyEvent) => void = () => undefined,
  stop = new AbortController().signal,
): Promise<Applied> =>
  applyPlan({ cwd: folder, plan: join(folder, "plan"), env, log: join(folder, "log"), onEvent, stop });

/** A shell script in the place of Terraform. */
async function terraform(script: string): Promise<Record<string, string>> {
  const file = join(folder, "terraform");
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { TERRAFORM_BINARY_NAME: file };
}

const hook = (addr: string, action: string) => ({ hook: { action, resource: { addr } } });

const line = (type: string, more: object, time = "2026-01-01T00:00:00.000Z"): string =>
  JSON.stringify({ type, "@level": "info", "@message": "m", "@timestamp": time, ...more });
