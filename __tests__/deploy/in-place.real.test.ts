import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { attributesOf, idsOf, revisionsOf, type StateFile } from "./state-file.js";
import { Workspace } from "./workspace.js";

const READY = "ready: { timeout: 10s }, bake: { time: 1s }";
const THREE = "instanceTypes: [small, small, small]";

const SPEC = `name: demo
platform: local
local: { agents: none }
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], ${THREE}, ${READY} }
  nomad-server: { images: [v1, v1, v1], ${THREE}, ${READY} }
  broker:
    images: [v1, v1, v1]
    instanceTypes: [small, small, small]
    hosts: [2, 1, 1]
    ready: { timeout: 10s }
    bake: { time: 1s }
    dataVolumes:
      - { sizeGib: 100 }
      - { sizeGib: 101 }
      - { sizeGib: 102 }
`;

describeReal("Data volumes that are changed in place, one test after another", ["terraform"], (real) => {
  let demo: Workspace;
  const deploy = (name: string) => demo.rollout(["deploy", name, "--yes"]);
  const volumeOf = (state: StateFile, host: string) =>
    attributesOf(state, `terraform_data.${host}-data`)["input"];

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    await demo.roll("cluster");
  });

  afterAll(async () => {
    await demo.remove();
  });

  test("a group's deploy is one apply of them, and is no revision", async () => {
    const before = await demo.state();
    await demo.edit(["{ sizeGib: 100 }", "{ sizeGib: 200, iops: 6000 }"]);
    const status = await demo.rollout(["status"]);
    expect(status.output).toContain("broker-0 differs in place: volume 100 -> 200 GiB, iops 6000");
    const plan = await demo.rollout(["plan", "broker-0"]);
    expect([plan.exitCode, plan.output]).toEqual([
      0,
      expect.stringMatching(
        /broker-0: no machine is touched\nbroker-0: volume 100 -> 200 GiB\nbroker-0: iops 6000\n/,
      ),
    ]);

    const run = await deploy("broker-0");

    expect([run.exitCode, run.output]).toEqual([0, expect.stringContaining("broker-0: applied, in ")]);
    expect(run.output).not.toMatch(/preflight|its work leaves|gate|record/);
    const after = await demo.state();
    expect([...idsOf(after)]).toEqual([...idsOf(before)]);
    expect(revisionsOf(after, "broker-0")).toEqual(revisionsOf(before, "broker-0"));
    for (const host of ["broker-0-0", "broker-0-1"])
      expect(volumeOf(after, host)).toMatchObject({ value: { sizeGib: 200, iops: 6000 } });
    expect(volumeOf(after, "broker-1-0")).toEqual(volumeOf(before, "broker-1-0"));
  });

  test("afterwards no view has anything to do", async () => {
    expect((await demo.status()).phase).toBe("healthy");
    for (const view of ["cluster", "broker-0", "broker-1"]) {
      await demo.synth({ ROLLOUT_GROUP: view });
      expect([view, (await demo.terraform(view, ["plan"])).planned]).toEqual([view, []]);
    }
    const again = await deploy("broker-0");
    expect([again.exitCode, again.output]).toEqual([0, expect.stringContaining("nothing to do")]);
  });

  test("of two groups each deploy reaches its own, and that of the pool the rest", async () => {
    await demo.edit(
      ["sizeGib: 200, iops: 6000", "sizeGib: 200, iops: 9000"],
      ["{ sizeGib: 101 }", "{ sizeGib: 111 }"],
    );
    expect((await demo.status()).groups.filter(({ state }) => state === "differs")).toHaveLength(2);
    expect((await deploy("broker-1")).exitCode).toBe(0);
    const half = await demo.state();
    expect([volumeOf(half, "broker-0-0"), volumeOf(half, "broker-1-0")]).toMatchObject([
      { value: { iops: 6000 } },
      { value: { sizeGib: 111 } },
    ]);
    const pool = await deploy("broker");
    expect([pool.exitCode, pool.output]).toEqual([0, expect.stringContaining("broker-0: applied, in ")]);
    expect(volumeOf(await demo.state(), "broker-0-1")).toMatchObject({ value: { iops: 9000 } });
  });

  test("refuses a smaller one, and says what comes first", async () => {
    const [text, before] = [await demo.read(), await demo.state()];
    await demo.edit(["{ sizeGib: 102 }", "{ sizeGib: 50 }"]);
    const said =
      /data volumes cannot be made smaller: terraform_data\.broker-2-0-data \(102 -> 50 GiB\); give dataVolumes/;
    const run = await deploy("broker-2");
    expect([run.exitCode, run.output]).toEqual([1, expect.stringMatching(said)]);
    expect((await demo.status()).refused).toMatchObject([{ rule: "data-volume-kept" }]);
    expect((await demo.state()).serial).toBe(before.serial);
    await demo.write(text);
  });

  test("a group in flight whose spec has grown since is finished, and grows after a question of its own", async () => {
    await demo.edit(["images: [v1, v1, v1]\n    ", "images: [v2, v1, v1]\n    "]);
    await demo.synth();
    expect((await demo.apply("broker-0", "-var=rollout_gate=closed")).exitCode).toBe(0);
    await demo.edit(["sizeGib: 200", "sizeGib: 2000"]);
    const { groups } = await demo.status();
    expect(groups.find(({ name }) => name === "broker-0")).toMatchObject({
      state: "in flight",
      reason: expect.stringMatching(/gate is closed.*, differs in place: volume 200 -> 2000 GiB$/),
    });

    const unasked = await demo.rollout(["deploy", "broker-0"]);

    expect([unasked.exitCode, unasked.output]).toEqual([2, expect.stringContaining("nobody can be asked")]);
    const state = await demo.state();
    expect(revisionsOf(state, "broker-0").at(-1)).toMatchObject({ number: 2, image: "v2" });
    for (const host of ["broker-0-0", "broker-0-1"])
      expect(volumeOf(state, host)).toMatchObject({ value: { sizeGib: 200 } });
    expect((await demo.status()).message).toBe("broker-0 differs in place: volume 200 -> 2000 GiB");
    expect((await deploy("broker-0")).exitCode).toBe(0);
    expect(volumeOf(await demo.state(), "broker-0-1")).toMatchObject({ value: { sizeGib: 2000 } });
  });

  test("Ctrl-C in its apply says that its volumes may be changed", async () => {
    const binary = join(demo.folder, "interrupted-terraform");
    const interrupted = `#!/bin/sh\n"${real.terraform}" "$@"\nended=$?\n[ "$1" != apply ] || kill -INT $PPID\nexit $ended\n`;
    await writeFile(binary, interrupted, { mode: 0o755 });
    await demo.edit(["{ sizeGib: 102 }", "{ sizeGib: 112 }"]);
    const run = await demo.rollout(["deploy", "broker-2", "--yes"], { TERRAFORM_BINARY_NAME: binary });
    expect([run.exitCode, run.output]).toEqual([
      1,
      expect.stringContaining(
        "stopped: the data volumes of broker-2 may be changed; go on with: rollout deploy broker-2",
      ),
    ]);
    expect(volumeOf(await demo.state(), "broker-2-0")).toMatchObject({ value: { sizeGib: 112 } });
    expect((await deploy("broker-2")).output).toContain("nothing to do");
  });

  longTest(
    "a roll of its image changes them once it is recorded, and an undo leaves their size",
    async () => {
      await demo.edit(
        ["images: [v2, v1, v1]\n    ", "images: [v3, v1, v1]\n    "],
        ["sizeGib: 2000", "sizeGib: 3000"],
      );
      const run = await deploy("broker-0");
      expect([run.exitCode, run.output]).toEqual([
        0,
        expect.stringContaining("broker-0: rolled, revision 3"),
      ]);
      expect(run.output).toMatch(/its revision is written[\s\S]*its data volumes are changed/);
      expect(volumeOf(await demo.state(), "broker-0-0")).toMatchObject({ value: { sizeGib: 3000 } });
      expect((await demo.status()).phase).toBe("healthy");

      const back = await demo.rollout(["undo", "broker-0"]);
      expect([back.exitCode, back.output]).toEqual([0, expect.stringContaining("undo broker-0: v3 -> v2")]);
      expect(await demo.read()).toContain("{ sizeGib: 3000, iops: 9000 }");
      expect((await demo.status()).groups.filter(({ state }) => state !== "current")).toMatchObject([
        { name: "broker-0", state: "pending", reason: "v3 -> v2" },
      ]);
    },
  );
});
