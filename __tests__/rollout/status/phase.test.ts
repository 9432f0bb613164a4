import { describe, expect, test } from "@jest/globals";
import { findGroup } from "../../../cluster/find-group.js";
import { phaseOf } from "../../../rollout/status/phase.js";
import { change, deployedAs, localSpec, nothing, poolOf, withGroup } from "../../support/fixtures.js";
import {
  ago,
  CANCEL,
  DRAINING,
  GATE_FAILED,
  GOAL,
  PAUSE,
  RUN,
  runOf,
  situationOf,
} from "../../support/situation.js";

const spec = localSpec();
const standing = deployedAs(spec);
const pending = change(spec, (draft) => {
  poolOf(draft, "broker").images[0] = "ami-0bbb";
});
const two = change(pending, (draft) => {
  poolOf(draft, "broker").images[1] = "ami-0bbb";
});
const queue = change(two, (draft) => {
  draft.rollout.pendingGroups = "queue";
});
const inFlight = withGroup(standing, "broker-0", { leave: false });
const ended = runOf([5, "run-started"], [4, "group-ended", { group: "broker-0", result: "ok" }]);

describe("a cluster is", () => {
  test("healthy where all is as desired", () => {
    expect(phaseOf(situationOf(spec, standing))).toEqual({
      phase: "healthy",
      message: "all 12 groups are as desired",
      next: null,
    });
  });

  test("pending where a group differs, and says in what", () => {
    expect(phaseOf(situationOf(pending, standing))).toEqual({
      phase: "pending",
      message: "broker-0: ami-0aaa -> ami-0bbb",
      next: "npx rollout deploy broker-0",
    });
    expect(phaseOf(situationOf(queue, standing)).message).toBe(
      "2 groups, first broker-0: ami-0aaa -> ami-0bbb",
    );
  });

  test("pending where groups are new", () => {
    expect(phaseOf(situationOf(spec, nothing()))).toEqual({
      phase: "pending",
      message: "all 12 groups are new",
      next: "npx rollout deploy cluster",
    });
    const oneNew = withGroup(standing, "broker-2", { revisions: [] });
    expect(phaseOf(situationOf(spec, oneNew)).message).toBe("1 group is new");
  });

  test("pending as long as groups have not been given the image that was wanted for them", () => {
    const goal = GOAL;
    expect(phaseOf(situationOf(spec, standing, { goal }))).toEqual({
      phase: "pending",
      message: "3 of 3 groups have not been given ami-0bbb",
      next: "npx rollout deploy broker --image ami-0bbb",
    });
    const rolled = deployedAs(two);
    // The spec names the third already, which is part of the goal; another group is not.
    const third = change(two, (draft) => {
      poolOf(draft, "broker").images[2] = "ami-0bbb";
    });
    expect(phaseOf(situationOf(third, rolled, { goal }))).toEqual({
      phase: "pending",
      message: "1 of 3 groups has not been given ami-0bbb",
      next: "npx rollout deploy broker --image ami-0bbb",
    });
    const other = change(two, (draft) => {
      poolOf(draft, "name-server").images[0] = "ami-0ccc";
    });
    expect(phaseOf(situationOf(other, rolled, { goal })).next).toBe("npx rollout deploy name-server-0");
    expect(phaseOf(situationOf(third, deployedAs(third), { goal })).phase).toBe("healthy");
    // One of its groups that begins to be rolled comes first, and so does whatever holds.
    expect(phaseOf(situationOf(pending, inFlight, { goal })).phase).toBe("in flight");
    expect(phaseOf(situationOf(spec, standing, { goal, hold: PAUSE })).phase).toBe("paused");
    expect(phaseOf(situationOf(two, rolled, { goal }), "broker-2").message).toBe(
      "broker-2 has not been given ami-0bbb",
    );
    expect(phaseOf(situationOf(two, rolled, { goal }), "broker-1").phase).toBe("healthy");
  });

  test("in flight where a roll was begun and nobody is at it", () => {
    expect(phaseOf(situationOf(pending, inFlight))).toEqual({
      phase: "in flight",
      message: "broker-0; no run is under way",
      next: "npx rollout deploy broker-0",
    });
    const both = withGroup(inFlight, "name-server-1", { leave: false });
    expect(phaseOf(situationOf(pending, both)).message).toBe(
      "2 groups, first name-server-1; no run is under way",
    );
  });

  test("in flight where a roll of another type alone was killed while work left, and set back", () => {
    const of = (hash: string) =>
      phaseOf(
        situationOf(spec, standing, {
          events: DRAINING.map((line) =>
            line.event === "group-started" ? { ...line, to: "ami-0aaa", hash } : line,
          ),
        }),
      );
    expect(of("0123456789").next).toBe("npx rollout restart broker-0");
    expect(of(findGroup(spec, "broker-0").hash).phase).toBe("healthy");
  });

  test("in flight where a run was killed while work left, which no state shows", () => {
    const events = DRAINING;
    expect(phaseOf(situationOf(pending, standing, { events }))).toEqual({
      phase: "in flight",
      message: "broker-0: its work has begun to leave, and no run is under way",
      next: "npx rollout deploy broker-0",
    });
    const back = phaseOf(situationOf(spec, standing, { events }));
    expect(back).toEqual({
      phase: "in flight",
      message:
        "broker-0: its work has begun to leave, and no run is under way; it was set back since, and has to be replaced all the same",
      next: "npx rollout restart broker-0",
    });
    expect(phaseOf(situationOf(spec, standing, { events }), "broker-0")).toEqual(back);
    expect(phaseOf(situationOf(spec, standing, { events }), "broker-1").phase).toBe("healthy");
    // Another group could not have been rolled since if this one were still out.
    const since = [...events, ...runOf([0, "group-ended", { group: "broker-1", result: "ok" }])];
    expect(phaseOf(situationOf(spec, standing, { events: since })).phase).toBe("healthy");
    // Rolled since by other hands, of which this machine's log says nothing.
    expect(phaseOf(situationOf(pending, deployedAs(pending), { events })).phase).toBe("healthy");
  });

  test("healthy where Terraform alone has rolled since what a run was killed at, though to the image of before", () => {
    const events = DRAINING.map((line) =>
      line.event === "group-started" ? { ...line, fromRevision: 1 } : line,
    );
    const [first] = standing.groups.get("broker-0")?.revisions ?? [];
    const at = (number: number) =>
      withGroup(standing, "broker-0", { revisions: first ? [{ ...first, number }] : [] });
    expect(phaseOf(situationOf(spec, at(1), { events })).phase).toBe("in flight");
    expect(phaseOf(situationOf(spec, at(2), { events })).phase).toBe("healthy");
    // An image that is asked for since is no roll that has begun.
    expect(phaseOf(situationOf(pending, at(2), { events })).phase).toBe("pending");
  });

  test("failed without a next command where protection is off, since nothing is rolled then", () => {
    const off = change(pending, (draft) => {
      draft.protection = "off";
    });
    expect(phaseOf(situationOf(off, inFlight, { events: GATE_FAILED }))).toMatchObject({
      phase: "failed",
      next: null,
    });
  });

  test("progressing where a run is under way, with its group, its step and what it waits for", () => {
    expect(phaseOf(situationOf(pending, inFlight, { run: RUN, events: DRAINING }))).toEqual({
      phase: "progressing",
      message: "broker-0 leave: 2 of 9 allocations left",
      next: "npx rollout status --watch",
    });
    expect(phaseOf(situationOf(pending, inFlight, { run: RUN, events: DRAINING.slice(0, 5) })).message).toBe(
      "broker-0 leave",
    );
    expect(phaseOf(situationOf(pending, inFlight, { run: RUN, events: DRAINING.slice(0, 2) })).message).toBe(
      "broker-0",
    );
  });

  test("progressing where Terraform alone applies, which the state's lock says", () => {
    const run = { ...RUN, since: ago(20), pid: undefined, command: "Terraform alone" };
    expect(phaseOf(situationOf(spec, nothing(), { run, events: DRAINING.slice(0, 2) }))).toEqual({
      phase: "progressing",
      message: "Terraform alone applies, by ops@build-1",
      next: "npx rollout status --watch",
    });
  });

  test("progressing between two groups, and where a run has not written yet what an older one wrote", () => {
    const waits = runOf(
      [30, "run-started"],
      [5, "group-ended", { group: "broker-0", result: "ok" }],
      [1, "waiting", { message: "the next group in 4m" }],
    );
    expect(phaseOf(situationOf(spec, standing, { run: RUN, events: waits })).message).toBe(
      "between two groups: the next group in 4m",
    );
    const fresh = { ...RUN, since: new Date(situationOf(spec, standing).at).toISOString() };
    expect(phaseOf(situationOf(pending, inFlight, { run: fresh, events: DRAINING })).message).toBe(
      "between two groups",
    );
  });

  test("cancelled, and says when the run ends", () => {
    const message = (more: object): string =>
      phaseOf(situationOf(pending, inFlight, { hold: CANCEL, ...more })).message;
    expect(message({ run: RUN, events: DRAINING })).toBe(
      "since 09:12 UTC by ops@build-1; the run ends once broker-0 is whole",
    );
    expect(message({ run: RUN, events: DRAINING, hold: { ...CANCEL, undo: true } })).toBe(
      "since 09:12 UTC by ops@build-1; the run ends once broker-0 is back on its last image",
    );
    expect(message({ run: RUN })).toBe("since 09:12 UTC by ops@build-1; the run ends now");
    expect(message({})).toBe("since 09:12 UTC by ops@build-1; broker-0; no run is under way");
    expect(phaseOf(situationOf(pending, inFlight, { hold: CANCEL, run: RUN })).next).toBe(
      "npx rollout status --watch",
    );
    expect(phaseOf(situationOf(pending, inFlight, { hold: CANCEL })).next).toBe(
      "npx rollout deploy broker-0",
    );
    expect(phaseOf(situationOf(pending, standing, { hold: CANCEL })).next).toBe("npx rollout resume");
  });

  test("paused, with who, when and why, and what is finished first", () => {
    expect(phaseOf(situationOf(spec, standing, { hold: PAUSE }))).toEqual({
      phase: "paused",
      message: 'since 09:12 UTC by ops@build-1, "waiting for the DBA"',
      next: "npx rollout resume",
    });
    const { message } = phaseOf(situationOf(pending, inFlight, { hold: PAUSE, run: RUN, events: DRAINING }));
    expect(message).toBe('since 09:12 UTC by ops@build-1, "waiting for the DBA"; broker-0 is finished first');
    expect(phaseOf(situationOf(pending, inFlight, { hold: PAUSE }))).toMatchObject({
      message: 'since 09:12 UTC by ops@build-1, "waiting for the DBA"; broker-0 is in flight',
      next: "npx rollout deploy broker-0",
    });
  });

  test("failed where the last run failed at a group that is not as desired", () => {
    const failed = {
      phase: "failed",
      message: "broker-0 gate: not ready within 15m",
      next: "npx rollout deploy broker-0",
      undo: "npx rollout undo broker-0",
    };
    expect(phaseOf(situationOf(pending, inFlight, { events: GATE_FAILED }))).toEqual(failed);
    expect(phaseOf(situationOf(pending, standing, { events: GATE_FAILED }))).toEqual(failed);
  });

  test("failed without an undo where that would be refused, or would do nothing", () => {
    const same = phaseOf(situationOf(spec, inFlight, { events: GATE_FAILED }));
    expect(same).toEqual({
      phase: "failed",
      message: "broker-0 gate: not ready within 15m",
      next: "npx rollout deploy broker-0",
    });
    const held = phaseOf(situationOf(pending, inFlight, { events: GATE_FAILED, hold: PAUSE }));
    expect(held).toMatchObject({ phase: "failed" });
    // Whatever holds, what has begun may go back.
    expect(held.undo).toBe("npx rollout undo broker-0");
  });

  test("what it was before, where a run was refused before anything was touched", () => {
    const refused = refusedAt("plan");
    expect(phaseOf(situationOf(pending, standing, { events: refused })).phase).toBe("pending");
    expect(phaseOf(situationOf(spec, inFlight, { events: refused })).phase).toBe("in flight");
    expect(phaseOf(situationOf(pending, inFlight, { events: [...GATE_FAILED, ...refused] })).message).toBe(
      "broker-0 gate: not ready within 15m",
    );
    const again = [...GATE_FAILED, ...refusedAt("leave")];
    expect(phaseOf(situationOf(pending, inFlight, { events: again })).message).toBe(
      "broker-0 leave: cannot be rolled now",
    );
  });

  test("failed no longer where another try has begun since, however that ended", () => {
    const killed = [...GATE_FAILED, ...refusedAt("leave").slice(0, -2)];
    expect(phaseOf(situationOf(pending, inFlight, { events: killed })).phase).toBe("in flight");
  });

  test("failed no longer, once its group is as desired, or another run is at it", () => {
    expect(phaseOf(situationOf(spec, standing, { events: GATE_FAILED })).phase).toBe("healthy");
    expect(phaseOf(situationOf(pending, inFlight, { events: GATE_FAILED, run: RUN })).phase).toBe(
      "progressing",
    );
    const later = [...GATE_FAILED, ...ended.map((event) => ({ ...event, run: "run-2" }))];
    expect(phaseOf(situationOf(pending, standing, { events: later })).phase).toBe("pending");
  });

  test("of an invalid spec where it leaves more pending than the policy allows", () => {
    expect(phaseOf(situationOf(two, standing))).toEqual({
      phase: "invalid spec",
      message: "2 groups are pending and rollout.pendingGroups is one: broker-0, broker-1",
      next: null,
    });
  });
});

test("of two phases the first is shown", () => {
  const all = { hold: PAUSE, run: RUN, events: GATE_FAILED };
  expect(phaseOf(situationOf(two, inFlight, all)).phase).toBe("invalid spec");
  expect(phaseOf(situationOf(queue, inFlight, { ...all, run: undefined })).phase).toBe("failed");
  expect(phaseOf(situationOf(queue, inFlight, all)).phase).toBe("paused");
  expect(phaseOf(situationOf(queue, inFlight, { ...all, hold: CANCEL })).phase).toBe("cancelled");
  expect(phaseOf(situationOf(queue, inFlight, { run: RUN })).phase).toBe("progressing");
  expect(phaseOf(situationOf(queue, inFlight)).phase).toBe("in flight");
});

test("while protection is off no group comes next", () => {
  const open = change(two, (draft) => {
    draft.protection = "off";
  });
  expect(phaseOf(situationOf(open, standing)).next).toBeNull();
  const closed = { ...open, rollout: { ...open.rollout, pendingGroups: "queue" as const } };
  expect(phaseOf(situationOf(closed, standing, { goal: GOAL })).next).toBeNull();
  expect(phaseOf(situationOf(open, inFlight)).next).toBeNull();
});

describe("one group is", () => {
  test("healthy on its own, whatever holds or rolls the others", () => {
    const situation = situationOf(pending, inFlight, { hold: PAUSE, run: RUN, events: DRAINING });
    expect(phaseOf(situation, "broker-1")).toEqual({
      phase: "healthy",
      message: "broker-1 is as desired",
      next: null,
    });
  });

  test("paused where it waits behind a pause, and progressing where the run is at it", () => {
    expect(phaseOf(situationOf(pending, standing, { hold: PAUSE }), "broker-0").phase).toBe("paused");
    const situation = situationOf(pending, inFlight, { run: RUN, events: DRAINING });
    expect(phaseOf(situation, "broker-0").phase).toBe("progressing");
  });

  test("pending where it is new", () => {
    expect(phaseOf(situationOf(spec, nothing()), "broker-1").message).toBe("1 group is new");
  });
});

/** A run that ended at a step. */
const refusedAt = (step: "plan" | "leave") =>
  runOf(
    [5, "run-started"],
    [4, "group-started", { group: "broker-0" }],
    [3, "step-started", { group: "broker-0", step }],
    [2, "group-ended", { group: "broker-0", result: "failed", message: "cannot be rolled now" }],
    [1, "run-ended", { result: "failed", message: "cannot be rolled now" }],
  ).map((event) => ({ ...event, run: "run-2" }));
