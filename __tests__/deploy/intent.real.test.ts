import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { groupsOf, RollDemo, rolledIn } from "./roll-demo.js";

const [OLD, A, B] = ["ami-0aaa", "ami-0bbb", "ami-0ccc"];
const THREE = `images: [${OLD}, ${OLD}, ${OLD}], instanceTypes: [m6i.large, m6i.large, m6i.large]`;
const DRAIN = "drain: { deadline: 4h }";

const SPEC = `pools:
  consul-server: { ${THREE}, bake: { time: 1s } }
  nomad-server: { ${THREE}, bake: { time: 1s } }
  broker: { ${THREE}, ready: { timeout: 4h }, bake: { time: 5s }, ${DRAIN} }
`;

const BROKERS = groupsOf("broker");

/** One cluster: each test goes on where the one before it has left it, which is whole. */
describeReal("A roll by an intent that was approved", ["terraform"], (real) => {
  let demo: RollDemo;
  let seen = 0;

  beforeAll(async () => {
    demo = await RollDemo.create(real, { speed: 100, spec: SPEC });
  });

  afterAll(() => demo.remove());

  beforeEach(async () => {
    seen = (await demo.events()).length;
  });

  const rolled = async (): Promise<string[]> => rolledIn((await demo.events()).slice(seen));
  const hashOf = (file: string): string =>
    createHash("sha256")
      .update(readFileSync(join(demo.workspace.folder, file)))
      .digest("hex");
  const running = async (): Promise<(string | undefined)[]> =>
    Object.values(await demo.history(BROKERS)).map((images) => images.at(-1));

  /** Writes an intent and has it approved. @returns the words that roll it */
  const approve = async (image: string): Promise<string[]> => {
    const said = await demo.say("plan", "broker", "--image", image, "--intent", "intent.json");
    expect(said).toContain(`sha256 ${hashOf("intent.json")}`);
    return ["--intent", "intent.json", "--sha256", hashOf("intent.json")];
  };

  /** Nobody can be asked, and no flag says yes to anything. */
  const deploy = (words: readonly string[]) =>
    demo.workspace.rollout(["deploy", ...words], { CDKTF_OUTDIR: demo.workspace.output });

  test("does what was approved and asks nobody, and nothing once that is done", async () => {
    const words = await approve(A);
    expect(await demo.say("check", "intent.json")).toMatch(
      /^accepted: the intent of demo \(broker-0, broker-1, broker-2, to begin until \S+Z\)\nintent: sha256 \w{64}$/,
    );
    const other = await deploy([...words.slice(0, 3), "0".repeat(64)]);
    expect(other).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/^not the intent that was approved: intent\.json is /),
    });
    expect(await rolled()).toEqual([]);

    const { exitCode, output } = await deploy(words);

    expect(output).toContain("broker-1: comes next, group 2 of 3");
    expect(exitCode).toBe(0);
    expect(await rolled()).toEqual(BROKERS);
    expect(await running()).toEqual([A, A, A]);
    expect(await deploy(words)).toMatchObject({ exitCode: 0 });
    expect(await rolled()).toEqual(BROKERS);
  });

  test("refuses what is otherwise than approved before anything leaves, and goes on where it was cut off", async () => {
    const words = await approve(B);
    const text = await demo.workspace.read();
    await demo.workspace.edit([DRAIN, "drain: { deadline: 1h }"]);
    const checked = await demo.workspace.rollout(["check", "intent.json", "--format", "json"]);
    expect(checked.exitCode).toBe(1);
    expect(JSON.parse(checked.output)).toMatchObject({
      kind: "rollout-intent",
      verdict: "rejected",
      groups: BROKERS,
      departures: expect.arrayContaining(["broker-2: gate.drain.deadlineSeconds 14400 -> 3600"]),
    });
    const refused = await deploy(words);
    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("broker-0: gate.drain.deadlineSeconds 14400 -> 3600"),
    });
    expect(await demo.workspace.read()).toBe(text.replace(DRAIN, "drain: { deadline: 1h }"));
    expect(await rolled()).toEqual([]);
    await demo.workspace.write(text);

    const run = demo.start(...words);
    await run.see({ in: "driver", text: /broker-1 leave: its/ });
    await run.send("driver", "SIGKILL");
    expect(await run.end()).toMatchObject({ signal: "SIGKILL" });
    const half = await demo.workspace.read();
    await demo.workspace.edit(["time: 5s", "time: 6s"]);
    expect(await deploy(words)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("broker-1: gate.bake.seconds 5 -> 6"),
    });
    await demo.workspace.write(half);

    const { exitCode, output } = await deploy(words);

    expect(output).toContain("broker-2: comes next");
    expect(exitCode).toBe(0);
    expect(await rolled()).toEqual(BROKERS);
    expect(await running()).toEqual([B, B, B]);
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null, goal: null });
  });
});
