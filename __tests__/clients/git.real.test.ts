import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { commitsOf, fileAtRevision } from "../../clients/git.js";

let folder: string;
let spec: string;
let firstCommit: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-git-"));
  const repository = join(folder, "repository");
  await mkdir(join(repository, "envs"), { recursive: true });
  spec = join(repository, "envs", "prod.yaml");
  const git = (...args: string[]) => execa("git", ["-C", repository, ...args], { env: identity });

  await git("init", "--quiet", "--initial-branch=main");
  await writeFile(spec, "name: demo\r\n");
  await git("add", ".");
  await git("commit", "--quiet", "--message=First creation");
  firstCommit = (await git("rev-parse", "--short", "HEAD")).stdout;
  await git("tag", "v1");
  await writeFile(spec, "name: demo # ä\n\n");
  await git("commit", "--quiet", "--all", "--message=Roll broker-0\n\nWith a body.");
  await writeFile(join(repository, "README"), "");
  await git("add", ".");
  await git("commit", "--quiet", "--message=Describe it");
  await writeFile(join(repository, "envs", "new.yaml"), "");
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe("A file at a revision", () => {
  test("comes as it was committed, byte for byte", async () => {
    expect(text(await fileAtRevision(spec, "v1"))).toBe("name: demo\r\n");
    expect(text(await fileAtRevision(spec, firstCommit))).toBe("name: demo\r\n");
    expect(text(await fileAtRevision(spec, "HEAD"))).toBe("name: demo # ä\n\n");
  });

  test("comes from the revision, not from the work tree", async () => {
    await writeFile(spec, "name: changed\n");
    expect(text(await fileAtRevision(spec, "main"))).toBe("name: demo # ä\n\n");
  });

  test("rejects an unknown revision", async () => {
    expect(await refusal(spec, "v2")).toMatchInlineSnapshot(
      `"unknown revision: v2 in the repository of FOLDER/repository/envs/prod.yaml; correct it, or fetch it first (a shallow clone has only the newest)"`,
    );
  });

  test("rejects a path in place of a revision", async () => {
    expect(await refusal(spec, "HEAD:README")).toMatch(/^unknown revision: HEAD:README/);
  });

  test("rejects what git would take for an option", async () => {
    expect(await refusal(spec, "--output=x")).toMatchInlineSnapshot(
      `"no revision: "--output=x"; name a commit, a branch or a tag, such as origin/main"`,
    );
    expect(await refusal(spec, "")).toMatch(/^no revision: ""/);
  });

  test("rejects a file that is not in the revision", async () => {
    expect(await refusal(join(folder, "repository", "envs", "new.yaml"), "v1")).toMatchInlineSnapshot(
      `"not in the revision: FOLDER/repository/envs/new.yaml at v1; name a revision in which the file is committed"`,
    );
  });

  test("refuses by the name that the user gave the file", async () => {
    for (const [file, rev, message] of [
      [spec, "v2", "unknown revision: v2 in the repository of envs/prod.yaml; correct it"],
      [
        join(folder, "repository", "envs", "new.yaml"),
        "v1",
        "not in the revision: envs/prod.yaml at v1; name",
      ],
      [join(folder, "cluster.yaml"), "main", "not in a git repository: envs/prod.yaml (fatal"],
    ] as const) {
      await expect(fileAtRevision(file, rev, "envs/prod.yaml")).rejects.toThrow(message);
    }
  });

  test("rejects a folder outside a repository", async () => {
    expect(await refusal(join(folder, "cluster.yaml"), "main")).toMatchInlineSnapshot(
      `"not in a git repository: FOLDER/cluster.yaml (fatal: not a git repository (or any of the parent directories): .git); keep the spec in git to name a revision of it"`,
    );
  });

  test("rejects a machine without git", async () => {
    expect(await withPath(folder, () => refusal(spec, "main"))).toMatchInlineSnapshot(
      `"git is not installed: looked for git on the PATH; install git (git-scm.com)"`,
    );
  });
});

describe("The last cause", () => {
  test("is the last commit that touched the file", async () => {
    const cause = await lastCause(spec);
    expect(cause).toMatch(/^[0-9a-f]{7,} Roll broker-0$/);
  });

  test("is found by a git that has no token of an agent", async () => {
    await writeFile(join(folder, "git"), '#!/bin/sh\necho "as $CONSUL_HTTP_TOKEN$NOMAD_TOKEN."\n', {
      mode: 0o755,
    });
    const before = { ...process.env };
    Object.assign(process.env, { CONSUL_HTTP_TOKEN: "consul", NOMAD_TOKEN: "nomad" });
    try {
      expect(await withPath(folder, () => lastCause(spec))).toBe(".");
    } finally {
      process.env = before;
      await rm(join(folder, "git"));
    }
  });

  test("is unknown for a file that was never committed, outside a repository, and without git", async () => {
    expect(await lastCause(join(folder, "repository", "envs", "new.yaml"))).toBeUndefined();
    expect(await lastCause(join(folder, "cluster.yaml"))).toBeUndefined();
    expect(await withPath(folder, () => lastCause(spec))).toBeUndefined();
  });
});

const identity = {
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_SYSTEM: devNull,
  GIT_AUTHOR_NAME: "Ops",
  GIT_AUTHOR_EMAIL: "ops@example.invalid",
  GIT_COMMITTER_NAME: "Ops",
  GIT_COMMITTER_EMAIL: "ops@example.invalid",
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function refusal(file: string, rev: string): Promise<string> {
  try {
    await fileAtRevision(file, rev);
  } catch (error) {
    if (error instanceof Error) return error.message.replaceAll(folder, "FOLDER");
  }
  throw new Error("it was not refused");
}

async function withPath<T>(path: string, action: () => Promise<T>): Promise<T> {
  const before = process.env["PATH"];
  process.env["PATH"] = path;
  try {
    return await action();
  } finally {
    process.env["PATH"] = before;
  }
}

const lastCause = async (file: string): Promise<string | undefined> => (await commitsOf(file))[0]?.cause;
