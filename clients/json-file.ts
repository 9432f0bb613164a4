import { readFileSync } from "node:fs";
import type * as z from "zod";
import { UserError } from "../cluster/user-error.js";
import { codeOf } from "./error-code.js";

/** The text of a file; undefined where there is none. */
export function textIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * What a JSON file of this program's own says; undefined where there is none.
 * @throws UserError with these words where it says something else
 */
export function readJsonFile<T>(file: string, schema: z.ZodType<T>, damaged: string): T | undefined {
  const text = textIfThere(file);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new UserError(damaged);
  }
}
