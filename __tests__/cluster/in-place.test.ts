import { describe, expect, test } from "@jest/globals";
import type { Deployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { groupsOf } from "../../cluster/groups.js";
import { formatHookFile, parseHookFile } from "../../cluster/hooks/hook-file.js";
import { changesInPlace, groupsInPlace } from "../../cluster/in-place.js";
import { describePending, pendingGroups } from "../../cluster/pending.js";
import { asWritten, withRecordedSizes } from "../../cluster/recorded-sizes.js";
import { templateOf } from "../../cluster/template-hash.js";
import { setGroups } from "../../cluster/yaml/edit.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { formatStatus } from "../../cli/output/status.js";
import { refusedByState } from "../../guard/refused-by-state.js";
import { dataVolumeKept } from "../../guard/rules/data-volume-kept.js";
import { formatViolation } from "../../guard/verdict.js";
import { undoOf } from "../../rollout/edit/undo.js";
import { reviewOf } from "../../rollout/review/review.js";
import { nextInGroup } from "../../rollout/roll/next-step.js";
import { offeredViews } from "../../rollout/roll/views.js";
import { baselineOf } from "../../stacks/baseline.js";
import { statusOf } from "../../rollout/status/status.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  proposalOf,
  smallAwsSpec,
  verdictOf,
  withGroup,
} from "../support/fixtures.js";
import { situationOf } from "../support/situation.js";
import { exampleWith } from "./yaml/example.js";

/** That of broker-0 in the example. */
const VOLUME = "{ sizeGib: 100, type: gp3 }";

type Volume = NonNullable<Spec["pools"][string]["dataVolumes"]>[number];

/** What the state says, with the templates that this version records. */
const recorded = (spec: Spec): Deployed =>
  groupsOf(spec).reduce((deployed, group) => {
    const revisions = groupIn(deployed, group.name).revisions.map((each) => ({
      ...each,
      template: templateOf(group),
    }));
    return withGroup(deployed, group.name, { revisions });
  }, deployedAs(spec));

const standing = recorded(smallAwsSpec());
const [, ...others] = ["broker-0", "broker-1", "broker-2"];

/** The spec with other data volumes of broker-0, as it is held against what is deployed. */
const wanting = (volume: Partial<Volume>, more: (spec: Spec) => void = () => undefined): Spec => {
  const spec = change(smallAwsSpec(), (edited) => {
    Object.assign(poolOf(edited, "broker").dataVolumes?.[0] ?? {}, volume);
    more(edited);
  });
  return withRecordedSizes(spec, standing);
};
const image = (spec: Spec): void => {
  poolOf(spec, "broker").images[0] = "ami-0bbb";
};

/** The same with the machines of another image. */
const ofImage = findGroup(wanting({}, image), "broker-0");
const rolled = withGroup(standing, "broker-0", {
  hosts: groupIn(standing, "broker-0").hosts.map((host) => ({
    ...host,
    image: ofImage.image,
    hash: ofImage.hash,
  })),
  ready: { hosts: "i-broker-0-0", hash: ofImage.hash, gate: "open" },
  revisions: [
    ...groupIn(standing, "broker-0").revisions,
    {
      ...{ number: 2, image: ofImage.image, hash: ofImage.hash, generation: 0, cause: "second" },
      template: templateOf(ofImage),
    },
  ],
});

/** What the view of broker-0 does to its data volumes. */
const changedVolumes = (spec: Spec, deployed: Deployed) =>
  proposalOf(spec, deployed, "broker-0").changes.flatMap(({ member, detail }) =>
    member?.kind === "data" ? [detail] : [],
  );

describe("a group whose data volumes alone are to be otherwise", () => {
  const spec = wanting({ sizeGib: 200, iops: 6000 });
  const group = findGroup(spec, "broker-0");

  test("keeps its hash, is not pending, and its own view is offered", () => {
    expect(group.hash).toBe(findGroup(smallAwsSpec(), "broker-0").hash);
    expect(pendingGroups(spec, standing)).toEqual([]);
    expect(groupsInPlace(spec, standing).map(({ name }) => name)).toEqual(["broker-0"]);
    expect(changesInPlace(group, groupIn(standing, "broker-0"))).toEqual([
      "volume 100 -> 200 GiB",
      "iops 6000",
    ]);
    expect(offeredViews(spec, standing)).toEqual(["cluster", "broker-0"]);
    expect(nextInGroup(spec, standing, "broker-0")).toEqual({ kind: "in-place" });
    expect(others.map((name) => nextInGroup(spec, standing, name).kind)).toEqual(["done", "done"]);
  });

  test("is named by status, with what comes next", () => {
    const status = statusOf(situationOf(spec, standing), ["cluster", "broker-0"]);
    expect(status).toMatchObject({
      phase: "pending",
      message: "broker-0 differs in place: volume 100 -> 200 GiB, iops 6000",
      next: "npx rollout deploy broker-0",
    });
    expect(status.groups.find(({ name }) => name === "broker-0")).toMatchObject({
      state: "differs",
      reason: "differs in place: volume 100 -> 200 GiB, iops 6000",
    });
    expect(status.groups.filter(({ state }) => state !== "current").map(({ name }) => name)).toEqual([
      "broker-0",
    ]);
  });

  test("is named by a review, and no machine with it", () => {
    const { groups, headline, next } = reviewOf({ spec, deployed: standing, violations: [] });
    expect(headline).toBe(
      "accepted, one group changes: broker-0 (differs in place: volume 100 -> 200 GiB, iops 6000), no machine touched",
    );
    expect(groups).toMatchObject([
      {
        machines: { replaced: 0, created: 0, destroyed: 0, stay: 1 },
        alsoReplaced: [],
        steps: [expect.any(String)],
      },
    ]);
    expect(next).toBe("npx rollout deploy broker-0");
  });

  test("is accepted in its own view, which changes its volume and nothing else, and is frozen in others", () => {
    expect(verdictOf(spec, standing, "broker-0").violations).toEqual([]);
    const { changes, declared } = proposalOf(spec, standing, "broker-0");
    expect(changes.map(({ address, action, detail }) => [address, action, detail])).toEqual([
      ["aws_ebs_volume.broker-0-0-data", "update", "100 GiB -> 200 GiB, iops 6000"],
    ]);
    const volume = (in_: typeof declared) =>
      in_.find(({ address }) => address === "aws_ebs_volume.broker-0-0-data");
    expect(volume(declared)).toMatchObject({ ignoresChanges: false, body: { size: 200, iops: 6000 } });
    const other = proposalOf(spec, standing, "broker-1");
    expect(other.changes).toEqual([]);
    expect(volume(other.declared)).toMatchObject({ ignoresChanges: true, body: { size: 100 } });
    expect(volume(other.declared)?.body).not.toHaveProperty("iops");
  });

  test("changes after its machines, where these are pending, too", () => {
    const both = wanting({ sizeGib: 200, iops: 6000 }, image);
    const current = groupIn(standing, "broker-0");
    expect(describePending(findGroup(both, "broker-0"), current)).toBe(
      "ami-0aaa -> ami-0bbb, 100 GiB gp3 -> 200 GiB gp3, iops 6000",
    );
    expect(nextInGroup(both, standing, "broker-0")).toEqual({ kind: "roll" });
    expect(verdictOf(both, standing, "broker-0").violations).toEqual([]);
    expect(changedVolumes(both, standing)).toEqual([]);
    const [explained] = reviewOf({ spec: both, deployed: standing, violations: [] }).groups;
    expect(explained?.steps.at(-1)).toBe(
      "once that is recorded, and after a question of its own: data volumes changed in place",
    );
    expect(nextInGroup(both, rolled, "broker-0")).toEqual({ kind: "in-place" });
    expect(changedVolumes(both, rolled)).toEqual(["100 GiB -> 200 GiB, iops 6000"]);
  });

  test("is finished as it is while it is in flight, and changed after it", () => {
    const grown = wanting({ sizeGib: 2000 }, image);
    const closed = withGroup(rolled, "broker-0", {
      ready: {
        ...groupIn(rolled, "broker-0").ready,
        hosts: "i-broker-0-0",
        hash: ofImage.hash,
        gate: "closed",
      },
    });
    expect(nextInGroup(grown, closed, "broker-0")).toEqual({ kind: "gate" });
    expect(verdictOf(grown, closed, "broker-0").violations).toEqual([]);
    expect(changedVolumes(grown, closed)).toEqual([]);
    const status = statusOf(situationOf(grown, closed), ["broker-0"]);
    expect(status.groups.find(({ name }) => name === "broker-0")).toMatchObject({
      state: "in flight",
      reason: "null_resource.broker-0-ready: its gate is closed, differs in place: volume 100 -> 2000 GiB",
    });
    expect(nextInGroup(grown, rolled, "broker-0")).toEqual({ kind: "in-place" });
  });

  test("changes with its machines where they get another type, or are recorded with another size", () => {
    const typed = wanting({ sizeGib: 200, type: "gp2" }, image);
    expect(changedVolumes(typed, standing)).toEqual(["100 GiB -> 200 GiB, gp3 -> gp2"]);
    const old = withGroup(standing, "broker-0", {
      revisions: groupIn(standing, "broker-0").revisions.map(({ template, ...rest }) => {
        expect(template).toBeDefined();
        return rest;
      }),
    });
    const grown = withRecordedSizes(asWritten(wanting({ sizeGib: 200 })), old);
    expect(nextInGroup(grown, old, "broker-0")).toEqual({ kind: "roll" });
    expect(changedVolumes(grown, old)).toEqual(["100 GiB -> 200 GiB"]);
  });

  test("is no longer otherwise once the state has it", () => {
    const volumes = groupIn(standing, "broker-0").volumes.map((each) => ({
      ...each,
      sizeGib: 200,
      iops: 6000,
    }));
    const done = withGroup(standing, "broker-0", { volumes });
    expect(groupsInPlace(withRecordedSizes(spec, done), done)).toEqual([]);
    expect(proposalOf(withRecordedSizes(spec, done), done, "broker-0").changes).toEqual([]);
  });

  test("loses by an undo what the type that comes back does not take, and says so", () => {
    const spec = exampleWith([VOLUME, "{ sizeGib: 100, type: gp2 }"]);
    const deployed = recorded(loadSpec(spec, "cluster.yaml"));
    const edited = spec.replace("{ sizeGib: 100, type: gp2 }", "{ sizeGib: 100, type: gp3, iops: 6000 }");
    const undo = undoOf(situationOf(loadSpec(edited, "cluster.yaml"), deployed), "broker-0");
    expect(setGroups(edited, "cluster.yaml", new Map([["broker-0", undo.change]]))).toBe(spec);
    expect(undo.warnings).toEqual(["broker-0: its data volumes lose iops: type gp2 has none of its own"]);
  });

  test("goes back by an undo to the same hash, and to the size that its volumes have", () => {
    const edited = wanting({ sizeGib: 200 }, image);
    expect(undoOf(situationOf(edited, standing), "broker-0")).toMatchObject({
      change: { image: "ami-0aaa", dataVolume: { sizeGib: 100, type: "gp3" }, volumeGib: 100 },
      message:
        "undo broker-0: ami-0bbb -> ami-0aaa, sizeGib 200 -> 100 (back to revision 1: the edit was never rolled)",
      isRolled: false,
      warnings: [],
    });
  });

  test("whose size alone was edited goes back to the one that its volumes have, and no roll is undone", () => {
    const typo = wanting({ sizeGib: 2000 }, image);
    expect(undoOf(situationOf(typo, rolled), "broker-0")).toMatchObject({
      change: { image: "ami-0bbb", volumeGib: 100, generation: 0 },
      message: "undo broker-0: sizeGib 2000 -> 100 (back to revision 2: the edit was never rolled)",
      isRolled: false,
      warnings: [],
    });
    const volumes = groupIn(rolled, "broker-0").volumes.map((each) => ({ ...each, sizeGib: 200 }));
    const grown = withGroup(rolled, "broker-0", { volumes });
    expect(undoOf(situationOf(typo, grown), "broker-0")).toMatchObject({
      message: "undo broker-0: sizeGib 2000 -> 200 (back to revision 2: the edit was never rolled)",
      warnings: ["broker-0: its data volumes stay at 200 GiB: none is ever made smaller"],
    });
  });

  test("refuses to undo an edit of iops alone, which nobody recorded, and names it", () => {
    expect(() => undoOf(situationOf(wanting({ iops: 6000 }, image), rolled), "broker-0")).toThrow(
      "nothing to undo: broker-0 already runs revision 2; differs in place: iops 6000; set that back in the spec",
    );
  });
});

describe("the recorded size", () => {
  const grown = change(smallAwsSpec(), (spec) => {
    Object.assign(poolOf(spec, "broker").dataVolumes?.[0] ?? {}, { sizeGib: 200 });
  });
  const { revisions, hosts } = groupIn(standing, "broker-0");

  test("counts once, however often a spec is held against what is deployed", () => {
    const once = withRecordedSizes(grown, standing);
    expect(once.recordedSizes).toEqual({ "broker-0": 100 });
    expect(withRecordedSizes(once, standing)).toEqual(once);
    expect(asWritten(once)).toEqual(grown);
    expect(findGroup(asWritten(once), "broker-0").hash).toBe(findGroup(grown, "broker-0").hash);
    expect(findGroup(once, "broker-0").hash).toBe(hosts[0]?.hash);
  });

  test("reaches the hooks, which go by the same hash", () => {
    const spec = withRecordedSizes(grown, standing);
    const text = formatHookFile({ spec, deployed: standing, specFolder: "." });
    expect(findGroup(parseHookFile(text).spec, "broker-0").hash).toBe(hosts[0]?.hash);
    expect(formatHookFile({ spec: smallAwsSpec(), deployed: standing, specFolder: "." })).not.toContain(
      "recorded",
    );
  });

  test("is not known of what an earlier version recorded, nor of machines that it made larger", () => {
    const old = revisions.map(({ template: recorded, ...rest }) => {
      expect(recorded).toBeDefined();
      return rest;
    });
    expect(withRecordedSizes(grown, withGroup(standing, "broker-0", { revisions: old }))).toEqual(grown);
    const { hash } = findGroup(grown, "broker-0");
    const half = hosts.map((host) => ({ ...host, hash }));
    expect(withRecordedSizes(grown, withGroup(standing, "broker-0", { hosts: half }))).toEqual(grown);
  });
});

describe("a group that an earlier version has let leave for a larger size alone", () => {
  const grown = asWritten(wanting({ sizeGib: 200 }));
  const left = cutAfterLeave(smallAwsSpec(), standing, "broker-0");
  const spec = withRecordedSizes(grown, left);

  test("is replaced whole, as that would have done", () => {
    expect(spec.recordedSizes).toBeUndefined();
    expect(nextInGroup(spec, left, "broker-0")).toEqual({ kind: "roll" });
    expect(refusedByState(spec, left, "broker-0")).toEqual([]);
    expect(verdictOf(spec, left, "broker-0").violations).toEqual([]);
    const refusals = (group: string) => refusedByState(spec, left, group);
    expect(statusOf(situationOf(spec, left), ["broker-0"], undefined, refusals).next).toBe(
      "npx rollout deploy broker-0",
    );
    const { changes } = proposalOf(spec, left, "broker-0");
    expect(changes.flatMap(({ member, action }) => (member?.kind === "host" ? [action] : []))).toEqual([
      "replace",
    ]);
  });

  test("is not taken for one whose machines have not left", () => {
    const { hosts } = groupIn(standing, "broker-0");
    const joined = withGroup(left, "broker-0", { hosts });
    const addresses = new Set([...left.addresses, "null_resource.broker-0-0-config-consul"]);
    expect(withRecordedSizes(grown, { ...joined, addresses }).recordedSizes).toEqual({ "broker-0": 100 });
  });
});

test("a review against a commit goes by the size that this has", () => {
  const base = baselineOf(smallAwsSpec(), "git:main");
  const grown = change(smallAwsSpec(), (spec) => {
    Object.assign(poolOf(spec, "broker").dataVolumes?.[0] ?? {}, { sizeGib: 200 });
  });
  const spec = withRecordedSizes(grown, base);
  expect(pendingGroups(spec, base)).toEqual([]);
  expect(reviewOf({ spec, deployed: base, violations: [], before: smallAwsSpec() })).toMatchObject({
    headline:
      "accepted, one group changes: broker-0 (differs in place: volume 100 -> 200 GiB), no machine touched",
    settings: [],
  });
});

test("a volume that was made larger by hand stays so, until the spec asks for another size than is recorded", () => {
  const volumes = groupIn(standing, "broker-0").volumes.map((each) => ({ ...each, sizeGib: 300 }));
  const larger = withGroup(standing, "broker-0", { volumes });
  expect(groupsInPlace(smallAwsSpec(), larger)).toEqual([]);
  expect(
    changesInPlace(findGroup(wanting({ sizeGib: 200 }), "broker-0"), groupIn(larger, "broker-0")),
  ).toEqual(["volume 300 -> 200 GiB"]);
});

describe("a growth that was set back in the spec", () => {
  const volumes = groupIn(standing, "broker-0").volumes.map((each) => ({ ...each, sizeGib: 200 }));
  const grown = withGroup(standing, "broker-0", { volumes });
  const said = "data volumes have 200 GiB and the spec says 100; write sizeGib: 200";

  test("is named by status and review, which call the group as desired", () => {
    const status = statusOf(situationOf(smallAwsSpec(), grown), ["cluster"]);
    expect(
      status.groups.flatMap(({ name, state, reason }) => (reason ? [[name, state, reason]] : [])),
    ).toEqual([["broker-0", "current", said]]);
    expect(formatStatus(status, "log")).toContain(`\nbroker-0: ${said}\n`);
    expect(reviewOf({ spec: smallAwsSpec(), deployed: grown, violations: [] }).headline).toBe(
      `accepted, no group changes; broker-0: ${said}`,
    );
  });

  test("refuses the next roll in the group's own view and beforehand, but finishes what is in flight", () => {
    const spec = wanting({}, image);
    const text =
      "data-volume-kept: data volumes cannot be made smaller: aws_ebs_volume.broker-0-0-data (200 -> 100 GiB); give dataVolumes in cluster.yaml at least the size that is deployed";
    expect(verdictOf(spec, grown, "broker-0").violations.map(formatViolation)).toEqual([text]);
    expect(refusedByState(spec, grown, "broker-0").map(formatViolation)).toEqual([text]);
    const smaller = wanting({ sizeGib: 50 }, image);
    expect(verdictOf(smaller, standing, "broker-0").violations).toHaveLength(1);
    expect(refusedByState(smaller, standing, "broker-0")).toHaveLength(1);
    const closed = withGroup(rolled, "broker-0", {
      volumes,
      ready: { hosts: "i-broker-0-0", hash: ofImage.hash, gate: "closed" },
    });
    for (const each of [spec, smaller]) {
      expect(nextInGroup(each, closed, "broker-0")).toEqual({ kind: "gate" });
      expect(verdictOf(each, closed, "broker-0").violations).toEqual([]);
      expect(refusedByState(each, closed, "broker-0")).toEqual([]);
    }
  });
});

test("what the spec does not say of a volume stays as it is", () => {
  const volumes = groupIn(standing, "broker-0").volumes.map((each) => ({
    ...each,
    iops: 6000,
    throughput: 500,
  }));
  const tuned = withGroup(standing, "broker-0", { volumes });
  expect(groupsInPlace(smallAwsSpec(), tuned)).toEqual([]);
  const inState = volumes.map((each) => ({ ...each, id: "vol-0a1" }));
  const { declared } = proposalOf(
    smallAwsSpec(),
    withGroup(standing, "broker-0", { volumes: inState }),
    "broker-1",
  );
  const frozen = declared.find(({ address }) => address === "aws_ebs_volume.broker-0-0-data");
  expect(frozen?.body).toMatchObject({ size: 100 });
  expect(frozen?.body).not.toHaveProperty("iops");
  expect(changesInPlace(findGroup(wanting({ iops: 3000 }), "broker-0"), groupIn(tuned, "broker-0"))).toEqual([
    "iops 6000 -> 3000",
  ]);
});

test("refuses a smaller volume in the group's own view and beforehand, and in no other", () => {
  const spec = wanting({ sizeGib: 50 });
  const text =
    "data-volume-kept: data volumes cannot be made smaller: aws_ebs_volume.broker-0-0-data (100 -> 50 GiB); give dataVolumes in cluster.yaml at least the size that is deployed";
  expect(verdictOf(spec, standing, "broker-0").violations.map(formatViolation)).toEqual([text]);
  expect(refusedByState(spec, standing, "broker-0").map(formatViolation)).toEqual([text]);
  expect(verdictOf(spec, standing, "broker-1").violations).toEqual([]);
  expect(refusedByState(spec, standing, "broker-1")).toEqual([]);
  expect(refusedByState(wanting({ sizeGib: 200 }), standing, "broker-0")).toEqual([]);
});

test("refuses no smaller volume of a host that is gone, nor of a pool that retires", () => {
  const spec = wanting({ sizeGib: 150 });
  const parked = { host: 1, sizeGib: 200, type: "gp3" };
  const shrunk = withGroup(standing, "broker-0", {
    volumes: [...groupIn(standing, "broker-0").volumes, parked],
  });
  expect(refusedByState(spec, shrunk, "broker-0")).toEqual([]);
  const grown = change(spec, (edited) => {
    poolOf(edited, "broker").hosts = [2, 1, 1];
  });
  expect(refusedByState(grown, shrunk, "broker-0")).toHaveLength(1);
  const retiring = change(wanting({ sizeGib: 50 }), (edited) => {
    poolOf(edited, "broker").retire = "keep-volumes";
  });
  expect(refusedByState(retiring, standing, "broker-0")).toEqual([]);
});

test("refuses a plan that does not say what the spec does of iops", () => {
  const spec = wanting({ iops: 6000 });
  const proposal = proposalOf(spec, standing, "broker-0");
  const before = { size: 100, type: "gp3", iops: 3000, throughput: 125 };
  const refusals = (after: object, of = proposal) =>
    dataVolumeKept({
      ...of,
      changes: proposal.changes.map((each) => ({
        ...each,
        planned: { address: each.address, imported: false, actions: ["update"], before, after },
      })),
    });
  expect(refusals({ ...before, iops: 6000 })).toEqual([]);
  expect(refusals({ size: 100, type: "gp3", iops: 6000 })).toEqual([]);
  for (const iops of [9000, null, undefined])
    expect(refusals({ ...before, iops })).toMatchObject([{ rule: "data-volume-kept" }]);
  // What a roll leaves as it is may get another tag.
  expect(refusals(before)).toEqual([]);
  expect(refusals(before, { ...proposal, target: "broker-1" })).toHaveLength(1);
});

test("two groups may differ in place, and the view of each has its own", () => {
  const spec = wanting({ iops: 6000 }, (edited) => {
    Object.assign(poolOf(edited, "broker").dataVolumes?.[1] ?? {}, { sizeGib: 150 });
  });
  expect(offeredViews(spec, standing)).toEqual(["cluster", "broker-0", "broker-1"]);
  for (const name of ["broker-0", "broker-1"]) {
    expect(verdictOf(spec, standing, name).violations).toEqual([]);
    expect(proposalOf(spec, standing, name).changes.map(({ address }) => address)).toEqual([
      `aws_ebs_volume.${name}-0-data`,
    ]);
  }
});

test("a local volume has the same", () => {
  const deployed = recorded(localSpec());
  const spec = change(localSpec(), (edited) => {
    Object.assign(poolOf(edited, "broker").dataVolumes?.[0] ?? {}, { sizeGib: 200, throughput: 500 });
  });
  const held = withRecordedSizes(spec, deployed);
  const { changes, ...proposal } = proposalOf(held, deployed, "broker-0");
  expect(changes.map(({ address, detail }) => [address, detail])).toEqual(
    [0, 1, 2].map((host) => [
      `terraform_data.broker-0-${String(host)}-data`,
      "100 GiB -> 200 GiB, throughput 500",
    ]),
  );
  expect(dataVolumeKept({ changes, ...proposal })).toEqual([]);
});
