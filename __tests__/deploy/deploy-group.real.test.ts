import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { deployResultSchema } from "../../cli/deploy.js";
import { changeHold } from "../../clients/run-store/hold.js";
import { describeReal } from "../support/environment.js";
import { idsOf, revisionsOf, triggersOf, type StateFile } from "./state-file.js";
import { smallSpec } from "./small-spec.js";
import { QUIET_HOOKS, Workspace } from "./workspace.js";
import { eventsIn, locked, storeIn } from "../support/run-records.js";

const SPEC = smallSpec("hosts: [2, 1, 1]", " # broker");
const ROLL = ["broker: { images: [v1,", "broker: { images: [v2,"] as const;

describeReal("rollout deploy GROUP on the local platform without agents", ["terraform"], (real) => {
  let standing: StateFile;
  let demo: Workspace;
  const runFolder = (): string => join(demo.folder, ".rollout", "demo");
  const deploy = (...args: string[]) => demo.rollout(["deploy", ...args]);

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    try {
      await demo.with(QUIET_HOOKS).roll("cluster");
      standing = await demo.state();
    } finally {
      await demo.remove();
    }
  });

  beforeEach(async () => {
    demo = await Workspace.create(real, SPEC);
    await demo.putState(standing);
  });

  afterEach(async () => {
    await demo.remove();
  });

  /** Both machines of broker-0 are new, everything else is as it was, and it is recorded once. */
  const expectRolled = async (): Promise<void> => {
    const state = await demo.state();
    const [before, after] = [idsOf(standing), idsOf(state)];
    const changed = [...after].flatMap(([address, id]) => (before.get(address) === id ? [] : [address]));
    expect(changed.filter((address) => !address.startsWith("terraform_data.broker-0-"))).toEqual([]);
    expect(changed).toEqual(
      expect.arrayContaining(["terraform_data.broker-0-0", "terraform_data.broker-0-1"]),
    );
    expect(revisionsOf(state, "broker-0").map(({ image }) => image)).toEqual(["v1", "v2"]);
    expect(triggersOf(state, "terraform_data.broker-0-ready")["gate"]).toBe("open");
    const { groups, next } = await demo.status();
    expect(new Set(groups.map((group) => group.state))).toEqual(new Set(["current"]));
    expect(next).toBeNull();
  };

  test("rolls the group step by step, records it, and has nothing to do when it is called again", async () => {
    await demo.edit(ROLL);

    const { exitCode, output } = await deploy("broker-0", "--yes");

    expect(output).toContain("terraform_data.broker-0-0: create done");
    expect(output).toMatch(
      /^broker-0: rolled, revision 2, in \S+ \(preflight \S+, plan \S+, leave \S+, apply \S+, gate \S+, record \S+\)$/m,
    );
    expect(exitCode).toBe(0);
    await expectRolled();
    const events = await eventsIn(demo.folder);
    const waiting = events.filter(({ event }) => event === "waiting");
    expect(new Set(waiting.map(({ step }) => step))).toEqual(new Set(["apply", "record"]));
    expect(
      events
        .filter((each) => !waiting.includes(each))
        .map(({ event, step = "", result = "" }) => [event, step, result].join(" ").trim()),
    ).toEqual([
      "run-started",
      "group-started",
      ...["preflight", "plan", "leave", "apply", "gate", "record"].flatMap((step) => [
        `step-started ${step}`,
        `step-ended ${step} ok`,
      ]),
      "group-ended  ok",
      "run-ended  ok",
    ]);
    expect((await readdir(runFolder())).filter((name) => !name.endsWith(".jsonl"))).toEqual([]);

    expect(await deploy("broker-0")).toEqual({
      exitCode: 0,
      output: "broker-0: nothing to do, it is as desired",
    });
  });

  test("prints one document and progress by the line where JSON is asked for", async () => {
    await demo.edit(ROLL);
    const { stdout, stderr } = await demo.rolloutApart(["deploy", "broker-0", "--yes", "--format", "json"]);
    expect(deployResultSchema.parse(JSON.parse(stdout))).toMatchObject({
      cluster: "demo",
      groups: [{ group: "broker-0", result: "rolled", revision: 2 }],
    });
    const lines = stderr.split("\n").map((line) => JSON.parse(line) as { kind: string; step?: string });
    expect(lines.filter(({ kind }) => kind === "ended").map(({ step }) => step)).toEqual([
      "preflight",
      "plan",
      "leave",
      "apply",
      "gate",
      "record",
    ]);
  });

  test("goes on to its end where nobody reads what it tells any more", async () => {
    await demo.edit(ROLL);
    const running = demo.startRollout(["deploy", "broker-0", "--yes"]);
    running.stdout.destroy();
    running.stderr.destroy();
    await running;
    await expectRolled();
    expect((await eventsIn(demo.folder)).at(-1)).toMatchObject({ event: "run-ended", result: "ok" });
  });

  test("stops at Ctrl-C in the middle of the apply, and the same command finishes the group", async () => {
    await demo.edit(ROLL);
    const hanging = await standIn("hook configure-consul broker-0-1", ': > "$MARK"; exec sleep 600');
    const mark = join(demo.folder, "mark");
    const idOfOther = async () => idsOf(await demo.state()).get("terraform_data.broker-0-0");
    const before = await idOfOther();
    const running = demo.startRollout(["deploy", "broker-0", "--yes"], { ...hanging, MARK: mark });
    // The machine beside it is made by then: what follows is about that one. A state that is just being written cannot be read.
    const isMade = async (): Promise<boolean> =>
      existsSync(mark) && ![undefined, before].includes(await idOfOther().catch(() => undefined));
    const deadline = Date.now() + 50_000;
    while (!(await isMade()) && Date.now() < deadline) await pause(20);
    running.kill("SIGINT");
    const { exitCode, all } = await running;

    expect(all).toContain(
      "stopping after this step; broker-0 stays in flight, finish it with: rollout deploy broker-0",
    );
    expect(all.trimEnd().split("\n").at(-1)).toBe(
      "stopped: broker-0 stays in flight, finish it with: rollout deploy broker-0",
    );
    expect(exitCode).toBe(1);
    expect((await eventsIn(demo.folder)).at(-1)).toMatchObject({ event: "run-ended", result: "interrupted" });
    const made = await idOfOther();
    expect(made).not.toBe(before);

    const again = await deploy("broker-0", "--yes");
    expect(again.exitCode).toBe(0);
    await expectRolled();
    expect(await idOfOther()).toBe(made);
  });

  test("names what failed in the apply and where all of it stands, and the same command finishes the group", async () => {
    await demo.edit(ROLL);
    const { exitCode, output } = await demo.rollout(
      ["deploy", "broker-0", "--yes"],
      await standIn("hook configure-consul broker-0-1", 'echo "no agent answers" >&2; exit 3'),
    );
    expect(exitCode).toBe(1);
    expect(output.split("\n").slice(-3)).toEqual([
      expect.stringMatching(
        /^(terraform|tofu) apply failed: terraform_data\.broker-0-1-config-consul: local-exec provisioner error: Error running command 'exec node ".*" hook configure-consul broker-0-1': exit status 3\. Output: no agent answers$/,
      ),
      expect.stringMatching(/^all that it said is in <folder>\/\.rollout\/demo\/\w+-broker-0-apply\.jsonl$/),
      "broker-0 stays in flight, finish it with: rollout deploy broker-0",
    ]);

    expect((await deploy("broker-1", "--yes")).output).toMatch(
      /^broker-0 is in flight \(.*\), so broker-1 is not rolled; first: rollout deploy broker-0$/,
    );
    expect((await deploy("broker-0", "--yes")).exitCode).toBe(0);
    await expectRolled();
  });

  test("refuses a roll that nobody confirms, and has changed nothing", async () => {
    await demo.edit(ROLL);
    const { exitCode, output } = await deploy("broker-0");
    expect(output.split("\n").at(-1)).toBe(
      "nobody can be asked whether broker-0 may be rolled: say so with --yes",
    );
    expect(exitCode).toBe(2);
    expect(await demo.state()).toEqual(standing);
  });

  test("applies no plan that the guard rejects, although Terraform would", async () => {
    await demo.edit(ROLL);
    const terraform = join(demo.folder, "terraform");
    const show = `"${real.terraform}" "$@" | sed 's/"errored":false/"errored":true/'`;
    await writeFile(
      terraform,
      `#!/bin/sh\nif [ "$1" = show ]; then ${show}; else exec "${real.terraform}" "$@"; fi\n`,
    );
    await chmod(terraform, 0o700);
    const args = ["deploy", "broker-0", "--yes"];
    const { exitCode, output } = await demo.rollout(args, { TERRAFORM_BINARY_NAME: terraform });
    expect(output).toContain("complete-plan: ");
    expect(exitCode).toBe(1);
    expect(await demo.state()).toEqual(standing);
  });

  test("names a Terraform that was not tried before anything leaves, and refuses nothing for it", async () => {
    await demo.edit(ROLL);
    const terraform = join(demo.folder, "terraform");
    const version = `[ "$1" = version ] && echo '{"terraform_version":"1.99.0"}'`;
    await writeFile(terraform, `#!/bin/sh\n${version} || exec "${real.terraform}" "$@"\n`);
    await chmod(terraform, 0o700);
    const args = ["deploy", "broker-0", "--yes"];
    const { exitCode, output } = await demo.rollout(args, { TERRAFORM_BINARY_NAME: terraform });
    expect(exitCode).toBe(0);
    expect(output).toMatch(
      /preflight[^]*warning: Terraform 1\.99\.0 was not tried, the newest that was is 1\.14: [^]*whether the guard accepts it/,
    );
    await expectRolled();
  });

  test("refuses a second run while one is under way", async () => {
    const lock = await locked(storeIn(demo.folder), "rollout deploy broker-1");
    const { by, since } = lock.holder;
    expect(await deploy("broker-0", "--yes")).toEqual({
      exitCode: 1,
      output: `another run is under way: rollout deploy broker-1, by ${by} (process ${String(process.pid)}) since ${since}; wait until it has ended (rollout status --watch), or end it: rollout cancel`,
    });
    await lock.release();
  });

  test("refuses to begin while the cluster is paused", async () => {
    await demo.edit(ROLL);
    const since = "2026-11-20T09:12:00.000Z";
    await changeHold(storeIn(demo.folder), Date.now(), () => ({
      kind: "pause",
      since,
      by: "ann@laptop",
      reason: "waiting for the DBA",
    }));
    expect(await deploy("broker-0", "--yes")).toEqual({
      exitCode: 1,
      output:
        'demo is paused (since 2026-11-20 09:12 UTC by ann@laptop, "waiting for the DBA"), so broker-0 is not rolled; first: rollout resume, or rollout deploy broker-0 --despite paused --reason TEXT',
    });
  });

  test("refuses to go on with another image than was confirmed, where the spec is edited meanwhile", async () => {
    await demo.edit(ROLL);
    const edit = `sed -i 's/images: .v2,/images: [v3,/' "$CLUSTER"`;
    const { exitCode, output } = await demo.rollout(
      ["deploy", "broker-0", "--yes"],
      await standIn("hook ready broker-0", edit),
    );
    expect(output.split("\n").at(-1)).toMatch(
      /^the spec was edited during the run: broker-0 was to be v2, template \w+, 2 hosts and is to be v3, template \w+, 2 hosts; broker-0 stays in flight, finish it with: rollout deploy broker-0$/,
    );
    expect(exitCode).toBe(1);
  });

  /** A program `node` that does something first, or instead, where Terraform calls one of the hooks. */
  async function standIn(hook: string, script: string): Promise<Record<string, string>> {
    const folder = join(demo.folder, "bin");
    await mkdir(folder, { recursive: true });
    const text = `#!/bin/sh\ncase "$*" in *"${hook}"*) ${script};; esac\nexec "${process.execPath}" "$@"\n`;
    await writeFile(join(folder, "node"), text);
    await chmod(join(folder, "node"), 0o755);
    return { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  }
});
