import { describe, expect, test } from "@jest/globals";
import { statusOf, statusSchema, type GroupStatus, type Status } from "../../../rollout/status/status.js";
import { offeredViews } from "../../../rollout/roll/views.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf } from "../../../cluster/groups.js";
import { withRecordedSizes } from "../../../cluster/recorded-sizes.js";
import { templateOf } from "../../../cluster/template-hash.js";
import type { Window } from "../../../rollout/roll/windows.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { baselineOf } from "../../../stacks/baseline.js";
import {
  change,
  deployedAs,
  groupIn,
  localSpec,
  nothing,
  poolOf,
  smallAwsSpec,
  withGroup,
} from "../../support/fixtures.js";
import type { Situation } from "../../../rollout/status/situation.js";
import { ago, DRAINING, GOAL, PAUSE, RUN, runOf, situationOf } from "../../support/situation.js";

const local = localSpec();
const standing = deployedAs(local);
const rolling = change(local, (spec) => {
  poolOf(spec, "broker").images[0] = "ami-0bbb";
});
const inFlight = withGroup(standing, "name-server-1", { leave: false });

describe("a group is", () => {
  test("current where it is as desired", () => {
    expect(groupOf(status(local, standing), "broker-0")).toEqual({
      name: "broker-0",
      pool: "broker",
      index: 0,
      state: "current",
      image: { deployed: "ami-0aaa", desired: "ami-0aaa" },
      hosts: { deployed: 3, desired: 3 },
      revision: 1,
      reason: null,
      differs: [],
    });
  });

  test("pending where its view is offered", () => {
    expect(groupOf(status(rolling, standing), "broker-0")).toMatchObject({
      state: "pending",
      image: { deployed: "ami-0aaa", desired: "ami-0bbb" },
      reason: "ami-0aaa -> ami-0bbb",
    });
  });

  test("in flight with how far it has come, where it is replaced a few machines at a time", () => {
    const { hosts } = groupIn(standing, "broker-0");
    const { hash } = findGroup(rolling, "broker-0");
    const half = withGroup(standing, "broker-0", {
      hosts: hosts.map((host) => (host.number === 0 ? { ...host, image: "ami-0bbb", hash } : host)),
      ready: { hosts: hosts.map(({ id }) => id).join(","), hash, gate: "closed" },
    });
    const { state, reason, image } = groupOf(status(rolling, half), "broker-0");
    expect(state).toBe("in flight");
    expect(image).toEqual({ deployed: "ami-0aaa", desired: "ami-0bbb" });
    expect(reason).toMatch(
      /^1 of 3 machines is of the desired template, terraform_data\.broker-0-ready: its gate is closed, its hosts run 2 templates: /,
    );
    expect(groupOf(status(local, half), "broker-0").reason).toMatch(
      /^2 of 3 machines are of the desired template, /,
    );
  });

  test("frozen where it is pending and waits behind another", () => {
    expect(groupOf(status(rolling, inFlight), "broker-0")).toMatchObject({
      state: "frozen",
      reason: "ami-0aaa -> ami-0bbb",
    });
  });

  test("in flight where its roll has begun, pending or not", () => {
    expect(groupOf(status(rolling, inFlight), "name-server-1")).toMatchObject({
      state: "in flight",
      reason: "terraform_data.name-server-1-leave is missing: the group has left",
    });
    const both = withGroup(standing, "broker-0", { leave: false });
    expect(groupOf(status(rolling, both), "broker-0").state).toBe("in flight");
  });

  test("in flight while its work leaves, which the log alone knows, whether a run is at it or was cut off", () => {
    const said = { state: "in flight", reason: "its work has begun to leave" };
    const leaving = (more: object, spec = rolling): Status =>
      statusOf(situationOf(spec, standing, { events: DRAINING, ...more }), ["cluster", "broker-0"]);
    expect(groupOf(leaving({ run: RUN }), "broker-0")).toMatchObject(said);
    expect(leaving({ run: RUN })).toMatchObject({ phase: "progressing", run: { group: "broker-0" } });
    expect(groupOf(leaving({}), "broker-0")).toMatchObject(said);
    expect(leaving({})).toMatchObject({ phase: "in flight", run: null });
    // Set back in the spec meanwhile, it has left all the same.
    expect(groupOf(leaving({}, local), "broker-0")).toMatchObject(said);
    expect(groupOf(leaving({ events: DRAINING.slice(0, 4) }), "broker-0").state).toBe("pending");
  });

  test("new where it has no revision, whether or not some of it is there", () => {
    expect(groupOf(status(local, nothing()), "broker-0")).toMatchObject({
      state: "new",
      image: { deployed: null, desired: "ami-0aaa" },
      hosts: { deployed: 0, desired: 3 },
      revision: null,
      reason: null,
    });
    const half = withGroup(standing, "broker-0", { revisions: [] });
    expect(groupOf(status(local, half), "broker-0").state).toBe("new");
  });

  test("known by its last revision where it has lost all of its hosts", () => {
    const lost = withGroup(standing, "broker-0", { hosts: [] });
    expect(groupOf(status(local, lost), "broker-0").image.deployed).toBe("ami-0aaa");
    expect(groupIn(lost, "broker-0").hosts).toEqual([]);
  });
});

describe("a pool that retires", () => {
  const retiring = change(local, (spec) => {
    poolOf(spec, "broker").retire = "keep-volumes";
  });
  const emptied = (...groups: readonly string[]): Deployed =>
    groups.reduce(
      (deployed, name) =>
        withGroup(deployed, name, { hosts: [], ready: { hosts: "", hash: "gone", gate: "open" } }),
      standing,
    );

  test("is pending group by group, and retired where it has no host any more", () => {
    const before = status(retiring, emptied("broker-0"));
    expect(groupOf(before, "broker-0")).toMatchObject({
      state: "retired",
      hosts: { deployed: 0, desired: 0 },
    });
    expect(groupOf(before, "broker-1")).toMatchObject({ state: "pending", reason: "retires, 3 -> 0 hosts" });
    expect(before).toMatchObject({ next: "npx rollout deploy broker-1", leftovers: [] });
  });

  test("ends by the cluster view", () => {
    expect(status(retiring, emptied("broker-0", "broker-1", "broker-2"))).toMatchObject({
      next: "npx rollout deploy cluster",
      leftovers: [{ pool: "broker", volumes: "keep-volumes" }],
    });
  });

  test("is no new pool where nothing of it is deployed", () => {
    const gone = {
      ...standing,
      groups: new Map([...standing.groups].filter(([name]) => !name.startsWith("broker-"))),
      addresses: new Set([...standing.addresses].filter((address) => !address.includes(".broker-"))),
    };
    const after = status(retiring, gone);
    expect(groupOf(after, "broker-0").state).toBe("retired");
    expect(after).toMatchObject({ next: null, leftovers: [{ pool: "broker", addresses: 0 }] });
  });

  test("waits where another pool is pending, too, and only one change may be", () => {
    const both = change(retiring, (spec) => {
      poolOf(spec, "name-server").images[0] = "ami-0bbb";
    });
    expect(status(both, standing).next).toBeNull();
  });
});

test("names the view beside the command, and none where the command deploys nothing", () => {
  expect(status(local, nothing())).toMatchObject({ next: "npx rollout deploy cluster", nextView: "cluster" });
  expect(status(rolling, standing)).toMatchObject({
    next: "npx rollout deploy broker-0",
    nextView: "broker-0",
  });
  expect(status(local, standing)).toMatchObject({ next: null, nextView: null });
});

describe("next is", () => {
  test("nothing where all is as desired", () => {
    expect(status(local, standing).next).toBeNull();
  });

  test("the cluster where something is new", () => {
    expect(status(local, nothing()).next).toBe("npx rollout deploy cluster");
  });

  test("the pending group, or the first of a queue", () => {
    expect(status(rolling, standing).next).toBe("npx rollout deploy broker-0");
    const queued = change(rolling, (spec) => {
      spec.rollout.pendingGroups = "queue";
      spec.pools["consul-server"].images[2] = "ami-0bbb";
    });
    expect(status(queued, standing).next).toBe("npx rollout deploy consul-server-2");
  });

  test("nothing where two are pending and one may be", () => {
    const two = change(rolling, (spec) => {
      poolOf(spec, "broker").images[1] = "ami-0bbb";
    });
    expect(status(two, standing).next).toBeNull();
  });

  test("the group in flight before all, and of several the one whose view is offered", () => {
    expect(status(rolling, inFlight).next).toBe("npx rollout deploy name-server-1");
    const two = withGroup(inFlight, "broker-2", { leave: false });
    expect(offeredViews(rolling, two)).toEqual(["cluster", "broker-2"]);
    expect(status(rolling, two).next).toBe("npx rollout deploy broker-2");
  });

  test("no group while protection is off", () => {
    const open = change(rolling, (spec) => {
      spec.protection = "off";
    });
    expect(status(open, standing).next).toBeNull();
    expect(status(open, inFlight).next).toBeNull();
  });
});

test("says where deployed was read, and whether it is for a review or empty", () => {
  expect(status(local, standing).deployed).toEqual({
    origin: "terraform.demo.tfstate, serial 7",
    forReview: false,
    empty: false,
  });
  expect(status(local, nothing()).deployed).toMatchObject({ empty: true });
  expect(status(local, baselineOf(local, "git:main")).deployed).toMatchObject({
    origin: "git:main (for a review, not the state)",
    forReview: true,
  });
});

describe("the checks of a pool", () => {
  const checked = change(local, (spec) => {
    poolOf(spec, "broker").ready.checks = [
      { name: "in-sync", command: ["true"], interval: "5s", timeout: "5s" },
    ];
  });
  const gate = (group: string, message: string) =>
    [
      [9, "group-started", { group, to: "ami-0bbb" }],
      [8, "step-started", { group, step: "gate" }],
      [7, "waiting", { group, step: "gate", message }],
      [6, "group-ended", { group, result: "ok" }],
    ] as const;

  test("are what they answered at the gate that was passed last, whichever of its groups that was", () => {
    const events = runOf(
      ...gate("broker-1", "its checks passed: check-in-sync (3 of 3)"),
      ...gate("broker-0", "check-in-sync (2 of 3): broker-0-1 is behind"),
      ...gate("name-server-0", "its checks passed: check-other (1 of 1)"),
    );
    expect(status(checked, standing, events).checks).toEqual([
      { pool: "broker", group: "broker-1", at: ago(7), answers: "check-in-sync (3 of 3)" },
    ]);
  });

  test("are not known before, and of a pool without any nothing is said", () => {
    expect(status(checked, standing).checks).toEqual([
      { pool: "broker", group: null, at: null, answers: null },
    ]);
    expect(status(local, standing).checks).toEqual([]);
  });
});

describe("a group that is to be rolled waits", () => {
  const slow = change(rolling, (spec) => {
    Object.assign(spec.rollout, { interval: "15m", manual: true, pauseAfter: ["name-server-0"] });
  });
  const ended = runOf(
    [9, "group-started", { group: "name-server-0", to: "ami-0aaa" }],
    [8, "step-started", { group: "name-server-0", step: "leave" }],
    [5, "group-ended", { group: "name-server-0", result: "ok" }],
    [5, "run-ended", { result: "ok" }],
  );

  test("for what the pace says, by the ids that `--despite` takes", () => {
    expect(status(slow, standing, ended).waits).toEqual([
      { group: "broker-0", id: "manual", reason: "rollout.manual: every group waits", until: null },
      {
        group: "broker-0",
        id: "pause-after",
        reason: "rollout.pauseAfter names name-server-0",
        until: null,
      },
      { group: "broker-0", id: "interval", reason: "rollout.interval: 15m", until: ago(-10) },
    ]);
  });

  test("where a goal asks for it, too, and not where nothing is to be rolled, has begun, or protection is off", () => {
    const waitsOf = (more: Partial<Situation>, spec = slow, deployed = standing) =>
      statusOf(
        situationOf(spec, deployed, { events: ended, ...more }),
        offeredViews(spec, deployed),
      ).waits.map(({ group, id }) => `${group} ${id}`);
    const asDesired = change(slow, (spec) => {
      poolOf(spec, "broker").images[0] = "ami-0aaa";
    });
    expect(waitsOf({}, asDesired)).toEqual([]);
    const goal = { ...GOAL, groups: ["broker-1"] };
    expect(waitsOf({ goal }, asDesired)).toEqual([
      "broker-1 manual",
      "broker-1 pause-after",
      "broker-1 interval",
    ]);
    expect(waitsOf({ hold: PAUSE })).toContain("broker-0 paused");
    expect(waitsOf({}, slow, withGroup(standing, "broker-0", { leave: false }))).toEqual([]);
    const open = change(slow, (spec) => {
      spec.protection = "off";
    });
    expect(waitsOf({}, open)).toEqual([]);
  });
});

describe("with windows a group waits", () => {
  const days: Window["days"] = ["sat", "sun"];
  const shut = { windows: [{ days, from: "11:00", to: "12:00", zone: "UTC" }] };
  const opens = { group: "broker-0", id: "window", until: ago(-60) };

  test("for one that is closed once the interval has passed, too", () => {
    const windows = [{ days, from: "10:00", to: "10:05", zone: "UTC" }];
    const paced = change(rolling, (spec) => void Object.assign(spec.rollout, { interval: "15m", windows }));
    const ended = runOf(
      [9, "group-started", { group: "broker-2", to: "ami-0aaa" }],
      [5, "group-ended", { group: "broker-2", result: "ok" }],
      [5, "run-ended", { result: "ok" }],
    );
    const reason = "rollout.windows: none is open from 10:10 UTC to 2026-11-22 10:00 UTC";
    expect(status(paced, standing).waits).toEqual([]);
    expect(status(paced, standing, ended).waits).toEqual([
      { group: "broker-0", id: "interval", reason: "rollout.interval: 15m", until: ago(-10) },
      { group: "broker-0", id: "window", reason, until: ago(-24 * 60) },
    ]);
    const closed = change(paced, (spec) => void Object.assign(spec.rollout, shut, { interval: "3h" }));
    expect(status(closed, standing, ended).waits).toEqual([
      { group: "broker-0", id: "interval", reason: "rollout.interval: 3h", until: ago(-175) },
      expect.objectContaining({ group: "broker-0", id: "window", until: ago(-25 * 60) }),
    ]);
  });

  test("whose volumes alone are changed, in place", () => {
    const small = smallAwsSpec();
    const stood = groupsOf(small).reduce((deployed, group) => {
      const revisions = groupIn(deployed, group.name).revisions.map((each) => ({
        ...each,
        template: templateOf(group),
      }));
      return withGroup(deployed, group.name, { revisions });
    }, deployedAs(small));
    const larger = change(small, (spec) => {
      const [volume] = poolOf(spec, "broker").dataVolumes ?? [];
      if (!volume) throw new Error("no volume of broker-0");
      volume.sizeGib += 100;
      Object.assign(spec.rollout, shut);
    });
    const found = status(withRecordedSizes(larger, stood), stood);
    expect(groupOf(found, "broker-0").state).toBe("differs");
    expect(found.waits).toEqual([expect.objectContaining(opens)]);
  });

  test("that is to be rolled, and no other", () => {
    const paced = change(rolling, (spec) => void Object.assign(spec.rollout, shut));
    expect(status(paced, standing).waits).toEqual([expect.objectContaining(opens)]);
  });
});

function status(spec: Spec, deployed: Deployed, events: readonly LogEvent[] = []): Status {
  const found = statusOf(situationOf(spec, deployed, { events }), offeredViews(spec, deployed));
  expect(statusSchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found);
  return found;
}

function groupOf({ groups }: Status, name: string): GroupStatus {
  const found = groups.find((group) => group.name === name);
  if (!found) throw new Error(`no group ${name}`);
  return found;
}
