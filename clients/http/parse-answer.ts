import * as z from "zod";
import { formatPath } from "../../cluster/yaml/problem.js";
import { MalformedAnswerError, type Subject } from "./errors.js";

/** More of them help nobody: the answer is then of another API. */
const MOST_PROBLEMS = 3;

/**
 * The JSON of an answer, in the shape that the API promises. No value of the answer gets into a message: it may be a secret.
 * @throws MalformedAnswerError naming where it is of another shape
 */
export function parseAnswer<T>(text: string, schema: z.ZodType<T>, subject: Subject): T {
  const result = schema.safeParse(parseJson(text, subject));
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${formatPath(path) || "all of it"}: ${message}`,
  );
  const more = problems.length - MOST_PROBLEMS;
  throw new MalformedAnswerError(subject, [
    ...problems.slice(0, MOST_PROBLEMS),
    ...(more > 0 ? [`and ${String(more)} more`] : []),
  ]);
}

function parseJson(text: string, subject: Subject): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedAnswerError(subject, [`it is no JSON (${String(text.length)} characters)`]);
  }
}

/** A list of Go, which writes an empty one as null now and then. */
export function list<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

/** Names and values; Go writes an empty map as null. */
export const map = z
  .record(z.string(), z.string())
  .nullish()
  .transform((values) => values ?? {});
