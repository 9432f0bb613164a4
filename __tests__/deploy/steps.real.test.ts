import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import * as z from "zod";
import { FolderStore } from "../../clients/run-store/folder-store.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { until } from "./running-deploy.js";
import { rolled, SimulatedDemo } from "./simulated-demo.js";

/** Writes down what it was called with; waits and fails where a file says so. */
const SCRIPT = `cd "$(dirname "$0")"
echo "$@" >> said
while [ -e "hold-$1" ]; do sleep 0.05; done
if [ -e "fail-$1" ]; then echo "no room"; exit 3; fi
`;

describeReal("The steps of a pool, around the roll of its groups", ["terraform"], (real) => {
  let demo: SimulatedDemo;

  const at = (name: string): string => join(demo.workspace.folder, name);
  const put = (name: string): void => {
    writeFileSync(at(name), "");
  };

  /** What the steps were called with, in that order, those of several machines side by side. */
  const said = (): string[] =>
    existsSync(at("said")) ? readFileSync(at("said"), "utf8").trimEnd().split("\n") : [];

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
    writeFileSync(at("step.sh"), SCRIPT);
    const step = (name: string, ...words: string[]): string =>
      `name: ${name}, timeout: 5m, command: [sh, ${at("step.sh")}, ${[name, ...words].join(", ")}]`;
    demo.steps = `{
      beforeLeave: [
        { ${step("silence", "'{host}'")}, undo: { command: [sh, ${at("step.sh")}, loud, '{host}'] } },
        { ${step("move", "'{hosts}'")}, scope: group },
      ],
      afterLeave: [{ ${step("gone", "'{host}'")} }],
      afterReady: [{ ${step("back", "'{group}'")}, scope: pool, onFailure: continue }],
    }`.replaceAll(/\s+/g, " ");
  });

  beforeEach(() => {
    rmSync(at("said"), { force: true });
  });

  afterAll(() => demo.remove());

  const eligibility = async (host: string): Promise<string | undefined> => {
    const [base = ""] = demo.machines.endpoints().nomad.split(",");
    const nodes = z.array(z.object({ Name: z.string(), SchedulingEligibility: z.string() }));
    const all = nodes.parse(await (await fetch(`${base}/v1/nodes`)).json());
    return all.find(({ Name }) => Name === host)?.SchedulingEligibility;
  };

  const sorted = (lines: readonly string[]): string[] => [
    ...lines.slice(0, 2).sort(),
    ...lines.slice(2, 3),
    ...lines.slice(3, 5).sort(),
    ...lines.slice(5, 6),
    ...lines.slice(6).sort(),
  ];

  const ALL = [
    "silence broker-0-0",
    "silence broker-0-1",
    "move broker-0-0,broker-0-1",
    "gone broker-0-0",
    "gone broker-0-1",
    "back broker-0",
    "loud broker-0-0",
    "loud broker-0-1",
  ];

  test("they run in their order, each once, and what they have done is undone at the end", async () => {
    const image = await demo.prepare("broker-0");

    const { exitCode, output } = await demo.deploy("broker-0");

    expect(exitCode).toBe(0);
    expect(sorted(said())).toEqual(ALL);
    for (const line of [
      "step silence (beforeLeave): broker-0-0, broker-0-1",
      "step back (afterReady) is done",
    ])
      expect(output).toContain(line);
    const now = "at 10\\.[.0-9]+";
    expect(output).toMatch(
      new RegExp(`undo of step silence \\(beforeLeave\\): broker-0-0 ${now}, broker-0-1 ${now}`),
    );
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    expect(await demo.workspace.status()).toMatchObject({ owed: [] });
  });

  test("refuses before anything is ineligible where a step before the leave fails, and undoes", async () => {
    put("fail-move");
    const image = await demo.prepare("broker-0");

    const { exitCode, output } = await demo.deploy("broker-0");

    expect(exitCode).toBe(1);
    expect(output).toContain(
      [
        "broker-0: step move (beforeLeave) failed:",
        "  broker-0: exit code 3, not 0: no room",
        "mend that, then go on with: rollout deploy broker-0",
      ].join("\n"),
    );
    expect(said().slice(3).sort()).toEqual(["loud broker-0-0", "loud broker-0-1"]);
    expect(await eligibility("broker-0-0")).toBe("eligible");
    expect(await demo.workspace.status()).toMatchObject({ owed: [] });

    rmSync(at("fail-move"));
    rmSync(at("said"));
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(sorted(said())).toEqual(ALL);
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
  });

  longTest(
    "a step after the leave that fails keeps the machines, and the next run begins with it",
    async () => {
      put("fail-gone");
      const image = await demo.prepare("broker-0");

      const { exitCode, output } = await demo.deploy("broker-0");

      expect(exitCode).toBe(1);
      expect(output).toContain("mend that, then go on with: rollout deploy broker-0");
      expect(await demo.workspace.status()).toMatchObject({ phase: "failed", owed: [] });
      expect(await demo.outcome("broker-0")).toMatchObject({ made: {}, replaced: [] });

      rmSync(at("fail-gone"));
      rmSync(at("said"));
      expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
      expect([...said().slice(0, 2).sort(), ...said().slice(2)]).toEqual([
        "gone broker-0-0",
        "gone broker-0-1",
        "back broker-0",
      ]);
      expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    },
  );

  test("a run that is killed in a step leaves its undo owed, and the next one finishes and undoes it", async () => {
    put("hold-move");
    const image = await demo.prepare("broker-0");
    const run = demo.start("broker-0");
    await until("the step has begun", () => said().length === 3);
    await run.send("driver", "SIGKILL");
    await run.end();
    rmSync(at("hold-move"));
    await demo.quiet();

    const owed = "step silence (beforeLeave)";
    expect(await demo.workspace.status()).toMatchObject({ owed: [{ group: "broker-0", step: owed }] });
    expect((await demo.workspace.rollout(["status"])).output).toContain(
      `owed: undo of ${owed} of broker-0; it is run by: npx`,
    );
    expect(await eligibility("broker-0-0")).toBe("eligible");

    rmSync(at("said"));
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(sorted(said())).toEqual(ALL);
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    expect(await demo.workspace.status()).toMatchObject({ owed: [] });
  });

  test("a run that has lost its lock undoes nothing: another may be at the group by now", async () => {
    put("hold-move");
    const image = await demo.prepare("broker-0");
    const run = demo.start("broker-0");
    await until("the step has begun", () => said().length === 3);
    const where = "terraform.demo.tfstate.rollout";
    const store = new FolderStore(join(demo.workspace.folder, where), where);
    const { text = "", tag } = (await store.read("lock")) ?? {};
    await store.write("lock", text.replace('"held"', '"free"'), tag);
    put("fail-move");
    rmSync(at("hold-move"));

    expect(await run.end()).toMatchObject({ exitCode: 1 });

    expect(said()).toHaveLength(3);
    expect(await demo.workspace.status()).toMatchObject({
      owed: [{ group: "broker-0", step: "step silence (beforeLeave)", hasLeft: false }],
    });
    rmSync(at("fail-move"));
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    expect(await demo.workspace.status()).toMatchObject({ owed: [] });
  });

  test("a step after the gate that fails counts for itself: no group is taken back", async () => {
    demo.steps = demo.steps.replace("onFailure: continue", "onFailure: stop");
    put("fail-back");
    const image = await demo.prepare("broker-0");
    const words = ["deploy", "broker", "--image", image, "--yes"];
    const env = { CDKTF_OUTDIR: demo.workspace.output };

    const { exitCode, output } = await demo.workspace.rollout(words, env);

    expect(exitCode).toBe(1);
    expect(output).toContain("broker-0: step back (afterReady) failed:");
    expect(output).not.toContain("taken back");
    expect(await demo.workspace.read()).toContain(`[${image}, `);
    expect(await demo.outcome("broker-0")).toMatchObject({ replaced: rolled("broker-0", image).replaced });
    rmSync(at("fail-back"));
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    // Its goal is that of the whole pool.
    expect(await demo.outcome("broker-0")).toEqual({ ...rolled("broker-0", image), phase: "pending" });
  });

  longTest("Terraform alone runs them in its hooks, too", async () => {
    const image = await demo.prepare("broker-0");

    await demo.workspace.roll("broker-0");

    expect(sorted(said())).toEqual(ALL);
    expect(await demo.outcome("broker-0")).toMatchObject({ replaced: rolled("broker-0", image).replaced });
  });
});
