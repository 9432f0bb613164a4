import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { specOf } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { Workspace } from "./workspace.js";

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
    await demo.roll("cluster");
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
    expect(said(output)).toMatch(new RegExp(`Invalid value for variable .*${why.source}`));
    expect(said(output)).toMatch(/rollout_not_before is "9999-12-31T23:59:59Z"/);
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
});

const PENDING = expect.objectContaining({ name: "broker-0", state: "pending" });
