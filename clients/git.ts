import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../cluster/user-error.js";
import { withoutTokens } from "./environment.js";

/**
 * A file as it was committed at a revision: a commit, a branch, a tag.
 * @param shown what errors call the file; default: its path
 * @param path of another file, from the folder of this one, whose repository it is
 * @throws UserError when there is no git, no repository, no such revision, or no such file in it
 */
export async function fileAtRevision(
  file: string,
  rev: string,
  shown = file,
  path = basename(file),
): Promise<Uint8Array> {
  if (rev === "" || rev.startsWith("-")) {
    throw new UserError(`no revision: "${rev}"; name a commit, a branch or a tag, such as origin/main`, 2);
  }
  const folder = dirname(file);
  const repository = await git(folder, ["rev-parse", "--git-dir"]);
  if (repository.exitCode !== 0) {
    throw new UserError(
      `not in a git repository: ${shown} (${repository.reason}); keep the spec in git to name a revision of it`,
    );
  }
  const commit = await git(folder, ["rev-parse", "--verify", "--quiet", `${rev}^{commit}`]);
  if (commit.exitCode !== 0) {
    throw new UserError(
      `unknown revision: ${rev} in the repository of ${shown}; correct it, or fetch it first (a shallow clone has only the newest)`,
      2,
    );
  }
  const content = await git(folder, ["show", `${decode(commit.stdout).trim()}:./${path}`]);
  if (content.exitCode !== 0) {
    throw new UserError(
      `not in the revision: ${shown} at ${rev}; name a revision in which the file is committed`,
    );
  }
  return content.stdout;
}

/** A commit that touched a file, with its subject: `3f2a1c0 Roll broker-0`. */
export interface Commit {
  readonly commit: string;
  readonly cause: string;
}

/**
 * The last 50 commits that touched a file, newest first: why it is as it is. None where nothing is known: without git, outside
 * a repository, for a file that was never committed.
 * @param also files that it names, from its folder
 */
export async function commitsOf(file: string, also: readonly string[] = []): Promise<Commit[]> {
  const log = [
    "-c",
    "log.showSignature=false",
    "log",
    "-50",
    "--format=%H %h %s",
    "--",
    ...pathsOf(file, also),
  ];
  const lines = (await textOf(file, log)) ?? "";
  return [...lines.matchAll(/^(\S+) (.+)$/gm)].map(([, commit = "", cause = ""]) => ({ commit, cause }));
}

/** The commit that a revision of a file's repository names; undefined where there is none, or no git. */
export const commitAt = (file: string, rev: string): Promise<string | undefined> =>
  textOf(file, ["rev-parse", "--verify", "--quiet", "--short=12", `${rev}^{commit}`]);

const pathsOf = (file: string, also: readonly string[]): string[] =>
  [basename(file), ...also].map((path) => `./${path}`);

/** What differs from the last commit: nothing, or lines of `git status`; undefined where there is no repository. */
const statusOf = (file: string, also: readonly string[]): Promise<string | undefined> =>
  textOf(file, ["--no-optional-locks", "status", "--porcelain", "--ignored", "--", ...pathsOf(file, also)]);

/** Whether a file, and what it names, is as the last commit has it. */
export const isCommitted = async (file: string, also: readonly string[] = []): Promise<boolean> =>
  (await statusOf(file, also)) === "";

/** Whether a file is kept in git, and no commit has it as it is. No git is asked where there is no repository. */
export async function isUncommitted(file: string, also: readonly string[] = []): Promise<boolean> {
  if (!isInRepository(dirname(file))) return false;
  const own = await statusOf(file, []);
  const isKept = own !== undefined && !/^(\?\?|!!)/.test(own);
  return isKept && (own !== "" || (also.length > 0 && (await statusOf(file, also)) !== ""));
}

const isInRepository = (folder: string): boolean =>
  existsSync(join(folder, ".git")) || (dirname(folder) !== folder && isInRepository(dirname(folder)));

/** The commit that has a file as it is; `uncommitted` where none has, or there is no git. */
export async function commitOf(file: string, also: readonly string[] = []): Promise<string> {
  const [commit, isClean] = await Promise.all([commitAt(file, "HEAD"), isCommitted(file, also)]);
  return commit !== undefined && isClean ? commit : "uncommitted";
}

/** What git says of a file's repository; undefined where it fails. */
async function textOf(file: string, args: readonly string[]): Promise<string | undefined> {
  const found = await git(dirname(file), args).catch(() => undefined);
  return found?.exitCode === 0 ? decode(found.stdout).trim() : undefined;
}

interface GitResult {
  readonly stdout: Uint8Array;
  readonly exitCode: number;
  /** The first line that git complained with. */
  readonly reason: string;
}

async function git(folder: string, args: readonly string[]): Promise<GitResult> {
  // Loaded when it is needed: a plan that is checked against a local state needs no child process.
  const { execa } = await import("execa");
  const { stdout, stderr, exitCode, code } = await execa("git", ["-C", folder, ...args], {
    env: withoutTokens({ LC_ALL: "C" }),
    stdin: "ignore",
    reject: false,
    encoding: "buffer",
    stripFinalNewline: false,
  });
  if (exitCode !== undefined) return { stdout, exitCode, reason: decode(stderr).trim().split("\n")[0] ?? "" };
  if (code === "ENOENT")
    throw new UserError("git is not installed: looked for git on the PATH; install git (git-scm.com)");
  throw new UserError(`git did not end by itself: git ${args.join(" ")}; run it again`);
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
