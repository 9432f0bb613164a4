import { posix } from "node:path";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import type { RemoteResult, RunOptions, Ssh } from "./ssh.js";

/** Where a machine's Consul agent is told of the servers. The folder is part of the contract of an image. */
export const SERVERS_FILE = "/etc/consul.d/rollout-servers.json";

/** Where an image of contract 2 has the login write the list, of which a unit of root's makes that file. */
const LIST_FOLDER = "/var/lib/rollout";

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

interface FilePlaces {
  /** @default SERVERS_FILE */
  readonly path?: string;
  /** @default LIST_FOLDER */
  readonly lists?: string;
}

/**
 * The file on a machine that is reached by ssh, written as that machine's image wants it. Where the login may not write to
 * the folder, `sudo -n` is tried.
 * @throws SshFailure, and UserError where the file is not written: the old one is then as it was
 */
export function remoteServersFile(
  ssh: Ssh,
  destination: string,
  { path = SERVERS_FILE, lists = LIST_FOLDER, ...options }: Omit<RunOptions, "input"> & FilePlaces = {},
): ServersFile {
  const run = async (words: readonly string[], input = "", ...others: number[]): Promise<RemoteResult> => {
    const result = await ssh.run(destination, words, { ...options, input });
    if ([0, ...others].includes(result.exitCode)) return result;
    throw failure(destination, path, result);
  };
  return {
    read: async () => {
      const { exitCode, stdout } = await run(asOwner(READ, path, lists), "", ABSENT, DUE);
      return { content: exitCode === ABSENT ? undefined : stdout, reloadDue: exitCode === DUE };
    },
    write: async (content) => {
      await run(writeCommand(path, Buffer.byteLength(content), lists), content);
    },
    reloaded: async () => {
      await run(asOwner(RELOADED, path, lists));
    },
  };
}

/**
 * The words of the command that writes the file from its standard input.
 * @param bytes how many it is to read: fewer mean that the connection broke
 */
export const writeCommand = (path: string, bytes: number, lists = LIST_FOLDER): string[] =>
  asOwner(WRITE, path, lists, String(bytes));

const [ABSENT, NO_FOLDER, CUT_OFF, INVALID, INVALID_BEFORE, DUE, NOT_MADE, NEWER] = [
  44, 45, 46, 47, 48, 49, 50, 51,
];

/** Runs a script as the login, or by sudo where the login may not write to the folder. */
function asOwner(script: string, path: string, lists: string, bytes = ""): string[] {
  return ["sh", "-c", AS_OWNER, script, posix.dirname(path), posix.basename(path), lists, bytes];
}

/*
 * The version of the image's contract is read from the file that puts it into the node's metadata: the agent of a machine
 * that is new answers nobody. Images without one let the login write to Consul's own folder, or have it use sudo. In a folder of the login's, root
 * would follow its links: there it is whom the folder belongs to that writes.
 */
const AS_OWNER = `
case $(sed -n 's/.*"rollout_contract": *"\\([^"]*\\)".*/\\1/p' "$1/rollout-contract.json" 2>/dev/null) in
  '') set -- "$1" "$2" "$1" "$4" && owner= ;;
  2) owner=$(stat -c %U "$3") ;;
  *) exit ${String(NEWER)} ;;
esac
if [ -w "$3" ] || ! command -v sudo >/dev/null; then exec sh -c "$0" sh "$@"; fi
exec sudo -n \${owner:+-u "$owner"} -- sh -c "$0" sh "$@"
`;

const READ = `
[ -d "$1" ] || exit ${String(NO_FOLDER)}
[ -e "$1/$2" ] || exit ${String(ABSENT)}
cat "$1/$2" || exit 1
[ ! -e "$3/$2.reload-due" ] || exit ${String(DUE)}
`;

const RELOADED = `
rm -f "$3/$2.reload-due"
`;

/*
 * Beside the file, so that the rename is atomic, under a name that Consul does not read (it ends neither in .json nor in
 * .hcl). A new file belongs to whom the folder belongs; an agent that is not root must be able to read it, and where the
 * group is root's only "everybody" says so: nothing in it is secret. What is validated is a folder of links, so that no
 * key of the agent is copied. By contract 2 the addresses alone are put into the other folder, and the file that the
 * machine makes of them is waited for: it has the same bytes.
 */
const WRITE = `
set -eu
umask 077
[ -d "$1" ] || exit ${String(NO_FOLDER)}
cd "$3"
file=$2 bytes=$4 new= check=
trap 'rm -rf "$new" "$check"' EXIT
trap 'exit 1' HUP INT TERM PIPE
new=$(mktemp "$PWD/$file.new.XXXXXX")
cat >"$new"
[ "$(wc -c <"$new")" -eq "$bytes" ] || exit ${String(CUT_OFF)}
if [ "$3" != "$1" ]; then
  check=$(mktemp "$PWD/$file.new.XXXXXX")
  sed -n 's/^ *"\\([^"]*\\)",\\{0,1\\}$/\\1/p' "$new" >"$check"
  chmod 644 "$check"
  sync "$check" 2>/dev/null || :
  touch "$file.reload-due"
  mv -f "$check" consul-servers
  left=150
  until cmp -s "$new" "$1/$file"; do
    [ "$((left -= 1))" -gt 0 ] || exit ${String(NOT_MADE)}
    sleep 0.1
  done
  exit 0
fi
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
    case NOT_MADE:
      return new UserError(
        `the machine has not made of the list what Consul reads: ${where}; the old file is as it was; see there: journalctl -u rollout-list`,
      );
    case NEWER:
      return new UserError(
        `the image wants a newer rollout: ${folder}/rollout-contract.json on ${destination} names a version of the contract other than 2; nothing was changed`,
      );
    default:
      if (/^sudo: |Permission denied|Operation not permitted/m.test(stderr)) {
        return new UserError(
          `the login may not write: ${where}: ${said}; give it the rights of docs/image.md, "Login and rights", or sudo without a password`,
        );
      }
      return new UserError(`cannot be read or written: ${where}: ${said}; the old file is as it was`);
  }
}
