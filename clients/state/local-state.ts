import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { nothingDeployed, type Deployed } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import { textIfThere } from "../json-file.js";
import type { Expected } from "./cluster-of-state.js";
import { parseState } from "./parse-state.js";
import { IncompleteState } from "./state-format.js";
import { lockFileOf, stateLockIn } from "./state-lock.js";

/** Terraform empties the file and writes it anew, which takes milliseconds: so often, and so long, a reader looks again. */
const ATTEMPTS = 10;
const PAUSE_MILLISECONDS = 100;

/** Waits so many milliseconds. */
export type Wait = (milliseconds: number) => Promise<unknown>;

/**
 * Reads a local state file directly. A file that is not there is an empty state: serial 0, no lineage.
 * @throws UserError when the file stays incomplete, naming who holds its lock, or when it is not this cluster's
 */
export async function readLocalState(
  file: string,
  expected: Expected,
  wait: Wait = sleep,
): Promise<Deployed> {
  for (let attempt = 1; ; attempt++) {
    const text = await readText(file, expected.where);
    if (text === undefined) {
      return nothingDeployed({ kind: "state", where: expected.where, serial: 0, lineage: "" });
    }
    try {
      return parseState(text, expected);
    } catch (error) {
      if (!(error instanceof IncompleteState)) throw error;
      if (attempt === ATTEMPTS) throw withLockHolder(error, file, expected.where);
    }
    await wait(PAUSE_MILLISECONDS);
  }
}

async function readText(file: string, where: string): Promise<string | undefined> {
  try {
    // Decoded at once: by itself Node would decode a large file piece by piece.
    return (await readFile(file)).toString();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT") return undefined;
    throw new UserError(
      `the state cannot be read: ${where} (${code}); correct the spec's backend or the file's rights`,
    );
  }
}

/** The error of an incomplete file, or a better one where a run that is under way explains it. */
function withLockHolder(error: IncompleteState, file: string, where: string): UserError {
  const lock = stateLockIn(textIfThere(lockFileOf(file)));
  if (!lock) return error;
  const operation = lock.Operation.replace(/^OperationType/, "").toLowerCase();
  return new UserError(
    `the state is being written: ${where} is locked by ${lock.Who} for ${operation} since ${lock.Created}; wait until that run has ended, or remove ${lockFileOf(where)} if it was killed`,
  );
}
