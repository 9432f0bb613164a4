import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { specOf } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { QUIET_HOOKS, Workspace } from "./workspace.js";

const THREE = "images: [v1, v1, v1], instanceTypes: [small, small, small], bake: { time: 0s }";

const SPEC = `name: demo
platform: local
local: { agents: none }
backend: { type: local, path: terraform.demo.tfstate }
rollout: {}
pools:
  consul-server: { ${THREE} }
  nomad-server: { ${THREE} }
  broker: { ${THREE} }
`;

/** The words of cdktf's frame, and its line breaks, are not ours. */
const said = (output: string): string => output.replace(/[│╵╷\s]+/g, " ");

describeReal("Terraform, called by itself, one test after another", ["terraform"], (real) => {
  let demo: Workspace;
  let free = "";

  const edit = async (group: string): Promise<void> => {
    expect(await demo.rollout(["set", "image", `${group}=v2`])).toMatchObject({ exitCode: 0 });
  };
  const stack = async (view: string): Promise<string> => {
    expect(await demo.synth()).toMatchObject({ exitCode: 0 });
    return readFile(join(demo.stackFolder(view), "cdk.tf.json"), "utf8");
  };

  beforeAll(async () => {
    expect(specOf(SPEC).name).toBe("demo");
    demo = await Workspace.create(real, SPEC, { ROLLOUT_CAUSE: "roll" });
    await demo.with(QUIET_HOOKS).roll("cluster");
  });

  afterAll(() => demo.remove());

  test("refuses to plan a group while the cluster is paused, and says so at synth", async () => {
    await edit("broker-0");
    free = await stack("broker-0");
    await demo.rollout(["pause", "--reason", "incident ${42}"]);
    const before = await demo.state();

    const { exitCode, output } = await demo.deploy("broker-0");

    expect(exitCode).toBe(1);
    const why = /demo is paused \(since [^)]+, "incident \$\{42\}"\), so broker-0 is not rolled; first: /;
    expect(said(output)).toMatch(why);
    // cdktf does not always get to the end of what Terraform says.
    const { errors } = await demo.terraform("broker-0", ["plan"]);
    expect(said(errors.join(" "))).toMatch(new RegExp(`Invalid value for variable.*${why.source}`));
    expect(await stack("broker-0")).toContain('"9999-12-31T23:59:59Z"');
    expect(await demo.state()).toEqual(before);
    expect(await demo.status()).toMatchObject({ phase: "paused", groups: expect.arrayContaining([PENDING]) });
    // What nothing is to be rolled of is not held.
    expect(await demo.terraform("cluster", ["plan"])).toMatchObject({ exitCode: 0 });
  });

  test("rolls it once that is over, and the stack is as it was before, byte for byte", async () => {
    await demo.rollout(["resume"]);
    expect(await stack("broker-0")).toBe(free);
    await demo.roll("broker-0");
    expect(await demo.status()).toMatchObject({ phase: "healthy" });
  });

  test("refuses the next group until the interval has passed, also of a roll of its own", async () => {
    await demo.edit(["rollout: {}", "rollout: { interval: 24h }"]);
    await edit("broker-1");
    await stack("broker-1");
    const { exitCode, errors } = await demo.terraform("broker-1", ["plan"]);
    expect(exitCode).toBe(1);
    expect(errors.join(" ")).toMatch(/Invalid value for variable/);
  });

  test("is overridden by rollout deploy, and history says so", async () => {
    const flags = ["--despite", "interval", "--reason", "incident 42"];
    const { exitCode, output } = await demo.rollout(["deploy", "broker-1", "--yes", ...flags]);
    expect(output).toMatch(/^broker-1: begun despite interval: incident 42$/m);
    expect(exitCode).toBe(0);
    const history = await demo.rollout(["history", "broker-1", "--format", "json"]);
    expect(JSON.parse(history.output)).toMatchObject([
      { revision: 1, despite: null },
      { revision: 2, result: "ok", despite: { ids: ["interval"], reason: "incident 42" } },
    ]);
    expect((await demo.rollout(["history", "broker-1", "--revision", "2"])).output).toMatch(
      /^despite: +interval: incident 42$/m,
    );
  });

  test("waits where a pause was said while its roll was planned, and goes on after the resume", async () => {
    await demo.edit(["rollout: { interval: 24h }", "rollout: {}"]);
    await edit("broker-2");
    const { serial } = await demo.state();
    const running = demo.startRollout(["deploy", "broker-2", "--yes"], await pausing(demo, real.terraform));
    let seen = "";
    for await (const line of running.iterable({ from: "stderr" })) {
      seen += `${line}\n`;
      if (!line.startsWith("paused before broker-2: ")) continue;
      expect((await demo.state()).serial).toBe(serial);
      await demo.rollout(["resume"]);
    }
    const { exitCode } = await running;
    const [before = "", after = ""] = seen.split("\npaused before broker-2: ");
    expect(before).toMatch(/^broker-2 plan: done /m);
    expect(before).not.toMatch(/^broker-2 leave/m);
    expect(after).toMatch(/^demo is paused \(since .*, "in the middle"\); rollout resume goes on, /);
    expect(exitCode).toBe(0);
    expect(await demo.status()).toMatchObject({ phase: "healthy" });
  });
});

/** A Terraform that somebody says pause beside, once, while it plans. */
async function pausing(demo: Workspace, terraform: string): Promise<Record<string, string>> {
  const file = join(demo.folder, "terraform-and-pause");
  const cli = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));
  const mark = join(demo.folder, "paused");
  const pause = `"${process.execPath}" "${cli}" pause --reason "in the middle"`;
  await writeFile(
    file,
    `#!/bin/sh\nif [ "$1" = plan ] && [ ! -e "${mark}" ]; then : > "${mark}"; (cd "${demo.folder}" && ${pause}) >&2; fi\nexec "${terraform}" "$@"\n`,
  );
  await chmod(file, 0o755);
  return { TERRAFORM_BINARY_NAME: file };
}

const PENDING = expect.objectContaining({ name: "broker-0", state: "pending" });
