import { expect, test } from "@jest/globals";
import { withDead } from "../../../cluster/deployed.js";
import { groupsOf } from "../../../cluster/groups.js";
import { leaveHookRuns } from "../../../guard/rules/leave-hook-runs.js";
import {
  change,
  cutAfterLeave,
  declaring,
  deployedAs,
  groupIn,
  nothing,
  poolOf,
  proposalOf,
  smallSpec,
  withGroup,
} from "../../support/fixtures.js";
import { judge, readFixture } from "../plan/plan-fixture.js";

const standing = deployedAs(smallSpec());
const spec = change(smallSpec(), (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});
const LEAVE = "terraform_data.broker-0-leave";
const base = proposalOf(spec, standing, "broker-0");
const isBroker0 = ({ name }: { name: string }): boolean => name === "broker-0";

test("accepts views as they are rendered", () => {
  expect(leaveHookRuns(base)).toEqual([]);
  expect(leaveHookRuns(proposalOf(spec, standing, "cluster"))).toEqual([]);
  expect(leaveHookRuns(proposalOf(spec, nothing(), "cluster"))).toEqual([]);
});

test.each([
  ["is frozen", { preventsDestroy: true }],
  ["ignores changes", { ignoresChanges: true }],
])("refuses a leave that %s in the view of its group", (_, values) => {
  expect(leaveHookRuns(declaring(base, LEAVE, values))).toMatchObject([
    { rule: "leave-hook-runs", subjects: [LEAVE] },
  ]);
});

test("refuses a leave that ignores some of its changes, or is made for another template", () => {
  const { body = {} } = base.declared.find(({ address }) => address === LEAVE) ?? {};
  for (const values of [
    { ...body, lifecycle: { ignore_changes: ["triggers_replace"] } },
    { ...body, triggers_replace: { hash: "other" } },
  ]) {
    expect(leaveHookRuns(declaring(base, LEAVE, { body: values }))).toMatchObject([{ subjects: [LEAVE] }]);
  }
});

test("refuses a new group without a leave in the cluster view", () => {
  const cluster = proposalOf(spec, nothing(), "cluster");
  const declared = cluster.declared.filter(({ address }) => address !== LEAVE);
  expect(leaveHookRuns({ ...cluster, declared })).toMatchObject([{ subjects: [LEAVE] }]);
});

test("refuses create_before_destroy anywhere in a group", () => {
  const body = { lifecycle: { create_before_destroy: true } };
  const proposal = declaring(base, "terraform_data.broker-1-revision", { body });
  expect(leaveHookRuns(proposal)).toMatchObject([{ subjects: ["terraform_data.broker-1-revision"] }]);
});

test("once leave has run, the group goes on and does not stay", () => {
  const left = cutAfterLeave(spec, standing, "broker-0");
  expect(leaveHookRuns(proposalOf(spec, left, "broker-0"))).toEqual([]);
  expect(leaveHookRuns(proposalOf(smallSpec(), left, "broker-0"))).toMatchObject([
    { subjects: ["broker-0-0"] },
  ]);
});

test("where leave is gone and machines are told of Consul, they stay and do not go", () => {
  const joined = withGroup(standing, "broker-0", { leave: false });
  expect(leaveHookRuns(proposalOf(smallSpec(), joined, "broker-0"))).toEqual([]);
  expect(leaveHookRuns(proposalOf(spec, joined, "broker-0"))).toMatchObject([{ subjects: ["broker-0-0"] }]);
});

test("a machine whose config_consul failed, or was made for its predecessor, has not joined and may go", () => {
  const tainted = ["terraform_data.broker-0-0-config-consul"];
  const failed = withGroup(standing, "broker-0", { leave: false, tainted });
  expect(leaveHookRuns(proposalOf(spec, failed, "broker-0"))).toEqual([]);
  const hosts = groupIn(standing, "broker-0").hosts.map((host) => ({ ...host, id: "i-new" }));
  const fresh = withGroup(standing, "broker-0", { leave: false, hosts });
  expect(leaveHookRuns(proposalOf(spec, fresh, "broker-0"))).toEqual([]);
});

test("a machine that was seen dead is replaced without a leave, and refuses one that is only tainted", () => {
  const { platform } = smallSpec();
  const [host] = groupIn(standing, "broker-0").hosts;
  const dead = withDead(standing, { name: "broker-0", platform, ids: new Set([host?.id ?? ""]) });
  expect(leaveHookRuns(proposalOf(smallSpec(), dead, "broker-0"))).toEqual([]);
  const tainted = withGroup(standing, "broker-0", { tainted: groupIn(dead, "broker-0").dead ?? [] });
  expect(leaveHookRuns(proposalOf(smallSpec(), tainted, "broker-0"))).toMatchObject([
    { subjects: ["terraform_data.broker-0-0"] },
  ]);
});

test("refuses a plan that replaces a machine of the same template, unless it was seen dead", () => {
  const fixture = readFixture("replace-own-host");
  const { spec: own, deployed } = fixture;
  const [first] = groupIn(deployed, "broker-0").hosts;
  const rules = (ids: readonly string[]): unknown => {
    const seen = withDead(deployed, { name: "broker-0", platform: own.platform, ids: new Set(ids) });
    return judge({ ...fixture, deployed: seen }).violations.map(({ rule }) => rule);
  };
  expect(rules([first?.id ?? ""])).not.toContain("leave-hook-runs");
  expect(rules([])).toContain("leave-hook-runs");
  expect(rules(["another"])).toContain("leave-hook-runs");
});

test("machines of the new template that were not told yet stay, where the roll to it goes on", () => {
  const hash = groupsOf(spec).find(isBroker0)?.hash ?? "";
  const cut = cutAfterLeave(spec, standing, "broker-0");
  const hosts = groupIn(cut, "broker-0").hosts.map((host) => ({ ...host, hash, image: "v2" }));
  expect(leaveHookRuns(proposalOf(spec, withGroup(cut, "broker-0", { hosts }), "broker-0"))).toEqual([]);
});

test("refuses that a machine goes unasked with a shrinking group, where leave is gone and it is told of Consul", () => {
  const [two, one] = [2, 1].map((hosts) =>
    change(smallSpec(), (edited) => {
      poolOf(edited, "broker").hosts = [hosts, 1, 1];
    }),
  ) as [typeof spec, typeof spec];
  const joined = withGroup(deployedAs(two), "broker-0", { leave: false });
  expect(leaveHookRuns(proposalOf(one, joined, "broker-0"))).toMatchObject([{ subjects: ["broker-0-1"] }]);
});

test("asks nothing while protection is off", () => {
  const open = change(spec, (edited) => {
    edited.protection = "off";
  });
  expect(leaveHookRuns(proposalOf(open, nothing(), "cluster"))).toEqual([]);
});
