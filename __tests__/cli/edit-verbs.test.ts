import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { runHistory } from "../../cli/history.js";
import { runRestart } from "../../cli/restart.js";
import { runStatus } from "../../cli/status.js";
import { runUndo, type UndoArgs } from "../../cli/undo.js";
import { readGoal, setGoal } from "../../clients/run-store/goal.js";
import { LogReader } from "../../clients/run-store/run-log.js";
import { templateHash } from "../../cluster/template-hash.js";
import { historySchema } from "../../rollout/log/history.js";
import { statusSchema } from "../../rollout/status/status.js";
import { failure } from "../support/refusal.js";
import { logged, storeIn } from "../support/run-records.js";

/** Consul-server-0 and broker-0 stand on img-1, as recorded; all other groups are new. */
const STATE = new URL("../clients/fixtures/local.state.json", import.meta.url);

const AWS_STATE = new URL("../clients/fixtures/aws.state.json", import.meta.url);

const AWS_SPEC = `name: demo
platform: aws
aws: { region: eu-west-1, vpcId: vpc-1, subnetIds: [subnet-a, subnet-b, subnet-c] }
backend: { type: local, path: demo.tfstate }
pools:
  consul-server: { images: [ami-03cf127a, ami-03cf127a, ami-03cf127a], instanceTypes: [a, a, a] }
  nomad-server: { images: [ami-03cf127a, ami-03cf127a, ami-03cf127a], instanceTypes: [a, a, a] }
  broker:
    images: [ami-1, ami-03cf127a, ami-03cf127a]
    instanceTypes: [a, a, a] # brokers
rollout: { pendingGroups: queue }
`;

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
const undo = (args: UndoArgs): Promise<string> => runUndo(env, args, (line) => warnings.push(line));
const spec = (): string => readFileSync(env.CLUSTER, "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-edit-verbs-"));
  env = { CLUSTER: join(folder, "cluster.yaml") };
  writeFileSync(env.CLUSTER, SPEC);
  writeFileSync(join(folder, "demo.tfstate"), state());
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("undo", () => {
  test("sets the image back in the spec, and not a byte else", async () => {
    const said = await undo({ target: "broker-0" });
    expect(said.replaceAll(folder, "")).toBe(
      "undo broker-0: img-9 -> img-1 (back to revision 1: the edit was never rolled)\n/cluster.yaml is changed; next: nothing has to be rolled for it",
    );
    expect(spec()).toBe(SPEC.replace("img-9", "img-1"));
    expect(warnings).toEqual([]);
  });

  test("ends no drain for an undo that a file of its own keeps from going back", async () => {
    const userData = { file: "own.sh", sha256: "0".repeat(64) };
    const was = { ...template("ami-03cf127a"), userData };
    const hash = templateHash(was);
    const recorded = (key: string, value: unknown): unknown =>
      key === "revisions" && Array.isArray(value) && typeof value[0] === "object"
        ? [{ ...value[0], template: was }]
        : value;
    const stands = readFileSync(AWS_STATE, "utf8").replaceAll("0123456789", hash);
    writeFileSync(join(folder, "demo.tfstate"), JSON.stringify(JSON.parse(stands, recorded)));
    writeFileSync(join(folder, "own.sh"), "#!/bin/sh\n");
    const text = AWS_SPEC.replace(
      "instanceTypes: [a, a, a] # brokers",
      "$&\n    userData: [own.sh, null, null]",
    );
    writeFileSync(env.CLUSTER, text);
    const store = storeIn(folder, "demo.tfstate");
    const run = { at: "2026-11-21T08:00:00.000Z", run: "0123abcd" };
    await logged(store, [
      { ...run, event: "run-started", command: "rollout deploy broker-0", by: "ann@laptop" },
      { ...run, event: "group-started", group: "broker-0", from: "ami-03cf127a", to: "ami-1", hash: "1" },
      { ...run, event: "step-started", group: "broker-0", step: "leave" },
      { ...run, event: "run-ended", result: "failed", seconds: 1, message: "stopped" },
    ]);

    expect(await failure(undo({ target: "broker-0" }))).toBe(
      "own.sh is not what the group's machines were made with: it has another text by now; put it back as it was, such as: git checkout COMMIT -- own.sh, and run this again",
    );

    expect(spec()).toBe(text);
    const { events } = await new LogReader(store).read();
    expect(events.map(({ event }) => event)).toEqual([
      "run-started",
      "group-started",
      "step-started",
      "run-ended",
    ]);
  });

  test("gives up the goal whose image goes back, and no other", async () => {
    const store = storeIn(folder, "demo.tfstate");
    const goal = {
      command: "rollout deploy broker --image img-9",
      image: "img-9",
      groups: ["broker-0", "broker-1"],
      by: "ann@laptop",
      since: "2026-11-21T08:00:00.000Z",
    };
    const other = { ...goal, image: "img-8" };
    await setGoal(store, other);
    await undo({ target: "broker-0" });
    expect(await readGoal(store)).toEqual(other);

    writeFileSync(env.CLUSTER, SPEC);
    await setGoal(store, undefined);
    await setGoal(store, goal);
    await undo({ target: "broker-0" });
    expect(await readGoal(store)).toBeUndefined();
    expect(warnings.splice(0)).toEqual(["given up with it: rollout deploy broker --image img-9"]);
  });

  test("changes nothing in a dry run, which makes the same checks", async () => {
    expect(await undo({ target: "broker-0", dryRun: true })).toContain("(dry run:");
    expect(spec()).toBe(SPEC);
    expect(await failure(undo({ target: "broker-0", dryRun: true, toRevision: 9 }))).toBe(
      "revision 9 is not in the history of broker-0 (1); see rollout history broker-0",
    );
  });

  test("refuses where there is nothing to undo, and lists the revisions", async () => {
    writeFileSync(env.CLUSTER, SPEC.replace("img-9", "img-1"));
    expect(await failure(undo({ target: "broker-0" }))).toBe(
      "broker-0 has no earlier revision: its history has only 1; give it another image with: rollout set image broker-0=IMAGE\nrevisions, for --to-revision:\n  1: img-1, deployed",
    );
    expect(spec()).toBe(SPEC.replace("img-9", "img-1"));
  });
});

describe("undo of several groups", () => {
  test("refuses where it is not clear which, and a revision, which is that of one group", async () => {
    expect(await failure(undo({}))).toBe("nothing to undo; name a group or a pool, or say --all");
    expect(await failure(undo({ target: "broker", all: true }))).toBe(
      "broker and --all were both given; name a group or a pool, or say --all",
    );
    expect(await failure(undo({ target: "broker", toRevision: 1 }))).toBe(
      "--to-revision is that of a group; name it: rollout undo broker-1 --to-revision 16",
    );
  });

  test("names the first, and what is still to be taken back", async () => {
    const desired = SPEC.replace("images: [img-9", "hosts: [2, 1, 1]\n    images: [img-1");
    writeFileSync(env.CLUSTER, desired.replace("queue", "one"));
    writeFileSync(join(folder, "demo.tfstate"), withTwoRevisions());
    expect((await undo({ all: true, ...DESPITE })).replaceAll(folder, "")).toBe(
      "undo consul-server-0: img-1 -> img-0 (revision 2 -> 1, as revision 3)\n/cluster.yaml is changed; next: npx rollout deploy consul-server-0, then once more: npx rollout undo --all (still broker-0)",
    );
    writeFileSync(env.CLUSTER, desired);
    expect((await undo({ all: true, ...DESPITE })).split("\n").at(-1)?.replace(folder, "")).toBe(
      "/cluster.yaml is changed; next: npx rollout deploy --all",
    );
  });
});

describe("undo of a server", () => {
  const broker = SPEC.replace("images: [img-9", "hosts: [2, 1, 1]\n    images: [img-1");
  const target = "consul-server-0";

  beforeEach(() => {
    writeFileSync(env.CLUSTER, broker);
    writeFileSync(join(folder, "demo.tfstate"), withTwoRevisions());
  });

  test("refuses a downgrade, and leaves the spec as it is", async () => {
    expect(await failure(undo({ target }))).toBe(
      "consul-server-0 would go back from img-1 (version unknown) to img-0 (version unknown), which may be a downgrade: consul-server-0 has run the newer one, and an older server need not read what a newer one wrote; to do it all the same: --despite downgrade --reason TEXT",
    );
    expect(await failure(undo({ target, despite: ["downgrade"] }))).toBe(
      "--despite says what is overridden and --reason why; give both, or neither",
    );
    expect(spec()).toBe(broker);
    expect(await events()).toEqual([]);
  });

  test("does it with a reason, which stands in the log of runs", async () => {
    expect(await undo({ target, dryRun: true, ...DESPITE })).toContain("(dry run:");
    expect(await events()).toEqual([]);
    await undo({ target, ...DESPITE });
    expect(spec()).toBe(broker.replace("[img-1", "[img-0"));
    expect(await events()).toMatchObject([
      {
        event: "run-started",
        command: "rollout undo consul-server-0",
        despite: ["downgrade"],
        reason: "the new one crashes",
      },
      { event: "run-ended", result: "ok", message: "despite downgrade: the new one crashes" },
    ]);
  });

  const events = async () => (await new LogReader(storeIn(folder, "demo.tfstate")).read()).events;
});

describe("restart", () => {
  test("refuses a group that does not stand, and leaves the spec as it is", async () => {
    expect(await failure(runRestart(env, { group: "broker-1" }))).toBe(
      "broker-1 is new and has never stood, so broker-1 is not restarted; first: npx rollout deploy cluster",
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

const DESPITE = { despite: ["downgrade"], reason: "the new one crashes" };

const template = (image: string) => ({ image, instanceType: "a", generation: 0 });

/** As recorded, by the template of {@link SPEC}. */
const state = (): string =>
  readFileSync(STATE, "utf8").replaceAll("0123456789", templateHash(template("img-1")));

/** The same, where each group ran img-0 before. */
function withTwoRevisions(): string {
  const older = { ...template("img-0"), hash: templateHash(template("img-0")), number: 1, cause: "first" };
  const both = (key: string, value: unknown): unknown =>
    key === "revisions" && Array.isArray(value) && typeof value[0] === "object"
      ? [older, { ...older, ...value[0], number: 2 }]
      : value;
  return JSON.stringify(JSON.parse(state(), both));
}
