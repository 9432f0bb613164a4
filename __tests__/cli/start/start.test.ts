import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { readEvents } from "../../../cli/start/deploy.js";
import { changedLines, formatCreation, formatRoll, labelled } from "../../../cli/start/text.js";
import { wrap } from "../../../cli/wrap.js";
import { describeReal } from "../../support/environment.js";

const START = fileURLToPath(new URL("../../../dist/cli/start/start.js", import.meta.url));

/** The parent of the scratch folder, so that what is left behind is seen. */
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-start-test-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describeReal("The walk-through of npm start", ["terraform"], ({ env, terraform }) => {
  test("creates a cluster, rolls two groups, is refused, and leaves nothing behind", async () => {
    const { exitCode, stdout, stderr } = await start(env);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain("\u001b");
    const told = withoutTimes(stdout);
    expect(told).toContain("Terraform: 109 resources to add");
    expect(told).toContain("broker-0: 3 machines are replaced (ami-0aaa -> ami-0bbb)");
    expect(told).toContain("new ids: broker-0-0, broker-0-1, broker-0-2;");
    expect(told).toContain("data volumes that were changed or replaced: 0");
    expect(told).toContain("new ids: consul-server-1-0;");
    expect(told).toContain("18 of 18 config_consul were refreshed; 18 name the new server");
    expect(told).toContain("All four steps did what they should");
    expect(told.slice(told.indexOf("4. "), told.indexOf("All four"))).toMatchInlineSnapshot(`
     "4. Change two groups at once

        command   npx rollout set image name-server-2=ami-0ccc broker-1=ami-0ccc
        spec      line 24, name-server:
                   - images: [ami-0aaa, ami-0aaa, ami-0aaa]
                   + images: [ami-0aaa, ami-0aaa, ami-0ccc]
                  line 36, broker:
                   - images: [ami-0bbb, ami-0aaa, ami-0aaa]
                   + images: [ami-0bbb, ami-0ccc, ami-0aaa]
        command   npx cdktf list
        refused   one-group: 2 groups are pending, one may be: broker-1 (ami-0aaa ->
                  ami-0ccc), name-server-2 (ami-0aaa -> ami-0ccc); set all but one
                  back, or set rollout.pendingGroups: queue to roll them one after
                  another
        result    synth fails after N s: nothing is planned, nothing is deployed

     "
    `);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ["SIGINT", "1. "],
    ["SIGTERM", "2. "],
  ] as const)("ends by %s in step %s with nothing left behind", async (signal, when) => {
    const run = start(env);
    await printed(run, when);
    run.kill(signal);
    const { exitCode, stderr } = await run;
    expect({ exitCode, stderr }).toEqual({
      exitCode: 130,
      stderr: "\nstopped; the scratch folder is removed",
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("fails with what Terraform said, and leaves nothing behind", async () => {
    const TERRAFORM_BINARY_NAME = await program(`#!/bin/sh
[ "$1" = plan ] && echo "Error: out of luck" >&2 && exit 1
exec "${terraform}" "$@"
`);
    const { exitCode, stderr } = await start({ ...env, TERRAFORM_BINARY_NAME });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "terraform plan failed: out of luck" });
    expect(await readdir(folder)).toEqual(["terraform"]);
  });

  test("fails with what differed when a machine of another group got a new id", async () => {
    const TERRAFORM_BINARY_NAME = await program(`#!/bin/sh
"${terraform}" "$@" || exit
case "$PWD $1" in (*/broker-0" apply")
  sed -i.old '/"name": "name-server-1-0",/,/"id":/ s/"id": "[^"]*"/"id": "another"/' ../../../terraform.demo.tfstate
esac
`);
    const { exitCode, stdout, stderr } = await start({ ...env, TERRAFORM_BINARY_NAME });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "step 2 did not do what it should" });
    expect(stdout.slice(stdout.indexOf("   differs"))).toMatchInlineSnapshot(`
     "   differs   machines with a new id: got
                  ["broker-0-0","broker-0-1","broker-0-2","name-server-1-0"];
                  expected ["broker-0-0","broker-0-1","broker-0-2"]
                  views on offer: got ["cluster","name-server-1"]; expected
                  ["cluster"]"
    `);
    expect(await readdir(folder)).toEqual(["terraform"]);
  });
});

describe("npm start", () => {
  test("says in one line how to get Terraform where there is none", async () => {
    await symlink(process.execPath, join(folder, "node"));
    const { exitCode, stdout, stderr } = await start({ PATH: folder, TERRAFORM_BINARY_NAME: "" });
    expect({ exitCode, stdout, stderr }).toMatchInlineSnapshot(`
     {
       "exitCode": 1,
       "stderr": "Terraform is not installed: looked for terraform and tofu on the PATH; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install), or name a binary by TERRAFORM_BINARY_NAME",
       "stdout": "",
     }
    `);
    expect(await readdir(folder)).toEqual(["node"]);
  });
});

describe("What is told of a step", () => {
  test("is wrapped between words, and a long word stays whole", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("extraordinarily long", 7)).toEqual(["extraordinarily", "long"]);
    expect(wrap("", 7)).toEqual([""]);
  });

  test("stands beside a label, with lines that begin with a space as they are", () => {
    const long = "frozen: ".padEnd(64, "x");
    const told = labelled("plan", [`${long} and more`, ` ${"y".repeat(80)}`]);
    expect(stripVTControlCharacters(told).split("\n")).toEqual([
      `   plan      ${long}`,
      "             and more",
      `              ${"y".repeat(80)}`,
    ]);
  });

  test("names the pool of a line that was changed", () => {
    const text = "pools:\n  broker:\n    hosts: [3]\n    images: [a]\n";
    const told = changedLines(text, text.replace("[a]", "[b]"));
    expect(told.map(stripVTControlCharacters)).toEqual([
      "line 4, broker:",
      " - images: [a]",
      " + images: [b]",
    ]);
  });

  test("is the order of events, each kind once", () => {
    const events = readEvents(
      [
        "OpenTofu warns of something",
        event("2026-01-01T00:00:01.000Z", "delete", "terraform_data.broker-0-ready"),
        event("2026-01-01T00:00:01.500Z", "delete", "terraform_data.broker-0-0"),
        event("2026-01-01T00:00:02.000Z", "create", "terraform_data.broker-0-0"),
        event("2026-01-01T00:00:02.500Z", "delete", "terraform_data.broker-0-1"),
        event("2026-01-01T00:00:13.000Z", "create", "terraform_data.broker-0-ready"),
        JSON.stringify({ type: "outputs", outputs: {} }),
      ].join("\n"),
    );
    expect(formatRoll(events)).toEqual([
      "  0.5 s   2 x machine destroyed",
      "  1.0 s   1 x machine created",
      " 12.0 s   1 x group is ready (hook)",
    ]);
    expect(formatCreation(events.filter(({ action }) => action === "create"))).toEqual([
      "  1.0 s   1 x broker: machine created",
      " 12.0 s   1 x broker: group is ready (hook)",
    ]);
  });
});

const start = (env: Readonly<Record<string, string>>) =>
  execa(process.execPath, [START], {
    // Jest may force colours on what its workers start.
    env: { NODE_OPTIONS: "", FORCE_COLOR: undefined, ...env, TMPDIR: folder },
    reject: false,
  });

/** A program of this text, to stand in for Terraform. */
async function program(text: string): Promise<string> {
  const file = join(folder, "terraform");
  await writeFile(file, text);
  await chmod(file, 0o755);
  return file;
}

/** Resolves once a text was printed. */
async function printed(run: ReturnType<typeof start>, text: string): Promise<void> {
  let seen = "";
  while (!seen.includes(text)) {
    const chunks: unknown[] = await once(run.stdout, "data");
    seen += chunks.map(String).join("");
  }
}

const withoutTimes = (text: string): string => text.replace(/\d+\.\d s/g, "N s");

function event(time: string, action: string, addr: string): string {
  return JSON.stringify({
    "@level": "info",
    "@message": `${addr}: done`,
    "@timestamp": time,
    type: "apply_complete",
    hook: { action, resource: { addr } },
  });
}
