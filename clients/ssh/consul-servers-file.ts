import { posix } from "node:path";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import type { RemoteResult, RunOptions, Ssh } from "./ssh.js";

/** Where a machine's Consul agent is told of the servers. The folder is part of the contract of an image. */
export const SERVERS_FILE = "/etc/consul.d/rollout-servers.json";

/** One machine's file. */
export interface ServersFile {
  read(): Promise<ServersFileContent>;
  /** Puts another in its place, whole or not at all, and notes beside it that the agent is to read its folder again. */
  write(content: string): Promise<void>;
  /** The agent has done so: takes the note away. */
  reloaded(): Promise<void>;
}

interface ServersFileContent {
  /** Undefined where there is no file. */
  readonly content: string | undefined;
  /** The note of {@link ServersFile.write} is there: a run was cut off before the agent had read its folder again. */
  readonly reloadDue: boolean;
}

/** The addresses in such a file; none where there is no file, or one that says something else. */
export function serversIn(content = "{}"): string[] {
  try {
    return z.object({ retry_join: z.array(z.string()) }).parse(JSON.parse(content)).retry_join;
  } catch {
    return [];
  }
}

/**
 * The file on a machine that is reached by ssh. Where the login may not write to the folder, `sudo -n` is tried.
 * @throws SshFailure, and UserError where the file is not written: the old one is then as it was
 */
export function remoteServersFile(
  ssh: Ssh,
  destination: string,
  { path = SERVERS_FILE, ...options }: Omit<RunOptions, "input"> & { readonly path?: string } = {},
): ServersFile {
  const run = async (words: readonly string[], input = "", ...others: number[]): Promise<RemoteResult> => {
    const result = await ssh.run(destination, words, { ...options, input });
    if ([0, ...others].includes(result.exitCode)) return result;
    throw failure(destination, path, result);
  };
  return {
    read: async () => {
      const { exitCode, stdout } = await run(asOwner(READ, path), "", ABSENT, DUE);
      return { content: exitCode === ABSENT ? undefined : stdout, reloadDue: exitCode === DUE };
    },
    write: async (content) => {
      await run(writeCommand(path, Buffer.byteLength(content)), content);
    },
    reloaded: async () => {
      await run(asOwner(RELOADED, path));
    },
  };
}

/**
 * The words of the command that writes the file from its standard input.
 * @param bytes how many it is to read: fewer mean that the connection broke
 */
export const writeCommand = (path: string, bytes: number): string[] => asOwner(WRITE, path, String(bytes));

const [ABSENT, NO_FOLDER, CUT_OFF, INVALID, INVALID_BEFORE, DUE] = [44, 45, 46, 47, 48, 49];

/** Runs a script as the login, or by sudo where the login may not write to the folder. */
function asOwner(script: string, path: string, ...more: readonly string[]): string[] {
  return ["sh", "-c", AS_OWNER, script, posix.dirname(path), posix.basename(path), ...more];
}

const AS_OWNER = `
if [ -w "$1" ] || ! command -v sudo >/dev/null; then exec sh -c "$0" sh "$@"; fi
exec sudo -n -- sh -c "$0" sh "$@"
`;

const READ = `
[ -d "$1" ] || exit ${String(NO_FOLDER)}
[ -e "$1/$2" ] || exit ${String(ABSENT)}
cat "$1/$2" || exit 1
[ ! -e "$1/$2.reload-due" ] || exit ${String(DUE)}
`;

const RELOADED = `
rm -f "$1/$2.reload-due"
`;

/*
 * Beside the file, so that the rename is atomic, under a name that Consul does not read (it ends neither in .json nor in
 * .hcl). A new file belongs to whom the folder belongs; an agent that is not root must be able to read it, and where the
 * group is root's only "everybody" says so: nothing in it is secret. What is validated is a folder of links, so that no
 * key of the agent is copied.
 */
const WRITE = `
set -eu
umask 077
[ -d "$1" ] || exit ${String(NO_FOLDER)}
cd "$1"
file=$2 bytes=$3 new= check=
trap 'rm -rf "$new" "$check"' EXIT
trap 'exit 1' HUP INT TERM PIPE
new=$(mktemp "$PWD/$file.new.XXXXXX")
cat >"$new"
[ "$(wc -c <"$new")" -eq "$bytes" ] || exit ${String(CUT_OFF)}
if [ -e "$file" ]; then
  chown "$(stat -c %u:%g "$file")" "$new"
  chmod "$(stat -c %a "$file")" "$new"
else
  chown "$(stat -c %u:%g .)" "$new"
  if [ "$(stat -c %g .)" = 0 ]; then chmod 644 "$new"; else chmod 640 "$new"; fi
fi
if command -v consul >/dev/null; then
  check=$(mktemp -d)
  for each in "$PWD"/*.json "$PWD"/*.hcl; do
    if [ -f "$each" ] && [ "$each" != "$PWD/$file" ]; then ln -s "$each" "$check/"; fi
  done
  cp "$new" "$check/$file"
  if ! said=$(consul validate "$check" 2>&1); then
    printf '%s\\n' "$said" >&2
    if consul validate "$PWD" >/dev/null 2>&1; then exit ${String(INVALID)}; fi
    exit ${String(INVALID_BEFORE)}
  fi
fi
sync "$new" 2>/dev/null || :
touch "$file.reload-due"
mv -f "$new" "$file"
rm -f "$file".new.*
`;

function failure(destination: string, path: string, { exitCode, stderr }: RemoteResult): UserError {
  const folder = posix.dirname(path);
  const said =
    stderr.trim().split("\n").slice(0, 5).join("; ").slice(0, 500) || `exit code ${String(exitCode)}`;
  const where = `${path} on ${destination}`;
  switch (exitCode) {
    case NO_FOLDER:
      return new UserError(
        `no folder ${folder} on ${destination}; the image must bring it, and its Consul agent must read it (-config-dir)`,
      );
    case CUT_OFF:
      return new UserError(
        `not all of the content arrived: ${where}; the old file is as it was; run it again`,
      );
    case INVALID:
      return new UserError(
        `consul validate refuses the folder with the new file: ${where}: ${said}; nothing was changed; correct what the image or a hand put beside it`,
      );
    case INVALID_BEFORE:
      return new UserError(
        `consul validate refuses the folder, also without the new file: ${where}: ${said}; nothing was changed; correct it in the image: all of the agent's settings belong into that folder`,
      );
    default:
      if (/^sudo: |Permission denied|Operation not permitted/m.test(stderr)) {
        return new UserError(
          `the login may not write: ${where}: ${said}; let it write to ${folder}, or use sudo without a password`,
        );
      }
      return new UserError(`cannot be read or written: ${where}: ${said}; the old file is as it was`);
  }
}
