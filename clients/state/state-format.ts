import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";

/** A text that is no whole JSON document: cut off, or read while it was being written. */
export class IncompleteState extends UserError {
  override readonly name = "IncompleteState";
}

const FORMAT = 4;

/** Taken as they are: copying those of thousands of machines takes longer than parsing them. */
const attributes = z.custom<Record<string, unknown>>((value) => typeof value === "object" && value !== null);

const instance = z.object({
  index_key: z.union([z.string(), z.number()]).optional(),
  status: z.string().optional(),
  /** The key of an old object that is still to be destroyed; such an entry is not the current object. */
  deposed: z.string().optional(),
  attributes: attributes.nullish(),
});

const resource = z.object({
  module: z.string().optional(),
  mode: z.string(),
  type: z.string(),
  name: z.string(),
  instances: z.array(instance),
});

/** Terraform's state file, as far as this program looks at it. Nothing says that it is public, but it has kept since 0.12. */
const stateSchema = z.object({
  version: z.literal(FORMAT),
  serial: z.int().min(0),
  lineage: z.string(),
  resources: z.array(resource),
});

export type State = z.output<typeof stateSchema>;
export type StateResource = z.output<typeof resource>;

/**
 * Reads the text of a Terraform state of format 4.
 * @param where the name that errors carry
 * @throws IncompleteState when the text is no whole JSON document
 * @throws UserError when it is one, but no state of this format
 */
export function readStateFormat(text: string, where: string): State {
  if (text.trim() === "") {
    throw new IncompleteState(
      `the state is empty: ${where} has no content; restore it from its backup${backupOf(where)}, or remove it if nothing was ever deployed`,
    );
  }
  const value = parseJson(text, where);
  const { version, encrypted } = headSchema.parse(value);
  if (encrypted) {
    throw new UserError(
      `the state is encrypted by OpenTofu: ${where}; keep it in s3 and let OpenTofu read it (TERRAFORM_BINARY_NAME=tofu, keys in TF_ENCRYPTION), or turn the encryption off: an encrypted file cannot be read directly`,
    );
  }
  if (version !== undefined && version > FORMAT) {
    throw new UserError(
      `the state has a newer format: ${where} has state format ${String(version)}, this program reads ${String(FORMAT)}; use a version of this program that reads it`,
    );
  }
  if (version !== undefined && version < FORMAT) {
    throw new UserError(
      `the state has an old format: ${where} has state format ${String(version)}, this program reads ${String(FORMAT)}; let Terraform 1.9 or newer write it once (terraform apply -refresh-only)`,
    );
  }
  const state = stateSchema.safeParse(value);
  if (state.success) return state.data;
  const faults = [
    ...new Set(state.error.issues.map(({ path }) => path.join(".") || "the whole document")),
  ].sort();
  throw new UserError(
    `not a Terraform state: ${where} (missing or malformed: ${shorten(faults)}); name the state file in the spec's backend, or restore it from its backup`,
  );
}

/** Terraform keeps one beside a local state: as it was before the last write. */
const backupOf = (where: string): string =>
  /^(s3|file):/.test(where) ? "" : ` (cp ${where}.backup ${where}; a deploy then goes on from there)`;

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new IncompleteState(
      `the state is not whole: ${where} has ${String(text.length)} characters that are no complete JSON document; restore it from its backup${backupOf(where)}`,
    );
  }
}

const headSchema = z
  .object({ version: z.number(), encrypted_data: z.unknown(), encryption_version: z.unknown() })
  .partial()
  .catch({})
  .transform((head) => ({
    version: head.version,
    encrypted: head.encrypted_data !== undefined || head.encryption_version !== undefined,
  }));

function shorten(faults: readonly string[]): string {
  const shown = faults.slice(0, 5).join(", ");
  return faults.length > 5 ? `${shown} and ${String(faults.length - 5)} more` : shown;
}
