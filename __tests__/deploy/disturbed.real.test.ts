import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { eventsIn, storeIn } from "../support/run-records.js";
import { rolled, SimulatedDemo } from "./simulated-demo.js";

const SET_BACK = new URL("../support/clock-set-back.mjs", import.meta.url).href;

/** What else may happen to a roll, on one cluster: every test leaves it whole. */
describeReal("A roll whose surroundings change under it", ["terraform"], (real) => {
  const linux = process.platform === "linux" ? longTest : test.skip;
  let demo: SimulatedDemo;

  const fault = (body: unknown): Promise<void> => demo.tell("/faults", body);

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });

  afterEach(async () => {
    await demo.tell("/faults", {}, "DELETE");
  });

  afterAll(() => demo.remove());

  linux("refuses to begin where nothing can be recorded, and goes on where that ends half-way", async () => {
    const image = await demo.prepare("broker-0");
    const store = join(demo.workspace.folder, storeIn("").where);
    const log = join(store, "log");
    const aside = join(store, "aside");
    const full = (code: string): string =>
      `cannot use ${storeIn("").where}: ${code}; who rolls has to be able to read and write it`;
    const fill = (): void => {
      renameSync(log, aside);
      symlinkSync("/dev/full", log);
    };
    const makeRoom = (): void => {
      rmSync(log);
      renameSync(aside, log);
    };
    mkdirSync(log, { recursive: true });
    fill();
    const refused = await demo.deploy("broker-0").finally(makeRoom);
    // It reads the log before it writes.
    expect(refused).toEqual({ exitCode: 1, signal: undefined, output: full("ENOTDIR") });

    const run = demo.start("broker-0");
    await run.see({ in: "terraform", text: /hook stop-agents/ });
    fill();
    const cut = await run.end().finally(makeRoom);
    expect(cut).toMatchObject({ exitCode: 1, output: expect.stringContaining(full("EEXIST")) });

    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
  });

  linux(
    "refuses while a Terraform holds the state whose driver was killed, and names who holds it",
    async () => {
      const image = await demo.prepare("broker-0");
      const run = demo.start("broker-0");
      await run.see({ in: "terraform", text: /hook start-agents/ });
      const hook = await run.send({ hook: "start-agents" }, "SIGSTOP");
      await run.send("driver", "SIGKILL");
      await run.end();

      const second = await demo.deploy("broker-0");

      process.kill(hook, "SIGCONT");
      expect(second).toMatchObject({
        exitCode: 1,
        output: expect.stringMatching(
          /(terraform|tofu) plan failed: Error acquiring the state lock: it is held by \S+@\S+ since .+ \(lock [0-9a-f-]+\); wait until that has ended, or where it was killed: terraform -chdir=FOLDER_OF_THE_VIEW force-unlock [0-9a-f-]+$/,
        ),
      });
      await demo.quiet();
      expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
      expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    },
  );

  longTest(
    "plans again when the state has moved under it, and goes on where the plan is the same",
    async () => {
      const image = await demo.prepare("broker-0");
      const run = demo.start("broker-0");
      await run.see({ in: "driver", text: / drain: / });
      await run.send("driver", "SIGSTOP");
      const state = await demo.workspace.state();
      await demo.workspace.putState({ ...state, serial: state.serial + 1 });
      await run.send("driver", "SIGCONT");

      const end = await run.end();

      expect(end).toMatchObject({
        exitCode: 0,
        output: expect.stringContaining(
          "the state has moved since the plan was made: it is planned and checked again",
        ),
      });
      expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
    },
  );

  longTest("refuses what the state has become when somebody has broken another group meanwhile", async () => {
    const image = await demo.prepare("broker-0");
    const host = "terraform_data.broker-1-0";
    const run = demo.start("broker-0");
    await run.see({ in: "driver", text: / drain: / });
    await run.send("driver", "SIGSTOP");
    await demo.workspace.terraformText("broker-0", ["taint", host]);
    await run.send("driver", "SIGCONT");

    const cut = await run.end();

    expect(cut).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(
        "group-in-flight: broker-0 cannot be rolled while broker-1 is in flight: terraform_data.broker-1-0 is tainted; finish it first with: rollout deploy broker-1",
      ),
    });
    await demo.workspace.terraformText("broker-0", ["untaint", host]);
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
  });

  longTest("ends when its credentials end while work leaves, and goes on with new ones", async () => {
    const image = await demo.prepare("broker-0");
    const run = demo.start("broker-0");
    await run.see({ in: "driver", text: / drain: / });
    await run.send("driver", "SIGSTOP");
    await fault({ kind: "status", status: 403, body: "Permission denied: token expired" });
    await run.send("driver", "SIGCONT");
    const cut = await run.end();
    await demo.tell("/faults", {}, "DELETE");

    expect(cut).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("(403 Permission denied: token expired); NOMAD_TOKEN is not set"),
    });
    expect(cut).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining("run it again: it goes on from here"),
    });
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
  });

  longTest(
    "ends when its credentials end while machines are configured, and makes no machine twice",
    async () => {
      const image = await demo.prepare("consul-server-1");
      const run = demo.start("consul-server-1");
      await run.see({ in: "terraform", text: /hook configure-consul/ });
      await fault({ kind: "status", status: 403, body: "ACL not found" });
      const cut = await run.end();
      await demo.tell("/faults", {}, "DELETE");

      expect(cut).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining(
          "(403 ACL not found); the cluster does not know this token: correct CONSUL_HTTP_TOKEN",
        ),
      });
      expect(cut).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining(
          "consul-server-1 stays in flight, finish it with: rollout deploy consul-server-1",
        ),
      });
      expect(await demo.deploy("consul-server-1")).toMatchObject({ exitCode: 0 });
      expect(await demo.outcome("consul-server-1")).toEqual(rolled("consul-server-1", image));
    },
  );

  longTest.each(["drain", "every condition is met"])(
    "rolls on when the clock is set back at: %s",
    async (at) => {
      const image = await demo.prepare("broker-0");
      const file = join(demo.workspace.folder, "set-back");
      const run = demo.start("broker-0", {
        NODE_OPTIONS: `--import=${SET_BACK}`,
        ROLLOUT_TEST_SET_BACK: file,
      });
      await run.see({ in: "driver", text: new RegExp(at) });
      writeFileSync(file, "");

      const end = await run.end();

      rmSync(file);
      expect(end).toMatchObject({ exitCode: 0 });
      expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
      const events = await eventsIn(demo.workspace.folder);
      expect(events.filter(({ seconds = 0 }) => seconds < 0)).toEqual([]);
    },
  );

  longTest(
    "ends when another image is asked for in its own group meanwhile, and the next run rolls that",
    async () => {
      const image = await demo.prepare("broker-0");
      const run = demo.start("broker-0");
      await run.see({ in: "driver", text: / leave: its/ });
      await demo.workspace.write((await demo.workspace.read()).replace(image, "ami-0edited"));
      const cut = await run.end();

      expect(cut).toMatchObject({
        exitCode: 1,
        output: expect.stringMatching(
          /the spec was edited during the run: broker-0 was to be ami-0b\d+, template \w+, 2 hosts and is to be ami-0edited, template \w+, 2 hosts; broker-0 stays in flight, finish it with: rollout deploy broker-0$/,
        ),
      });
      expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
      expect(await demo.outcome("broker-0")).toMatchObject({
        made: { "broker-0-0": 2, "broker-0-1": 2 },
        revisions: { "broker-0": 1 },
        images: { "broker-0-0": "ami-0edited", "broker-0-1": "ami-0edited" },
        phase: "healthy",
      });
    },
  );

  longTest("ends when another group is asked for meanwhile, and goes on once that is set back", async () => {
    const image = await demo.prepare("broker-0");
    const run = demo.start("broker-0");
    await run.see({ in: "driver", text: / leave: its/ });
    const spec = await demo.workspace.read();
    await demo.workspace.write(spec.replace(/(broker: \{ images: \[[^,]*, )[^,]*/, "$1ami-0edited"));
    const cut = await run.end();
    await demo.workspace.write(spec);

    expect(cut).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(
        /one-group: 2 groups are pending, one may be: broker-0 \(.+\), broker-1 \(ami-0aaa -> ami-0edited\); set all but broker-0, which is in flight, back, /,
      ),
    });
    expect(await demo.deploy("broker-0")).toMatchObject({ exitCode: 0 });
    expect(await demo.outcome("broker-0")).toEqual(rolled("broker-0", image));
  });

  longTest(
    "goes on to its end when a Consul server is lost meanwhile, which is then rolled itself",
    async () => {
      const image = await demo.prepare("broker-0");
      const run = demo.start("broker-0");
      await run.see({ in: "terraform", text: /hook start-agents/ });
      await demo.tell("/machines/consul-server-2-0", {}, "DELETE");

      const end = await run.end();

      expect(end).toMatchObject({ exitCode: 0 });
      const killedTooSoon = ["consul-server-2-0 with 0 at work"];
      const touched = ["consul-server-2-0 killed"];
      expect(await demo.outcome("broker-0")).toEqual({
        ...rolled("broker-0", image),
        killedTooSoon,
        touched,
      });

      const next = await demo.prepare("consul-server-2");
      expect(await demo.deploy("consul-server-2")).toMatchObject({ exitCode: 0 });
      expect(await demo.outcome("consul-server-2")).toEqual(rolled("consul-server-2", next));
    },
  );
});
