import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { groupsOf, RollDemo, rolledIn } from "./roll-demo.js";

const [OLD, A, B, BAD] = ["ami-0aaa", "ami-0bbb", "ami-0ccc", "ami-0bad"];
const THREE = `images: [${OLD}, ${OLD}, ${OLD}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
const READY = "ready: { timeout: 4h }";
const BAKE = "bake: { time: 20s }";
const ROLLOUT = "rollout: {}";

const SPEC = `pools:
  consul-server: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s } }
  nomad-server: { ${THREE}, ready: { timeout: 4h }, bake: { time: 10s } }
  broker: { ${THREE}, ${READY}, ${BAKE}, hosts: [2, 1, 1], drain: { deadline: 4h } }
${ROLLOUT}
`;

const BROKERS = groupsOf("broker");

/**
 * A pool that is rolled, and what people do meanwhile. One cluster: each test goes on where the one before it has left it,
 * which is whole. What was rolled is what the simulator saw and what the state holds.
 */
describeReal("A roll of a pool that is paused, cancelled, killed or fails", ["terraform"], (real) => {
  let demo: RollDemo;
  let seen = 0;

  beforeAll(async () => {
    demo = await RollDemo.create(real, { speed: 100, spec: SPEC });
  });

  afterAll(() => demo.remove());

  beforeEach(async () => {
    seen = (await demo.events()).length;
  });

  /** The groups whose machines have been made anew in this test, in order. */
  const rolled = async (): Promise<string[]> => rolledIn((await demo.events()).slice(seen));

  /** What each broker group runs by the state, which is written once it is whole. */
  const running = async (): Promise<(string | undefined)[]> =>
    Object.values(await demo.history(BROKERS)).map((images) => images.at(-1));

  /** That nothing is in flight or pending, and that agents and state say the same. */
  const expectWhole = async (images: readonly string[], said: object = {}): Promise<void> => {
    expect(await running()).toEqual(images);
    const [zero, one, two] = images;
    expect(await demo.images()).toMatchObject({
      "broker-0-0": zero,
      "broker-0-1": zero,
      "broker-1-0": one,
      "broker-2-0": two,
    });
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null, ...said });
  };

  test("waits after a group that pauseAfter names, and before the next while another says pause", async () => {
    await demo.workspace.edit([ROLLOUT, "rollout: { pauseAfter: [broker-0] }"]);
    const run = demo.start("broker", "--image", A);
    await run.see({ in: "driver", text: /paused before broker-1: rollout\.pauseAfter names broker-0;/ });
    expect(await rolled()).toEqual(["broker-0"]);
    expect(await running()).toEqual([A, OLD, OLD]);
    expect(await demo.workspace.read()).toContain(`images: [${A}, ${OLD}, ${OLD}]`);

    expect(await demo.say("resume")).toMatch(/^demo goes on \(was paused /);
    await run.see({ in: "driver", text: /broker-1 leave: its/ });
    await demo.say("pause", "--reason", "waiting for the DBA");
    await run.see({
      in: "driver",
      text: /paused before broker-2: demo is paused \(since .*, "waiting for the DBA"\);/,
    });
    expect(await rolled()).toEqual(["broker-0", "broker-1"]);
    expect(await running()).toEqual([A, A, OLD]);
    expect(await demo.workspace.status()).toMatchObject({ phase: "paused" });

    await demo.say("resume");
    expect(await run.end()).toMatchObject({ exitCode: 0 });
    expect(await rolled()).toEqual(BROKERS);
    await expectWhole([A, A, A]);
    await demo.workspace.edit(["rollout: { pauseAfter: [broker-0] }", ROLLOUT]);
  });

  test("goes on where it was killed between two groups, and ends at a cancel once the group is whole", async () => {
    const first = demo.start("broker", "--image", B);
    await first.see({ in: "driver", text: /broker-1: image set, / });
    await first.send("driver", "SIGKILL");
    expect(await first.end()).toMatchObject({ signal: "SIGKILL" });
    expect(await rolled()).toEqual(["broker-0"]);
    expect(await demo.workspace.status()).toMatchObject({
      phase: "pending",
      message: `2 of 3 groups have not been given ${B}`,
      next: `npx rollout deploy broker --image ${B}`,
      goal: { missing: ["broker-1", "broker-2"] },
    });
    const again = demo.start();
    await again.see({ in: "driver", text: /comes next: rollout deploy broker --image ami-0ccc/ });
    await again.see({ in: "driver", text: /broker-1 leave: its/ });
    expect(await demo.say("cancel")).toMatch(/ ends once the group in flight is whole again/);

    expect(await again.end()).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(
        /^demo is cancelled \(since .+ by \S+\); not rolled: broker-2; rolled: broker-1; next: rollout resume$/m,
      ),
    });
    expect(await rolled()).toEqual(["broker-0", "broker-1"]);
    await expectWhole([B, B, A], CANCELLED);
  });

  test("refuses to begin until the cancel is taken back, and then waits before each group if that is wanted", async () => {
    expect(await demo.start("broker", "--image", B).end()).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(
        /^demo is cancelled \(since .+ by \S+\); not rolled: broker-2; rolled: none; /m,
      ),
    });
    await demo.say("resume");
    await demo.workspace.edit([ROLLOUT, "rollout: { manual: true }"]);

    const run = demo.start("broker", "--image", B);
    await run.see({ in: "driver", text: /paused before broker-2: rollout\.manual: every group waits;/ });
    expect(await rolled()).toEqual([]);
    await demo.say("resume");

    expect(await run.end()).toMatchObject({ exitCode: 0 });
    expect(await rolled()).toEqual(["broker-2"]);
    await expectWhole([B, B, B]);
    await demo.workspace.edit(["rollout: { manual: true }", ROLLOUT]);
  });

  /** What passes with the image that the pool runs by now, and with no other. */
  const check = (): string => {
    const [consul = ""] = demo.machines.endpoints().consul.split(",");
    return `checks: [{ name: is-good, http: '${consul}/v1/catalog/node/{host}', contains: ${B}, interval: 1s }]`;
  };

  longTest(
    "takes the group in flight back to what it ran before, where that is asked for by cancel",
    async () => {
      const checked = `ready: { timeout: 24h, ${check()} }`;
      await demo.workspace.edit([`${SAME(B)}, ${READY}`, `${SAME(B)}, ${checked}`]);
      const run = demo.start("broker", "--image", BAD);
      await run.see({ in: "driver", text: /is-good/ });
      await demo.say("cancel", "--undo");

      const { exitCode, output } = await run.end();

      expect(output).toMatch(/^broker-0: taken back, ami-0bad -> ami-0ccc: cancelled by \S+$/m);
      expect(output).toMatch(
        /^demo is cancelled \(since .*\); not rolled: broker-0, broker-1, broker-2; rolled: broker-0; /m,
      );
      expect(exitCode).toBe(1);
      expect(await rolled()).toEqual(["broker-0"]);
      await expectWhole([B, B, B], CANCELLED);
      await demo.say("resume");
      await demo.workspace.edit([checked, READY]);
    },
  );

  test("takes a group back whose gate fails, and ends there: no other group gets that image", async () => {
    await demo.workspace.edit(
      [ROLLOUT, "rollout: { onFailure: undo }"],
      [`${READY}, ${BAKE}`, `ready: { timeout: 5m, ${check()} }, ${BAKE}`],
    );

    const { exitCode, output } = await demo.start("broker", "--image", BAD).end();

    expect(output).toMatch(
      /^broker-0 did not become ready with ami-0bad and was taken back to ami-0ccc: broker-0 is not ready after /m,
    );
    expect(output).toMatch(/is-good/);
    expect(exitCode).toBe(1);
    expect(await rolled()).toEqual(["broker-0"]);
    expect((await demo.history(["broker-0"]))["broker-0"]).not.toContain(BAD);
    await expectWhole([B, B, B]);
  });
});

const CANCELLED = { phase: "cancelled", next: "npx rollout resume" };

const SAME = (image: string): string =>
  `images: [${image}, ${image}, ${image}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
