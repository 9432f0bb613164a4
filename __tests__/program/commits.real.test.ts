import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { runUndo } from "../../cli/undo.js";
import { formatDeployResult } from "../../cli/output/deploy.js";
import { formatStatus } from "../../cli/output/status.js";
import { commitsOf } from "../../clients/git.js";
import { findGroup } from "../../cluster/find-group.js";
import { nextRevisions } from "../../cluster/revision.js";
import { setGroups, type GroupChange } from "../../cluster/yaml/edit.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import { causesOf, commitCommand, uncommittedGroups } from "../../program/commits.js";
import { statusOf } from "../../rollout/status/status.js";
import { deployedAs, groupIn, withGroup } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { situationOf } from "../support/situation.js";

const EXAMPLE = readFileSync(new URL("../../cluster.example.yaml", import.meta.url), "utf8").replace(
  /^platform: aws[^]*?(?=^backend)/m,
  "platform: local\n",
);

const identity = {
  GIT_CONFIG_GLOBAL: devNull,
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@b",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@b",
};

let folder: string;
let file: string;
const shown = "cluster.yaml";
const git = (...args: string[]) => execa("git", ["-C", folder, ...args], { env: identity });
const source = () => ({ spec: loadSpec(readFileSync(file), shown), file, shown });

/** What is deployed: the first commit's, and of broker-1 also ami-0bbb. */
const deployed = () => {
  const limit = { revisionHistoryLimit: 10, cause: "any" };
  const first = loadSpec(EXAMPLE, shown);
  const then = loadSpec(edited(EXAMPLE, "broker-1", { image: "ami-0bbb" }), shown);
  const revisions = nextRevisions(
    findGroup(then, "broker-1"),
    nextRevisions(findGroup(first, "broker-1"), [], limit),
    limit,
  );
  return withGroup(deployedAs(first), "broker-1", { revisions });
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rollout-commits-"));
  file = join(folder, shown);
  await git("init", "--quiet", "--initial-branch=main");
  writeFileSync(file, EXAMPLE);
  await commit("First creation");
  edit("broker-0", { image: "ami-0bbb" });
  await commit("Roll broker-0");
  edit("broker-1", { image: "ami-0bbb" });
  await commit("Roll broker-1");
  writeFileSync(file, `${readFileSync(file, "utf8")}# a note\n`);
  await commit("Take a note");
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("a cause is the commit that brought the group's own value, and not the last one", async () => {
  const names = ["broker-0", "broker-1", "broker-2", "cluster"];
  const causes = await causesOf(source(), deployed(), names, await commitsOf(file));
  expect([...causes].map(([group, cause]) => [group, cause.replace(/^\w{7,} /, "")])).toEqual([
    ["broker-0", "Roll broker-0"],
    ["broker-1", "Roll broker-1"],
    ["broker-2", "First creation"],
  ]);
});

test("an undo that no commit shows is told all the same", async () => {
  const [first] = (await commitsOf(file)).slice(-1).map(({ cause }) => cause);
  const rolled = groupIn(deployed(), "broker-1").revisions.map((each, index) => ({
    ...each,
    number: index + 1,
    cause: index === 0 ? (first ?? "") : "uncommitted: set image",
  }));
  const before = readFileSync(file, "utf8");
  writeFileSync(file, EXAMPLE);
  const commits = (await commitsOf(file)).slice(-1);
  const causes = await causesOf(
    source(),
    withGroup(deployed(), "broker-1", { revisions: rolled }),
    ["broker-1"],
    commits,
  );
  expect([...causes.values()]).toEqual(["undo of 2"]);
  writeFileSync(file, before);
});

test("what no commit has is told by what it changes", async () => {
  const before = readFileSync(file, "utf8");
  edit("broker-1", { image: "ami-0aaa", generation: 1 });
  edit("broker-0", { image: "ami-0ccc" });
  edit("broker-2", { instanceType: "m6i.xlarge", generation: 1 });
  edit("nomad-server-1", { generation: 1 });
  const names = ["broker-0", "broker-1", "broker-2", "nomad-server-1"];
  expect([...(await causesOf(source(), deployed(), names, await commitsOf(file)))]).toEqual([
    ["nomad-server-1", "uncommitted: revision 1 again"],
    ["broker-0", "uncommitted: set image"],
    ["broker-1", "undo of 2"],
    ["broker-2", "uncommitted: set instanceType, generation"],
  ]);
  writeFileSync(file, before);
});

test("a group that runs what no commit has is named, until that is committed", async () => {
  const { spec } = source();
  expect(await uncommittedGroups(source(), deployedAs(spec))).toEqual([]);
  expect(await commitCommand(source())).toBeNull();
  edit("broker-2", { image: "ami-0ddd" });
  expect(await uncommittedGroups(source(), deployedAs(spec))).toEqual([]);
  const rolled = deployedAs(source().spec);
  const uncommitted = await uncommittedGroups(source(), rolled);
  expect(uncommitted).toEqual(["broker-2"]);
  expect(formatStatus(statusOf({ ...situationOf(source().spec, rolled), uncommitted }, []), "log")).toContain(
    "\nwarning: no commit has what broker-2 runs; commit the spec\n",
  );
  const command = await commitCommand(source());
  expect(formatDeployResult({ cluster: "demo", groups: [], commit: command })).toBe(
    "nothing to do, all of it is as desired\nno commit has the spec as it is; commit it: git add cluster.yaml && git commit",
  );
  await commit("Roll broker-2");
  expect(await uncommittedGroups(source(), rolled)).toEqual([]);
});

test("a spec that was never added to git is not kept there", async () => {
  const other = { ...source(), file: join(folder, "other.yaml"), shown: "other.yaml" };
  writeFileSync(other.file, EXAMPLE);
  expect(await commitCommand(other)).toBeNull();
  expect(await uncommittedGroups(other, deployedAs(other.spec))).toEqual([]);
  rmSync(other.file);
});

test("an undo without a spec of one's own says so before anything is read", async () => {
  const before = process.cwd();
  const empty = mkdtempSync(join(tmpdir(), "rollout-empty-"));
  try {
    process.chdir(empty);
    expect(await failure(runUndo({}, { target: "broker-0" }, () => undefined))).toBe(
      "there is no cluster.yaml in this folder, so there is nothing to edit; go to its folder, or name it by CLUSTER=FILE",
    );
  } finally {
    process.chdir(before);
    rmSync(empty, { recursive: true });
  }
});

const edited = (text: string, group: string, change: GroupChange): string =>
  setGroups(text, shown, new Map([[group, change]]));

function edit(group: string, change: GroupChange): void {
  writeFileSync(file, edited(readFileSync(file, "utf8"), group, change));
}

async function commit(message: string): Promise<void> {
  await git("add", ".");
  await git("commit", "--quiet", `--message=${message}`);
}
