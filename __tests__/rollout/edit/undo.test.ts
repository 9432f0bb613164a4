import { describe, expect, test } from "@jest/globals";
import { undoOf, type Undo } from "../../../rollout/edit/undo.js";
import type { Situation } from "../../../rollout/status/situation.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import { nextRevisions, type Revision } from "../../../cluster/revision.js";
import { templateHash } from "../../../cluster/template-hash.js";
import {
  change,
  deployedAs,
  groupIn,
  localSpec,
  nothing,
  poolOf,
  withGroup,
} from "../../support/fixtures.js";
import { PAUSE, RUN, situationOf } from "../../support/situation.js";
import { errorOf } from "../../cluster/yaml/example.js";

const spec = localSpec();

/** What broker-1 ran, from number 11 on; the last one is what it runs. */
function after(images: readonly string[], generation = 0): { spec: typeof spec; deployed: Deployed } {
  const now = change(spec, (draft) => {
    poolOf(draft, "broker").images[1] = images.at(-1) ?? "";
    poolOf(draft, "broker").generations = [0, generation, 0];
  });
  const deployed = deployedAs(now);
  const { volumes, hosts } = groupIn(deployed, "broker-1");
  const [volume] = volumes;
  const revisions = images.map((image, index): Revision => ({
    number: 11 + index,
    image,
    generation: index === images.length - 1 ? generation : 0,
    hash:
      index === images.length - 1
        ? (hosts[0]?.hash ?? "")
        : templateHash({
            image,
            instanceType: "m6i.large",
            generation: 0,
            ...(volume ? { dataVolume: { sizeGib: volume.sizeGib, type: "gp3" } } : {}),
          }),
    cause: "any",
  }));
  return { spec: now, deployed: withGroup(deployed, "broker-1", { revisions }) };
}

const BROKER = { instanceType: "m6i.large", dataVolume: { sizeGib: 100, type: "gp3" } };

const whole = after(["ami-0aaa", "ami-0bbb", "ami-0ccc"]);
const situation = situationOf(whole.spec, whole.deployed);
const begun = (): Situation => {
  const half = withGroup(whole.deployed, "broker-1", { leave: false });
  return situationOf(desiring("ami-0ddd"), half);
};
const desiring = (image: string) =>
  change(whole.spec, (draft) => {
    poolOf(draft, "broker").images[1] = image;
  });

describe("an undo goes back", () => {
  test("by one revision, as a new one", () => {
    expect(undoOf(situation, "broker-1")).toMatchObject({
      group: "broker-1",
      change: { ...BROKER, image: "ami-0bbb", generation: 0 },
      message: "undo broker-1: ami-0ccc -> ami-0bbb (revision 13 -> 12, as revision 14)",
      warnings: [],
      isRolled: true,
    });
  });

  test("to the revision that is named", () => {
    expect(undoOf(situation, "broker-1", 11)).toMatchObject({
      change: { image: "ami-0aaa" },
      message: "undo broker-1: ami-0ccc -> ami-0aaa (revision 13 -> 11, as revision 14)",
    });
  });

  test("to the last good one where its roll has begun, whole: by a new generation", () => {
    expect(undoOf(begun(), "broker-1")).toMatchObject({
      change: { image: "ami-0ccc", generation: 1 },
      message: "undo broker-1: ami-0ddd -> ami-0ccc, generation 0 -> 1 (back to revision 13, as revision 14)",
      warnings: [],
      isRolled: true,
    });
  });

  test("by a generation that none of its revisions had", () => {
    const raised = after(["ami-0aaa", "ami-0bbb"], 7);
    const half = situationOf(
      change(raised.spec, (draft) => {
        poolOf(draft, "broker").images[1] = "ami-0ddd";
        poolOf(draft, "broker").generations = [0, 2, 0];
      }),
      withGroup(raised.deployed, "broker-1", { leave: false }),
    );
    expect(undoOf(half, "broker-1")).toMatchObject({ change: { image: "ami-0bbb", generation: 8 } });
  });

  test.each([
    [
      "one of its machines is new",
      (hosts: Hosts) => hosts.map((host, index) => (index === 0 ? { ...host, hash: "new" } : host)),
    ],
    ["one of its machines is missing", (hosts: Hosts) => hosts.slice(1)],
  ])("by a new generation also where %s", (_, alter) => {
    const half = withGroup(whole.deployed, "broker-1", {
      hosts: alter(groupIn(whole.deployed, "broker-1").hosts),
    });
    expect(undoOf(situationOf(desiring("ami-0ddd"), half), "broker-1")).toMatchObject({
      change: { generation: 1 },
    });
  });

  test("by the image alone where nothing has left", () => {
    const tainted = withGroup(whole.deployed, "broker-1", { tainted: ["terraform_data.broker-1-ready"] });
    expect(undoOf(situationOf(desiring("ami-0ddd"), tainted), "broker-1")).toMatchObject({
      change: { image: "ami-0ccc", generation: 0 },
      message: "undo broker-1: ami-0ddd -> ami-0ccc (back to revision 13)",
      isRolled: true,
    });
  });

  test("by a new generation where the log alone knows that its work has begun to leave", () => {
    const at = "2026-01-01T00:00:00Z";
    const log = (to: string): Partial<Situation> => ({
      events: [
        { at, run: "r", event: "group-started", group: "broker-1", to },
        { at, run: "r", event: "step-started", group: "broker-1", step: "leave" },
      ],
    });
    const of = (to: string): Undo =>
      undoOf(situationOf(desiring("ami-0ddd"), whole.deployed, log(to)), "broker-1");
    expect(of("ami-0ddd")).toMatchObject({
      change: { image: "ami-0ccc", generation: 1 },
      message: "undo broker-1: ami-0ddd -> ami-0ccc, generation 0 -> 1 (back to revision 13, as revision 14)",
      isRolled: true,
    });
    expect(of("ami-0eee")).toMatchObject({ change: { generation: 0 }, isRolled: false });
  });

  test("without a roll where only the spec was changed", () => {
    expect(undoOf(situationOf(desiring("ami-0ddd"), whole.deployed), "broker-1")).toMatchObject({
      change: { image: "ami-0ccc", generation: 0 },
      message: "undo broker-1: ami-0ddd -> ami-0ccc (back to revision 13: the edit was never rolled)",
      isRolled: false,
    });
  });

  test("with a restart that was never rolled", () => {
    const restarted = change(whole.spec, (draft) => {
      poolOf(draft, "broker").generations = [0, 1, 0];
    });
    expect(undoOf(situationOf(restarted, whole.deployed), "broker-1")).toMatchObject({
      change: { image: "ami-0ccc", generation: 0 },
      message: "undo broker-1: generation 1 -> 0 (back to revision 13: the edit was never rolled)",
      isRolled: false,
    });
  });
});

describe("an undo that is followed by another warns that this returns", () => {
  test("and names how to go further back", () => {
    const again = after(["ami-0aaa", "ami-0bbb", "ami-0ccc", "ami-0bbb"]);
    expect(undoOf(situationOf(again.spec, again.deployed), "broker-1")).toMatchObject({
      change: { image: "ami-0ccc" },
      warnings: [
        "revision 14 went back from 13 itself, so this returns to revision 13 (ami-0ccc); to go further back: --to-revision 11",
      ],
    });
    expect(undoOf(situationOf(again.spec, again.deployed), "broker-1", 13)).toMatchObject({ warnings: [] });
  });

  test("also where there is nothing further back", () => {
    const again = after(["ami-0bbb", "ami-0ccc", "ami-0bbb"]);
    expect(undoOf(situationOf(again.spec, again.deployed), "broker-1")).toMatchObject({
      warnings: ["revision 13 went back from 12 itself, so this returns to revision 12 (ami-0ccc)"],
    });
  });
});

describe("refuses where there is nothing to undo, and lists the revisions", () => {
  const refusal = (of: Situation, number?: number): string => errorOf(() => undoOf(of, "broker-1", number));
  const REVISIONS =
    "\nrevisions, for --to-revision:\n  11: ami-0aaa\n  12: ami-0bbb\n  13: ami-0ccc, deployed";

  test("where the group runs what is asked for", () => {
    expect(refusal(situation, 13)).toBe(`nothing to undo: broker-1 already runs revision 13${REVISIONS}`);
    const same = after(["ami-0aaa", "ami-0aaa"], 1);
    expect(refusal(situationOf(same.spec, same.deployed), 11)).toBe(
      "nothing to undo: broker-1 already runs ami-0aaa, as revision 11 did\nrevisions, for --to-revision:\n  11: ami-0aaa\n  12: ami-0aaa, generation 1, deployed",
    );
  });

  test("where it was restarted alone", () => {
    const same = after(["ami-0aaa", "ami-0aaa"], 1);
    expect(refusal(situationOf(same.spec, same.deployed))).toBe(
      "broker-1 has no earlier template: its revisions 11 to 12 differ in their generation alone; give it another image with: rollout set image broker-1=IMAGE\nrevisions, for --to-revision:\n  11: ami-0aaa\n  12: ami-0aaa, generation 1, deployed",
    );
  });

  test("where a group is on its way back already", () => {
    const half = withGroup(whole.deployed, "broker-1", { leave: false });
    const back = change(whole.spec, (draft) => {
      poolOf(draft, "broker").generations = [0, 1, 0];
    });
    expect(refusal(situationOf(back, half))).toBe(
      `nothing to undo: broker-1 is on its way to ami-0ccc, the image of revision 13; finish it: rollout deploy broker-1${REVISIONS}`,
    );
  });

  test("where the spec says so already: what is edited does not run yet", () => {
    expect(refusal(situationOf(desiring("ami-0bbb"), whole.deployed), 12)).toBe(
      `nothing to undo: the spec has the template of revision 12 already; roll it: rollout deploy broker-1${REVISIONS}`,
    );
  });

  test("where a data volume alone was made larger", () => {
    const larger = rolledBy((draft) => {
      poolOf(draft, "broker").dataVolumes = [DISK, { sizeGib: 200, type: "gp3" }, DISK];
    });
    expect(refusal(larger)).toBe(
      "nothing to undo: broker-1 already runs ami-0aaa, as revision 1 did; its data volumes stay at 200 GiB: none is ever made smaller\nrevisions, for --to-revision:\n  1: ami-0aaa, m6i.large\n  2: ami-0aaa, m6i.large, deployed",
    );
  });
});

describe("an undo restores the whole template", () => {
  test("where the instance type was rolled alone", () => {
    expect(undoOf(rolledBy(type("m6i.xlarge")), "broker-1")).toMatchObject({
      group: "broker-1",
      change: { ...BROKER, image: "ami-0aaa", generation: 0 },
      message: "undo broker-1: m6i.xlarge -> m6i.large (revision 2 -> 1, as revision 3)",
      warnings: [],
      isRolled: true,
    });
  });

  test("where a roll of another type has left, or was never begun", () => {
    const { deployed } = rolledBy();
    const spec = change(rolledBy().spec, type("m6i.xlarge"));
    const half = situationOf(spec, withGroup(deployed, "broker-1", { leave: false }));
    expect(undoOf(half, "broker-1").message).toBe(
      "undo broker-1: m6i.xlarge -> m6i.large, generation 0 -> 1 (back to revision 1, as revision 2)",
    );
    expect(undoOf(situationOf(spec, deployed), "broker-1").message).toBe(
      "undo broker-1: m6i.xlarge -> m6i.large (back to revision 1: the edit was never rolled)",
    );
  });

  test("to the last that differs, where the bad one was restarted", () => {
    const restarted = rolledBy(image("ami-0bbb"), (draft) => {
      poolOf(draft, "broker").generations = [0, 1, 0];
    });
    expect(undoOf(restarted, "broker-1").message).toBe(
      "undo broker-1: ami-0bbb -> ami-0aaa (revision 3 -> 1, as revision 4)",
    );
  });

  test("but for a data volume, which is never made smaller", () => {
    const larger = rolledBy((draft) => {
      image("ami-0bbb")(draft);
      poolOf(draft, "broker").dataVolumes = [DISK, { sizeGib: 200, type: "gp2" }, DISK];
    });
    expect(undoOf(larger, "broker-1")).toMatchObject({
      change: { image: "ami-0aaa", dataVolume: { sizeGib: 200, type: "gp3" } },
      message:
        "undo broker-1: ami-0bbb -> ami-0aaa, dataVolume 200 GiB gp2 -> 200 GiB gp3 (revision 2 -> 1, as revision 3)",
      warnings: ["broker-1: its data volumes stay at 200 GiB: none is ever made smaller"],
    });
  });

  test("with what the group has of its own, whether its pool has the keys or not", () => {
    const tagged = rolledBy((draft) => {
      image("ami-0bbb")(draft);
      poolOf(draft, "broker").tags = [{}, { team: "data" }, {}];
    });
    expect(undoOf(tagged, "broker-1").change).not.toHaveProperty("tags");
    expect(undoOf(tagged, "broker-1").message).toContain("tags team=data -> none");
    const { spec, deployed } = rolledBy(
      (draft) => {
        poolOf(draft, "broker").instanceProfiles = [null, "brokers", null];
      },
      (draft) => {
        delete poolOf(draft, "broker").instanceProfiles;
      },
    );
    expect(undoOf(situationOf(spec, deployed), "broker-1").change).toMatchObject({
      instanceProfile: "brokers",
    });
  });

  test("and leaves the name of a file as it is now, where its text is the same", () => {
    const text = "#!/bin/sh\n";
    const { spec, deployed } = rolledBy(
      (draft) => {
        Object.assign(draft, { userData: { "old.sh": text } });
        poolOf(draft, "broker").userData = [null, "old.sh", null];
      },
      (draft) => {
        image("ami-0bbb")(draft);
        Object.assign(draft, { userData: { "new.sh": text } });
        poolOf(draft, "broker").userData = [null, "new.sh", null];
      },
    );
    const { change, message } = undoOf(situationOf(spec, deployed), "broker-1");
    expect(change).toMatchObject({ userData: { file: "new.sh" } });
    expect(message).not.toContain("userData");
  });

  test("but for a key that is its pool's, or is not", () => {
    const rooted = rolledBy((draft) => {
      image("ami-0bbb")(draft);
      poolOf(draft, "broker").rootVolumes = [{ sizeGib: 9 }, { sizeGib: 9 }, { sizeGib: 9 }];
    });
    expect(undoOf(rooted, "broker-1")).toMatchObject({
      change: { image: "ami-0aaa", rootVolume: { sizeGib: 9 } },
      warnings: [
        "broker-1: rootVolumes stays as it is: a pool has that key for all three groups, or not at all",
      ],
    });
  });

  test("but for what an earlier version did not record and no hash proves", () => {
    const { spec, deployed } = rolledBy(type("m6i.xlarge"), image("ami-0bbb"));
    const revisions = groupIn(deployed, "broker-1").revisions.map(({ template: unknown, ...rest }) => {
      expect(unknown).toBeDefined();
      return rest;
    });
    const of = situationOf(spec, withGroup(deployed, "broker-1", { revisions }));
    expect(undoOf(of, "broker-1", 2)).toMatchObject({
      change: { image: "ami-0aaa", instanceType: "m6i.xlarge" },
      warnings: [],
    });
    expect(undoOf(of, "broker-1", 1)).toMatchObject({
      change: { image: "ami-0aaa", instanceType: "m6i.xlarge" },
      warnings: ["broker-1: an earlier version recorded revision 1, by its image alone: all else stays"],
    });
  });
});

describe("an undo refuses", () => {
  const refusal = (of: Situation, number?: number): string => errorOf(() => undoOf(of, "broker-1", number));

  test("a revision that is not in the history", () => {
    expect(refusal(situation, 9)).toBe(
      "revision 9 is not in the history of broker-1 (11 to 13); see rollout history broker-1",
    );
  });

  test("a group without history, or without an earlier revision", () => {
    expect(refusal(situationOf(spec, nothing()))).toBe(
      "broker-1 is new and has never stood, so broker-1 is not undone; first: npx rollout deploy cluster",
    );
    expect(refusal(situationOf(spec, deployedAs(spec)))).toBe(
      "broker-1 has no earlier revision: its history has only 1; give it another image with: rollout set image broker-1=IMAGE\nrevisions, for --to-revision:\n  1: ami-0aaa, deployed",
    );
  });

  test("a group whose record is lost", () => {
    const { revisions: lost, ...group } = groupIn(whole.deployed, "broker-1");
    expect(lost).toHaveLength(3);
    const groups = new Map(whole.deployed.groups).set("broker-1", { ...group, revisions: [] });
    expect(refusal(situationOf(whole.spec, { ...whole.deployed, groups }))).toBe(
      "the record of broker-1 is lost, so its history is not known; finish it first: rollout deploy broker-1",
    );
  });

  test("an unknown group", () => {
    expect(errorOf(() => undoOf(situation, "broker-3"))).toBe(
      'no group "broker-3" in pool broker (0, 1, 2); did you mean broker-2?',
    );
  });

  test("while a pause holds", () => {
    expect(refusal({ ...situation, hold: PAUSE })).toBe(
      'demo is paused (since 09:12 UTC by ops@build-1, "waiting for the DBA"), so broker-1 is not undone; first: rollout resume',
    );
  });

  test("while a run is under way", () => {
    expect(refusal({ ...situation, run: RUN })).toBe(
      "a run is under way (rollout deploy broker-0, by ops@build-1 (process 4711) since 09:30 UTC), so broker-1 is not undone; first: wait for it (rollout status --watch) or end it: rollout cancel",
    );
  });

  test("while another group is in flight", () => {
    const other = withGroup(whole.deployed, "broker-0", { leave: false });
    expect(refusal(situationOf(whole.spec, other))).toBe(
      "broker-0 is in flight (terraform_data.broker-0-leave is missing: the group has left), so broker-1 is not undone; first: rollout deploy broker-0",
    );
  });

  test("no group that is finished first, also where another is in flight behind it", () => {
    const both = withGroup(begun().deployed, "broker-2", { leave: false });
    const queue = change(desiring("ami-0ddd"), (draft) => {
      poolOf(draft, "broker").images[2] = "ami-0ddd";
      draft.rollout.pendingGroups = "queue";
    });
    expect(undoOf(situationOf(queue, both), "broker-1").isRolled).toBe(true);
  });

  test("while another group is pending, unless they may queue", () => {
    const pending = change(whole.spec, (draft) => {
      poolOf(draft, "broker").images[2] = "ami-0eee";
    });
    expect(refusal(situationOf(pending, whole.deployed))).toBe(
      "broker-2 is pending (ami-0aaa -> ami-0eee), so broker-1 is not undone; first: rollout deploy broker-2, or set it back",
    );
    const queue = change(pending, (draft) => {
      draft.rollout.pendingGroups = "queue";
    });
    expect(undoOf(situationOf(queue, whole.deployed), "broker-1").isRolled).toBe(true);
  });

  test("what was not read from the state, and a cluster that is torn down", () => {
    const copy = { ...whole.deployed, origin: { kind: "spec" as const, where: "git:main" } };
    expect(refusal(situationOf(whole.spec, copy))).toBe(
      "what is deployed was not read from the state, so broker-1 is not undone; first: unset ROLLOUT_DEPLOYED",
    );
    const open = change(whole.spec, (draft) => {
      draft.protection = "off";
    });
    expect(refusal(situationOf(open, whole.deployed))).toBe(
      "protection is off and nothing would be drained, so broker-1 is not undone; first: set protection: on in the spec",
    );
  });
});

type Hosts = ReturnType<typeof groupIn>["hosts"];

type Edit = (draft: typeof spec) => void;

const DISK = { sizeGib: 100, type: "gp3" } as const;

const type =
  (to: string): Edit =>
  (draft) => {
    poolOf(draft, "broker").instanceTypes[1] = to;
  };

const image =
  (to: string): Edit =>
  (draft) => {
    poolOf(draft, "broker").images[1] = to;
  };

/** Broker-1 after these edits, each of which was rolled and recorded. */
function rolledBy(...edits: readonly Edit[]): Situation {
  const limit = { revisionHistoryLimit: 10, cause: "any" };
  let [now, revisions] = [spec, nextRevisions(findGroup(spec, "broker-1"), [], limit)];
  for (const edit of edits) {
    now = change(now, edit);
    revisions = nextRevisions(findGroup(now, "broker-1"), revisions, limit);
  }
  return situationOf(now, withGroup(deployedAs(now), "broker-1", { revisions }));
}
