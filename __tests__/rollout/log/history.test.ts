import { describe, expect, test } from "@jest/globals";
import { historyOf, historySchema, type Attempt } from "../../../rollout/log/history.js";
import { readRuns } from "../../../rollout/log/read-runs.js";
import type { Revision } from "../../../cluster/revision.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import { deployedAs, groupIn, localSpec, withGroup } from "../../support/fixtures.js";
import { ago, runOf } from "../../support/situation.js";

const standing = deployedAs(localSpec());
const revision = (number: number, image: string): Revision => ({
  number,
  image,
  hash: `hash-${String(number)}`,
  generation: 0,
  cause: `cause ${String(number)}`,
});
const group = groupIn(
  withGroup(standing, "broker-0", { revisions: [revision(14, "ami-0aaa"), revision(15, "ami-0bbb")] }),
  "broker-0",
);

const template = { image: "ami-0aaa", instanceType: "small", generation: 0 };

const roll = {
  commit: "9ab0c1d5e3f2",
  by: "ada@ops",
  begun: "2026-11-22T09:30:00.000Z",
  ended: "2026-11-22T10:00:00.000Z",
  how: "by Terraform alone",
};

/** A group whose revisions this version has recorded. */
const recorded = (...of: readonly Partial<Revision>[]) => ({
  ...group,
  revisions: of.map((each, index) => ({
    ...revision(14 + index, "ami-0aaa"),
    ...{ version: 2, template, hosts: 3, roll },
    ...each,
  })),
});

describe("a revision is", () => {
  test("known from the state alone where no log speaks of it", () => {
    expect(history([])[0]).toEqual({
      group: "broker-0",
      revision: 14,
      image: "ami-0aaa",
      at: null,
      seconds: null,
      result: null,
      message: null,
      cause: "cause 14",
      despite: null,
      deployed: true,
      generation: 0,
      hash: "hash-14",
      template: null,
      hosts: null,
      roll: null,
      changed: null,
      steps: [],
    });
  });

  test("given its times and its result by its own record where the log is another machine's", () => {
    const [, second] = historyOf(recorded({ hosts: 3 }, { hosts: 4 }), []);
    expect(second).toMatchObject({
      at: "2026-11-22T10:00:00.000Z",
      seconds: 1800,
      result: "ok",
      roll: { commit: "9ab0c1d5e3f2", by: "ada@ops", how: "by Terraform alone" },
    });
  });

  test("held against the one before, value by value", () => {
    const dataVolume = { sizeGib: 100, type: "gp3" } as const;
    const changes = historyOf(
      recorded(
        { hosts: 3 },
        { hosts: 4, template: { ...template, dataVolume, instanceType: "large" } },
        { hosts: 4, template: { ...template, rootVolume: { sizeGib: 50 }, generation: 1 } },
      ),
      [],
    ).map(({ changed }) => changed);
    expect(changes).toEqual([
      null,
      ["instanceType small -> large", "dataVolume none -> 100 GiB gp3", "hosts 3 -> 4"],
      [
        "instanceType large -> small",
        "rootVolume none -> 50 GiB",
        "dataVolume 100 GiB gp3 -> none",
        "generation 0 -> 1",
      ],
    ]);
  });

  test("not held against one of an earlier version, which does not say all", () => {
    const [old = revision(14, "v1")] = group.revisions;
    const [, next = old] = recorded({}, {}).revisions;
    expect(historyOf({ ...group, revisions: [old, next] }, [])[1]).toMatchObject({ changed: null, template });
  });

  test("given its time, its length and its steps by the log, and what was overridden for it", () => {
    const log = runOf(
      [
        30,
        "group-started",
        { group: "broker-0", to: "ami-0bbb", despite: ["interval"], reason: "incident 42" },
      ],
      [20, "step-ended", { group: "broker-0", step: "leave", seconds: 500 }],
      [19, "step-ended", { group: "broker-1", step: "leave", seconds: 7 }],
      [12, "group-ended", { group: "broker-0", revision: 15, seconds: 1080, result: "ok" }],
    );
    expect(history(log)[1]).toMatchObject({
      revision: 15,
      at: ago(12),
      despite: { ids: ["interval"], reason: "incident 42" },
      seconds: 1080,
      result: "ok",
      steps: [{ step: "leave", seconds: 500 }],
    });
    expect(history(log)).toHaveLength(2);
  });

  test("not given what the log says of another cluster's life: another image under its number", () => {
    const log = runOf(
      [13, "group-started", { group: "broker-0" }],
      [12, "group-ended", { group: "broker-0", revision: 15, to: "ami-0ccc", result: "ok" }],
    );
    expect(history(log)[1]).toMatchObject({ revision: 15, image: "ami-0bbb", at: null });
  });
});

describe("an attempt that failed stands", () => {
  const failed = (minutes: number, number?: number) =>
    runOf(
      [
        minutes + 1,
        "group-started",
        { group: "broker-0", to: "ami-0bbb", ...(number ? { revision: number } : {}) },
      ],
      [minutes, "group-ended", { group: "broker-0", result: "failed", message: "not ready", seconds: 60 }],
    );

  test("before the revision that took its number at last", () => {
    const seen = history(failed(9, 15)).map(({ revision, result, deployed }) => [revision, result, deployed]);
    expect(seen).toEqual([
      [14, null, true],
      [15, "failed", false],
      [15, null, true],
    ]);
  });

  test("at the end where nothing has taken its number", () => {
    expect(history(failed(9, 16)).at(-1)).toMatchObject({
      revision: 16,
      image: "ami-0bbb",
      result: "failed",
      message: "not ready",
      deployed: false,
      hash: null,
    });
  });

  test("not at all where it is older than what the state remembers", () => {
    expect(history(failed(900, 3))).toHaveLength(2);
  });

  test("with the number of the next success, else with the one that comes next", () => {
    const ok = runOf(
      [5, "group-started", { group: "broker-0", to: "ami-0bbb" }],
      [4, "group-ended", { group: "broker-0", revision: 15, result: "ok" }],
    );
    expect(history([...failed(9), ...ok]).map(({ revision, result }) => [revision, result])).toEqual([
      [14, null],
      [15, "failed"],
      [15, "ok"],
    ]);
    expect(history([...ok, ...failed(1)]).at(-1)).toMatchObject({ revision: 16, result: "failed" });
  });

  test("not at all where it was refused before it began", () => {
    expect(history(runOf([9, "group-ended", { group: "broker-0", result: "failed" }]))).toHaveLength(2);
  });
});

function history(events: readonly LogEvent[]): Attempt[] {
  const found = historyOf(group, readRuns(events));
  expect(historySchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
  return found;
}
