import { describe, expect, test } from "@jest/globals";
import { formatStatus } from "../../../cli/output/status.js";
import type { Hold } from "../../../cluster/run/hold.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { refusedByState } from "../../../guard/refused-by-state.js";
import { type RefusalsOf, statusOf } from "../../../rollout/status/status.js";
import type { Situation } from "../../../rollout/status/situation.js";
import { offeredViews } from "../../../rollout/roll/views.js";
import type { Window } from "../../../rollout/roll/windows.js";
import {
  change,
  deployedAs,
  exampleSpec,
  localSpec,
  nothing,
  poolOf,
  withGroup,
} from "../../support/fixtures.js";
import { ago, DRAINING, GATE_FAILED, GOAL, PAUSE, RUN, runOf, situationOf } from "../../support/situation.js";

const spec = localSpec();
const standing = deployedAs(spec);
const pending = change(spec, (draft) => {
  poolOf(draft, "broker").images[0] = "ami-0bbb";
});
const inFlight = withGroup(standing, "broker-0", { leave: false });

describe("the text of a status has the phase, a row a pool, the reasons and the next command", () => {
  test("of a healthy cluster", () => {
    expect(format(situationOf(spec, standing))).toMatchInlineSnapshot(`
     "demo  healthy: all 12 groups are as desired
     POOL           0           1           2
     consul-server  ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     broker         ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa

     deployed: terraform.demo.tfstate, serial 7
     next: nothing, all groups are as desired"
    `);
  });

  test("of groups that wait for the pace of the rollout", () => {
    const slow = change(pending, (draft) => {
      Object.assign(draft.rollout, { interval: "15m", manual: true, pendingGroups: "queue" });
      poolOf(draft, "broker").images[1] = "ami-0bbb";
    });
    const events = runOf(
      [9, "group-started", { group: "broker-2", to: "ami-0aaa" }],
      [5, "group-ended", { group: "broker-2", result: "ok" }],
      [5, "run-ended", { result: "ok" }],
    );
    const lines = format(situationOf(slow, standing, { events })).split("\n");
    expect(lines.filter((line) => /next of|\(rollout/.test(line)).join("\n")).toMatchInlineSnapshot(`
     "the next of broker-0, broker-1 waits for rollout resume once a roll comes to
       it (rollout.manual: every group waits)"
    `);
    const paused = format(situationOf(pending, standing, { hold: PAUSE }));
    expect(paused).not.toMatch(/may begin|waits for rollout resume/);
  });

  test("of a group that waits for a time, which is said once and by what ends last", () => {
    const lines = (rollout: Partial<Spec["rollout"]>, hold?: Hold): string[] => {
      const slow = change(pending, (draft) => void Object.assign(draft.rollout, rollout));
      const events = runOf(
        [9, "group-started", { group: "broker-2", to: "ami-0aaa" }],
        [5, "group-ended", { group: "broker-2", result: "ok" }],
        [5, "run-ended", { result: "ok" }],
      );
      const text = format(situationOf(slow, standing, { events, hold })).replaceAll("\n  ", " ");
      return text.split("\n").filter((line) => /may begin|waits for rollout resume/.test(line));
    };
    const windowOf = (from: string, to: string): Window[] => [
      { days: ["sat", "sun"], from, to, zone: "UTC" },
    ];
    const interval = "15m";
    expect(lines({ interval })).toEqual(["broker-0 may begin at 10:10 UTC (rollout.interval: 15m)"]);
    expect(lines({ interval, windows: windowOf("11:00", "12:00") })).toEqual([
      "broker-0 may begin at 11:00 UTC (rollout.windows: none is open before 11:00 UTC)",
    ]);
    expect(lines({ interval, windows: windowOf("10:00", "10:05") })).toEqual([
      "broker-0 may begin at 2026-11-22 10:00 UTC (rollout.windows: none is open from 10:10 UTC to 2026-11-22 10:00 UTC)",
    ]);
    const freeze = { ...PAUSE, until: ago(-3 * 60) };
    expect(lines({ interval }, freeze)).toEqual([]);
    expect(lines({ interval, windows: windowOf("11:00", "14:00") }, freeze)).toEqual([]);
    expect(lines({ windows: windowOf("11:00", "12:00") }, freeze)).toEqual([
      "broker-0 may begin at 2026-11-22 11:00 UTC (rollout.windows: none is open from 13:00 UTC to 2026-11-22 11:00 UTC)",
    ]);
    expect(lines({ interval, pauseAfter: ["broker-2"] }, freeze)).toEqual([
      "broker-0 waits for rollout resume once a roll comes to it (rollout.pauseAfter names broker-2)",
    ]);
  });

  test("of a cluster of which a value has not reached all machines", () => {
    const aws = exampleSpec();
    const other = change(aws, (draft) => {
      if (draft.platform === "aws") draft.aws.keyName = "other";
    });
    const status = statusOf(situationOf(other, deployedAs(aws)), ["cluster"]);
    expect(status.groups.map(({ differs }) => differs)).toEqual(Array(12).fill(["keyName"]));
    expect(formatStatus(status, "log").split("\n").slice(-7).join("\n")).toMatchInlineSnapshot(`
     "broker         ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa

     differs: keyName of consul-server-0 to -2, nomad-server-0 to -2, name-server-0
       to -2, broker-0 to -2; reaches a group when it is rolled
     deployed: terraform.demo.tfstate, serial 7
     next: nothing that has to be; npx rollout restart GROUP brings a group what
       differs"
    `);
  });

  test("of groups that have not been given the image that was wanted for them", () => {
    const given = { goal: GOAL };
    expect(format(situationOf(pending, deployedAs(pending), given))).toMatchInlineSnapshot(`
     "demo  pending: 2 of 3 groups have not been given ami-0bbb
     POOL           0           1           2
     consul-server  ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     broker         ✔ ami-0bbb  ✔ ami-0aaa  ✔ ami-0aaa

     goal: 2 of 3 groups have not been given ami-0bbb (by ops@build-1 since 09:12
       UTC); give it up with: npx rollout cancel
     deployed: terraform.demo.tfstate, serial 7
     next: npx rollout deploy broker --image ami-0bbb"
    `);
    expect(
      format(situationOf(pending, inFlight, given))
        .split("\n")
        .slice(-7),
    ).toMatchInlineSnapshot(`
     [
       "broker-0 is in flight: terraform_data.broker-0-leave is missing: the group has",
       "  left",
       "goal: 3 of 3 groups have not been given ami-0bbb (by ops@build-1 since 09:12",
       "  UTC); go on with: npx rollout deploy broker --image ami-0bbb, or give it up",
       "  with: npx rollout cancel",
       "deployed: terraform.demo.tfstate, serial 7",
       "next: npx rollout deploy broker-0",
     ]
    `);
    expect(
      format(situationOf(pending, inFlight, { ...given, run: RUN, events: DRAINING }))
        .split("\n")
        .filter((line) => line.includes("goal")),
    ).toEqual(["goal: 3 of 3 groups have not been given ami-0bbb (by ops@build-1 since 09:12"]);
  });

  test("of a run that is under way", () => {
    expect(format(situationOf(pending, inFlight, { run: RUN, events: DRAINING }))).toMatchInlineSnapshot(`
     "demo  progressing: broker-0 leave: 2 of 9 allocations left (for 1m; leave for
       6m)
     POOL           0            1           2
     consul-server  ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     broker         ◌ in flight  ✔ ami-0aaa  ✔ ami-0aaa

     broker-0 is in flight: terraform_data.broker-0-leave is missing: the group has
       left
     run: rollout deploy broker-0 by ops@build-1 (process 4711) since 09:30 UTC
     log: .rollout/demo/log.jsonl, last line 1m ago
     deployed: terraform.demo.tfstate, serial 7
     next: npx rollout status --watch"
    `);
  });

  test("of a run that was refused: what it was before, and why", () => {
    const refused = runOf(
      [9, "run-started", { command: "rollout deploy broker-0" }],
      [9, "step-started", { group: "broker-0", step: "plan" }],
      [
        8,
        "group-ended",
        { group: "broker-0", result: "failed", message: "broker-0 cannot:\n  one-group: 2" },
      ],
      [8, "run-ended", { result: "failed", message: "broker-0 cannot:\n  one-group: 2" }],
    );
    expect(
      format(situationOf(pending, standing, { events: refused }))
        .split("\n")
        .slice(-6),
    ).toEqual([
      "broker-0 is pending: ami-0aaa -> ami-0bbb",
      "last run: rollout deploy broker-0, refused, nothing was changed: broker-0",
      "  cannot: one-group: 2",
      "log: .rollout/demo/log.jsonl, last line 8m ago",
      "deployed: terraform.demo.tfstate, serial 7",
      "next: npx rollout deploy broker-0",
    ]);
  });

  test("of a group whose deploy would be refused: what comes first instead", () => {
    const tainted = withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-1"] });
    const situation = situationOf(spec, tainted);
    const refusalsOf: RefusalsOf = (group) => refusedByState(spec, tainted, group);
    const status = statusOf(situation, ["cluster", "broker-0"], undefined, refusalsOf);
    expect(status).toMatchObject({ phase: "in flight", next: null });
    expect(formatStatus(status, ".rollout/demo/log.jsonl").split("\n").slice(-7).join("\n"))
      .toMatchInlineSnapshot(`
     "deployed: terraform.demo.tfstate, serial 7
     a deploy would be refused by leave-hook-runs: tainted hosts of broker-0 would
       be replaced, and no hook would make their work leave:
       terraform_data.broker-0-1
     next: terraform -chdir=cdktf.out/demo/broker-0 untaint
       terraform_data.broker-0-1; then raise generations[0] of pool broker to replace
       the group whole"
    `);
    expect(formatStatus(statusOf(situation, ["cluster"]), ".rollout/demo/log.jsonl")).toContain(
      "next: npx rollout deploy broker-0",
    );
  });

  test("of a run that failed", () => {
    expect(format(situationOf(pending, inFlight, { events: GATE_FAILED }))).toMatchInlineSnapshot(`
     "demo  failed: broker-0 gate: not ready within 15m
     POOL           0            1           2
     consul-server  ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     broker         ◌ in flight  ✔ ami-0aaa  ✔ ami-0aaa

     broker-0 is in flight: terraform_data.broker-0-leave is missing: the group has
       left
     last run: rollout deploy broker-0, ended failed
     log: .rollout/demo/log.jsonl, last line 12m ago
     deployed: terraform.demo.tfstate, serial 7
     next: npx rollout deploy broker-0, or back: npx rollout undo broker-0"
    `);
  });

  test("of a run whose process is gone", () => {
    expect(format(situationOf(pending, inFlight, { events: DRAINING }))).toMatchInlineSnapshot(`
     "demo  in flight: broker-0; no run is under way
     POOL           0            1           2
     consul-server  ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa   ✔ ami-0aaa  ✔ ami-0aaa
     broker         ◌ in flight  ✔ ami-0aaa  ✔ ami-0aaa

     broker-0 is in flight: terraform_data.broker-0-leave is missing: the group has
       left
     last run: rollout deploy broker-0, its process is gone
     log: .rollout/demo/log.jsonl, last line 1m ago
     deployed: terraform.demo.tfstate, serial 7
     next: npx rollout deploy broker-0"
    `);
  });

  test("of a cluster that is new", () => {
    expect(format(situationOf(spec, nothing()))).toMatchInlineSnapshot(`
     "demo  pending: all 12 groups are new
     POOL           0      1      2
     consul-server  + new  + new  + new
     nomad-server   + new  + new  + new
     name-server    + new  + new  + new
     broker         + new  + new  + new

     deployed: terraform.demo.tfstate, which is empty (a backend that is named
       wrong looks the same)
     next: npx rollout deploy cluster"
    `);
  });

  test("of a spec that the policy refuses", () => {
    const two = change(pending, (draft) => {
      poolOf(draft, "broker").images[1] = "ami-0bbb";
    });
    expect(format(situationOf(two, standing))).toMatchInlineSnapshot(`
     "demo  invalid spec: 2 groups are pending and rollout.pendingGroups is one:
       broker-0, broker-1
     POOL           0           1           2
     consul-server  ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     nomad-server   ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     name-server    ✔ ami-0aaa  ✔ ami-0aaa  ✔ ami-0aaa
     broker         ◷ pending   ◷ pending   ✔ ami-0aaa

     broker-0 is pending: ami-0aaa -> ami-0bbb
     broker-1 is pending: ami-0aaa -> ami-0bbb
     deployed: terraform.demo.tfstate, serial 7
     next: set all but one of the pending groups back, or set
       rollout.pendingGroups: queue"
    `);
  });

  test("of one whose protection is off", () => {
    const open = change(pending, (draft) => {
      draft.protection = "off";
    });
    expect(format(situationOf(open, standing)).split("\n").at(-1)).toBe(
      "next: no group is rolled while protection is off; it is for a teardown",
    );
  });
});

test("an undo that is owed is named once for all of its machines, with what ends that", () => {
  const owed = [0, 1].map((host) => ({ group: "broker-0", step: "step silence (beforeLeave)", at: host }));
  const text = format(situationOf(spec, standing, { owed }));
  expect(text.split("\n").slice(-5)).toMatchInlineSnapshot(`
   [
     "",
     "owed: undo of step silence (beforeLeave) of broker-0, which has left the spec:",
     "  put it back or do it by hand; the next roll of the group forgets it",
     "deployed: terraform.demo.tfstate, serial 7",
     "next: nothing, all groups are as desired",
   ]
  `);
  const stepped = change(spec, (draft) => {
    const act = { command: ["true"], timeout: "5s" };
    poolOf(draft, "broker").steps.beforeLeave = [{ name: "silence", ...act, onFailure: "stop", undo: act }];
  });
  expect(
    format(situationOf(stepped, standing, { owed }))
      .split("\n")
      .slice(-4),
  ).toMatchInlineSnapshot(`
   [
     "owed: undo of step silence (beforeLeave) of broker-0; it is run by: npx",
     "  rollout deploy broker-0",
     "deployed: terraform.demo.tfstate, serial 7",
     "next: nothing, all groups are as desired",
   ]
  `);
});

test("long ids are cut in their middle, so that no line has more than 80 columns", () => {
  const long = change(spec, (draft) => {
    poolOf(draft, "consul-server").images = [
      "ami-0123456789abcdef0",
      "ami-0123456789abcdef1",
      "ami-0123456789abcdef2",
    ];
  });
  const text = format(situationOf(long, deployedAs(long)));
  expect(text.split("\n")[2]).toBe(
    "consul-server  ✔ ami-01234…9abcdef0  ✔ ami-01234…9abcdef1  ✔ ami-01234…9abcdef2",
  );
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

function format(situation: Situation): string {
  const { spec, deployed } = situation;
  const status = statusOf(situation, offeredViews(spec, deployed));
  return formatStatus(status, ".rollout/demo/log.jsonl");
}
