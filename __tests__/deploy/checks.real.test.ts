import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { checksSchema } from "../../cli/checks.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { SimulatedDemo } from "./simulated-demo.js";
import type { Outcome } from "./workspace.js";

const BROKERS = ["broker-0-0", "broker-0-1", "broker-1-0", "broker-2-0"];

describeReal("A pool's own checks, before a group leaves", ["terraform"], (real) => {
  let demo: SimulatedDemo;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
    for (const host of BROKERS) say(host, "in sync");
    const command = `command: [cat, '${join(demo.workspace.folder, "{host}")}'], expect: { contains: in sync }`;
    const check = `{ name: in-sync, ${command}, interval: 1m, timeout: 5m }`;
    await demo.workspace.edit([
      "ready: { timeout: 4h }, bake: { time: 20s }, hosts",
      `ready: { timeout: 4h, checks: [${check}] }, bake: { time: 20s }, hosts`,
    ]);
  });

  afterAll(() => demo.remove());

  /** What a broker says of its replicas. */
  const say = (host: string, text: string): void => {
    writeFileSync(join(demo.workspace.folder, host), `${text}\n`);
  };

  const rollout = (...words: readonly string[]): Promise<Outcome> =>
    demo.workspace.rollout([...words], { CDKTF_OUTDIR: demo.workspace.output });

  const nodesOf = async (): Promise<z.output<typeof nodes>> => {
    const [base = ""] = demo.machines.endpoints().nomad.split(",");
    return nodes.parse(await (await fetch(`${base}/v1/nodes`)).json());
  };

  test("a broker out of sync since yesterday is refused before anything is ineligible", async () => {
    say("broker-1-0", "3000 messages behind");
    await rollout("set", "image", "broker-0=ami-0c001");

    const refused = await rollout("deploy", "broker-0", "--yes");

    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(
        [
          "broker-0 cannot be rolled now:",
          '  broker-1-0: check in-sync: its output is without "in sync": 3000 messages behind; see to it before broker-0 leaves, and try it: npx rollout checks broker; or give the check when: after',
        ].join("\n"),
      ),
    });
    expect((await nodesOf()).map(({ SchedulingEligibility }) => SchedulingEligibility)).toEqual(
      BROKERS.map(() => "eligible"),
    );
    expect(await rollout("checks", "broker")).toEqual({
      exitCode: 1,
      output: [
        "✔ broker-0-0 in-sync: in sync",
        "✔ broker-0-1 in-sync: in sync",
        '✖ broker-1-0 in-sync: its output is without "in sync": 3000 messages behind',
        "✔ broker-2-0 in-sync: in sync",
        "3 of 4 pass",
      ].join("\n"),
    });

    say("broker-1-0", "in sync");
    const { exitCode, output } = await rollout("checks", "broker", "--format", "json");
    expect(exitCode).toBe(0);
    expect(checksSchema.parse(JSON.parse(output))).toEqual(
      BROKERS.map((host) => ({ name: "in-sync", host, passed: true, value: "in sync" })),
    );
    expect((await rollout("status")).output).toContain(
      "checks of broker: the log has no gate that they have passed; ask them now: npx\n  rollout checks broker",
    );
    expect(await rollout("deploy", "broker-0", "--yes")).toMatchObject({ exitCode: 0 });
    expect((await rollout("status")).output).toMatch(
      /^checks of broker: check-in-sync \(2 of 2\), at the gate of broker-0 \d+\w+ ago$/m,
    );
  });

  test("a group of which something has begun to leave is finished whatever the checks of the others say", async () => {
    await rollout("set", "image", "broker-0=ami-0c002");
    say("broker-1-0", "3000 messages behind");
    const [base = ""] = demo.machines.endpoints().nomad.split(",");
    const begun = (await nodesOf()).find(({ Name, Status }) => Name === "broker-0-0" && Status === "ready");
    await fetch(`${base}/v1/node/${begun?.ID ?? ""}/eligibility`, {
      method: "PUT",
      body: JSON.stringify({ Eligibility: "ineligible" }),
    });

    const finished = await rollout("deploy", "broker-0", "--yes");

    expect(finished.output).toContain(
      "broker-0 goes on, is mended or goes back, so these checks are not asked: in-sync",
    );
    expect(finished).toMatchObject({ exitCode: 0 });
  });

  test("nor is an undo refused by them", async () => {
    expect(await rollout("undo", "broker-0")).toMatchObject({ exitCode: 0 });
    expect(await rollout("deploy", "broker-0", "--yes")).toMatchObject({ exitCode: 0 });
  });

  longTest(
    "another broker that falls behind between two batches refuses the next one, in a later run, too",
    async () => {
      say("broker-1-0", "in sync");
      await demo.workspace.edit(["hosts: [2, 1, 1]", "hosts: [2, 1, 1], maxUnavailable: 1"]);
      await rollout("set", "image", "broker-0=ami-0c003");
      const run = demo.start("broker-0");
      await run.see({ in: "driver", text: /until what is new is whole, before the next machines go/ });
      say("broker-1-0", "3000 messages behind");

      const stopped = await run.end();
      const again = await rollout("deploy", "broker-0", "--yes");

      for (const { exitCode, output } of [stopped, again]) {
        expect(output).toContain(
          [
            "broker-0 cannot be rolled now, and nothing of its next machines has left (broker-0-1):",
            '  broker-1-0: check in-sync: its output is without "in sync": 3000 messages behind; see to it before broker-0 leaves, and try it: npx rollout checks broker; or give the check when: after',
          ].join("\n"),
        );
        expect(exitCode).toBe(1);
      }
      say("broker-1-0", "in sync");
      const finished = await rollout("deploy", "broker-0", "--yes");
      expect(finished.output).not.toContain("these checks are not asked");
      expect(finished).toMatchObject({ exitCode: 0 });
    },
  );
});

const nodes = z.array(
  z.object({ ID: z.string(), Name: z.string(), Status: z.string(), SchedulingEligibility: z.string() }),
);
