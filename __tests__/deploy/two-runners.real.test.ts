import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { whoRuns } from "../../clients/who-runs.js";
import { LOCAL_EXAMPLE } from "../cluster/yaml/example.js";
import { describeReal } from "../support/environment.js";
import { startMoto, type Moto } from "../support/moto.js";
import { processesIn, until } from "./running-deploy.js";
import { S3Bucket } from "./s3-bucket.js";
import { Workspace } from "./workspace.js";

const STORE = "s3://states/demo/terraform.tfstate.rollout";

describeReal("Two checkouts with one state in S3, one test after another", ["terraform", "moto"], (real) => {
  let moto: Moto;
  let bucket: S3Bucket;
  let ann: Workspace;
  let bob: Workspace;

  const edit = async (...words: string[]): Promise<void> => {
    for (const one of [ann, bob])
      expect(await one.rollout(["set", "image", ...words])).toMatchObject({ exitCode: 0 });
  };

  beforeAll(async () => {
    moto = await startMoto();
    bucket = await S3Bucket.create(moto);
    const spec = LOCAL_EXAMPLE.replace(/^backend: .*$/m, `backend: ${S3Bucket.backend}`);
    ann = await Workspace.create(real, spec, moto.env);
    bob = await Workspace.create(real, spec, moto.env);
    expect(await ann.deploy("cluster")).toMatchObject({ exitCode: 0 });
  });

  afterAll(async () => {
    await ann.remove();
    await bob.remove();
    await moto.stop();
  });

  test("a pause of one holds the other, who may take it away", async () => {
    expect(await ann.rollout(["pause", "--reason", "incident 42"])).toEqual({
      exitCode: 0,
      output: `demo is paused before the next group, in ${STORE}; go on with: rollout resume`,
    });
    expect(await bob.status()).toMatchObject({
      phase: "paused",
      hold: { kind: "pause", by: whoRuns(), reason: "incident 42" },
    });
    await edit("broker-0=ami-0bbb");
    const { exitCode, output } = await bob.rollout(["deploy", "broker-0", "--yes"]);
    expect(output).toMatch(
      /^demo is paused \(.*"incident 42"\), so broker-0 is not rolled; first: rollout resume, or rollout deploy broker-0 --despite paused --reason TEXT$/,
    );
    expect(exitCode).toBe(1);

    expect(await bob.rollout(["resume"])).toMatchObject({ exitCode: 0 });
    expect(await ann.status()).toMatchObject({ phase: "pending", hold: null });
  });

  test("a run of one keeps the other out, and once it was killed the other finishes it", async () => {
    const mark = join(ann.folder, "mark");
    const running = ann.startRollout(["deploy", "broker-0", "--yes"], {
      ...(await hanging(ann, "hook configure-consul broker-0-1")),
      MARK: mark,
    });
    await until("the hook has begun", () => existsSync(mark));

    expect(await bob.status()).toMatchObject({
      phase: "progressing",
      run: { command: "rollout deploy broker-0", by: whoRuns() },
      lastRun: { group: "broker-0", step: "apply", isEnded: false },
    });
    expect(await bob.rollout(["deploy", "broker-0", "--yes"])).toEqual({
      exitCode: 1,
      output: expect.stringMatching(
        /^another run is under way: rollout deploy broker-0, by \S+ \(process \d+\) since \S+; wait until it has ended \(rollout status --watch\), or end it: rollout cancel$/,
      ),
    });

    for (const { pid } of [{ pid: running.pid ?? 0 }, ...processesIn(ann.folder)]) kill(pid);
    await running;
    await until("nothing runs", () => processesIn(ann.folder).length === 0);
    expect((await bob.status()).next).toBe("npx rollout deploy broker-0");
    await bucket.unlock(ann, "broker-0");
    expect(await bob.rollout(["deploy", "broker-0", "--yes"])).toMatchObject({ exitCode: 0 });

    const history = async (from: Workspace): Promise<string> =>
      (await from.rollout(["history", "broker-0", "--format", "json"])).output;
    expect(JSON.parse(await history(ann))).toMatchObject([{ revision: 1 }, { revision: 2, result: "ok" }]);
    expect(await history(bob)).toBe(await history(ann));
    expect(await ann.status()).toMatchObject({ phase: "healthy", run: null });
  });
});

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** A program `node` that hangs where Terraform calls this hook. */
async function hanging(demo: Workspace, hook: string): Promise<Record<string, string>> {
  const folder = join(demo.folder, "bin");
  await mkdir(folder, { recursive: true });
  const text = `#!/bin/sh\ncase "$*" in *"${hook}"*) : > "$MARK"; exec sleep 600;; esac\nexec "${process.execPath}" "$@"\n`;
  await writeFile(join(folder, "node"), text);
  await chmod(join(folder, "node"), 0o755);
  return { PATH: `${folder}:${process.env["PATH"] ?? ""}` };
}
