import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { devNull, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { commitOf, commitsOf, isUncommitted } from "../../clients/git.js";
import { findGroup } from "../../cluster/find-group.js";
import { causesOf, commitCommand } from "../../program/commits.js";
import { editSpec } from "../../program/edit-spec.js";
import { findSpec, readSpec, type SpecFile } from "../../program/read-spec.js";
import { specAt } from "../../program/spec-at.js";
import { errorOf, exampleWith } from "../cluster/yaml/example.js";
import { deployedAs } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";

const OWN = "user-data/broker.sh";
const SPEC = exampleWith(["hosts: [3, 3, 3]", `hosts: [3, 3, 3]\n    userData: [null, ${OWN}, null]`]);

let folder: string;
let file: string;
const git = (...args: string[]) =>
  execa("git", ["-C", folder, ...args], {
    env: {
      GIT_CONFIG_GLOBAL: devNull,
      ...Object.fromEntries(
        ["AUTHOR", "COMMITTER"].flatMap((who) => [
          [`GIT_${who}_NAME`, "a"],
          [`GIT_${who}_EMAIL`, "a@b"],
        ]),
      ),
    },
  });
const write = (text: string): void => {
  writeFileSync(join(folder, OWN), text);
};
const commit = async (message: string): Promise<void> => {
  await git("add", "--all");
  await git("commit", "--quiet", "--message", message);
};
const source = (): SpecFile => readSpec({ CLUSTER: file });
const hashIn = (spec: SpecFile["spec"]): string => findGroup(spec, "broker-1").hash;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "rollout-spec-at-"));
  file = join(folder, "cluster.yaml");
  mkdirSync(join(folder, "user-data"));
  await git("init", "--quiet", "--initial-branch=main");
  writeFileSync(file, SPEC);
  write("#!/bin/sh\necho 1\n");
  await commit("First creation");
  write("#!/bin/sh\necho 2\n");
  await commit("Say two");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a revision of a spec has the files as they were", async () => {
  const { spec } = source();
  expect(hashIn(await specAt(file, "HEAD"))).toBe(hashIn(spec));
  const before = await specAt(file, "HEAD~1");
  expect(before.userData).toEqual({ [OWN]: "#!/bin/sh\necho 1\n" });
  expect(hashIn(before)).not.toBe(hashIn(spec));
});

test("a file is that of the spec's revision, wherever it lies now", async () => {
  await git("mv", dirname(OWN), "elsewhere");
  expect((await specAt(file, "HEAD")).userData).toEqual({ [OWN]: "#!/bin/sh\necho 2\n" });
});

test("a file that git does not keep is committed nowhere", async () => {
  writeFileSync(join(folder, ".gitignore"), "*.own\n");
  for (const name of ["untracked.sh", "ignored.own"]) {
    writeFileSync(join(folder, name), "#!/bin/sh\n");
    expect([await isUncommitted(file, [name]), await commitOf(file, [name])]).toEqual([true, "uncommitted"]);
  }
  expect(await commitCommand({ ...source(), shown: "sub/cluster.yaml" })).toBeNull();
  write("#!/bin/sh\necho 3\n");
  expect(await commitCommand({ ...source(), shown: "sub/cluster.yaml" })).toBe(
    `git add sub/cluster.yaml sub/${OWN} && git commit`,
  );
});

test("who holds a roll back needs no file of it", () => {
  rmSync(join(folder, OWN));
  expect(errorOf(source)).toContain("there is no such file");
  expect(findSpec({ CLUSTER: file }).spec.name).toBe("demo");
});

test("refuses a revision that lacks a file, and a file that is none", async () => {
  await git("rm", "--quiet", "--cached", OWN);
  await git("commit", "--quiet", "--message", "Forget it");
  expect(await failure(specAt(file, "HEAD", "cluster.yaml"))).toBe(
    `HEAD:cluster.yaml: pools.broker.userData[1]: not in the revision: ${OWN} at HEAD; name a revision in which the file is committed`,
  );
  rmSync(join(folder, OWN));
  expect(errorOf(source)).toBe(
    `${file}: pools.broker.userData[1]: cannot read ${OWN}: there is no such file; put it there, or name another in userData`,
  );
  mkdirSync(join(folder, OWN));
  expect(errorOf(source)).toContain(`cannot read ${OWN}: it is a folder; `);
});

test("a commit of a file alone is why its group is pending, and an edit of it is committed nowhere", async () => {
  const deployed = deployedAs(await specAt(file, "HEAD~1"));
  const commits = await commitsOf(file, [OWN]);
  expect(commits.map(({ cause }) => cause.replace(/^\S+ /, ""))).toEqual(["Say two", "First creation"]);
  expect([...(await causesOf(source(), deployed, ["broker-1"], commits)).values()]).toEqual([
    expect.stringMatching(/^[0-9a-f]{7} Say two$/),
  ]);
  expect([await isUncommitted(file, [OWN]), await commitOf(file, [OWN])]).toEqual([
    false,
    expect.stringMatching(/^[0-9a-f]{12}$/),
  ]);
  write("#!/bin/sh\necho 3\n");
  expect([await isUncommitted(file, [OWN]), await commitOf(file, [OWN])]).toEqual([true, "uncommitted"]);
  expect(await isUncommitted(file)).toBe(false);
});

test("refuses to go back to a file that has another text by now, and goes back to one that has not", async () => {
  const { image, instanceType, generation, dataVolume, userData } = findGroup(
    await specAt(file, "HEAD~1"),
    "broker-1",
  );
  const back = {
    ...{ image, instanceType, generation },
    ...(dataVolume ? { dataVolume } : {}),
    ...(userData ? { userData } : {}),
  };
  const edit = (): boolean => editSpec(source(), new Map([["broker-1", back]]));
  expect(errorOf(edit)).toBe(
    `${OWN} is not what the group's machines were made with: it has another text by now; put it back as it was, such as: git checkout COMMIT -- ${OWN}, and run this again`,
  );
  write("#!/bin/sh\necho 1\n");
  writeFileSync(file, SPEC.replace(`null, ${OWN}, null`, "null, null, null"));
  expect(edit()).toBe(true);
  expect(readFileSync(file, "utf8")).toBe(SPEC.replace(OWN, JSON.stringify(OWN)));
});
