import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runHistory } from "../../cli/history.js";
import { runRestart } from "../../cli/restart.js";
import { runStatus } from "../../cli/status.js";
import { runUndo } from "../../cli/undo.js";
import { historySchema } from "../../rollout/log/history.js";
import { statusSchema } from "../../rollout/status/status.js";
import { failure } from "../support/refusal.js";
import { logged, storeIn } from "../support/run-records.js";

/** Consul-server-0 and broker-0 stand on img-1, as recorded; all other groups are new. */
const STATE = new URL("../clients/fixtures/local.state.json", import.meta.url);

const SPEC = `# all that there is
name: demo
platform: local
backend: { type: local, path: demo.tfstate }
pools:
  consul-server:
    images: [img-1, img-1, img-1]
    instanceTypes: [a, a, a]
  nomad-server:
    images: [img-1, img-1, img-1]
    instanceTypes: [a, a, a]
  broker:
    images: [img-9, img-1, img-1] # the brokers
    instanceTypes: [a, a, a]
rollout: { pendingGroups: queue }
`;

let folder: string;
let env: { CLUSTER: string };
const warnings: string[] = [];
const undo = (args: { group: string; dryRun?: boolean; toRevision?: number }): Promise<string> =>
  runUndo(env, args, (line) => warnings.push(line));
const spec = (): string => readFileSync(env.CLUSTER, "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-edit-verbs-"));
  env = { CLUSTER: join(folder, "cluster.yaml") };
  writeFileSync(env.CLUSTER, SPEC);
  writeFileSync(join(folder, "demo.tfstate"), readFileSync(STATE));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("undo", () => {
  test("sets the image back in the spec, and not a byte else", async () => {
    const said = await undo({ group: "broker-0" });
    expect(said.replaceAll(folder, "")).toBe(
      "undo broker-0: img-9 -> img-1 (back to revision 1: the edit was never rolled)\n/cluster.yaml is changed; next: nothing has to be rolled for it",
    );
    expect(spec()).toBe(SPEC.replace("img-9", "img-1"));
    expect(warnings).toEqual([]);
  });

  test("changes nothing in a dry run, which makes the same checks", async () => {
    expect(await undo({ group: "broker-0", dryRun: true })).toContain("(dry run:");
    expect(spec()).toBe(SPEC);
    expect(await failure(undo({ group: "broker-0", dryRun: true, toRevision: 9 }))).toBe(
      "revision 9 is not in the history of broker-0 (1); see rollout history broker-0",
    );
  });

  test("changes nothing where there is nothing to undo", async () => {
    writeFileSync(env.CLUSTER, SPEC.replace("img-9", "img-1"));
    expect(await undo({ group: "broker-0" })).toMatch(/^nothing to undo: /);
    expect(spec()).toBe(SPEC.replace("img-9", "img-1"));
  });
});

describe("restart", () => {
  test("refuses a group that does not stand, and leaves the spec as it is", async () => {
    expect(await failure(runRestart(env, { group: "broker-1" }))).toBe(
      "broker-1 is new and has never stood, so broker-1 is not restarted; first: npx cdktf deploy cluster",
    );
    expect(spec()).toBe(SPEC);
  });

  test("changes nothing where the group is pending already", async () => {
    expect(await runRestart(env, { group: "broker-0" })).toMatch(/^nothing to restart: broker-0 is pending/);
    expect(spec()).toBe(SPEC);
  });
});

describe("what was read is printed as JSON of the published shape", () => {
  test("by status, with the phase and the log's last line", async () => {
    const command = "rollout deploy broker-0";
    await logged(storeIn(folder, "demo.tfstate"), [
      { at: "2026-11-21T10:00:00.000Z", run: "run-1", event: "run-started", command },
    ]);
    const status = statusSchema.parse(JSON.parse((await runStatus(env, { format: "json" })).text));
    expect(status).toMatchObject({
      phase: "pending",
      run: null,
      hold: null,
      lastRun: { command: "rollout deploy broker-0", lastLineAt: "2026-11-21T10:00:00.000Z", isEnded: false },
    });
    expect((await runStatus(env, { format: "text" })).text).toContain(
      "rollout deploy broker-0, its process is gone",
    );
  });

  test("by status of one group, which has to be there", async () => {
    const status = statusSchema.parse(
      JSON.parse((await runStatus(env, { format: "json", group: "broker-1" })).text),
    );
    expect(status.message).toBe("1 group is new");
    expect(await failure(runStatus(env, { format: "text", group: "brokr-1" }))).toBe(
      'no pool "brokr"; did you mean broker? pools: consul-server, nomad-server, broker, each with the groups 0, 1 and 2',
    );
  });

  test("by history", async () => {
    const history = historySchema.parse(JSON.parse(await runHistory(env, { format: "json" })));
    expect(history.map(({ group, revision, image }) => [group, revision, image])).toEqual([
      ["consul-server-0", 1, "img-1"],
      ["broker-0", 1, "img-1"],
    ]);
    expect(await failure(runHistory(env, { format: "json", group: "broker-0", revision: 2 }))).toBe(
      "revision 2 is not in the history of broker-0 (1); see rollout history broker-0",
    );
  });
});
