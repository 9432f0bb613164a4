import type * as z from "zod";
import { checkRules } from "./rules.js";
import { knownKeys } from "./json-schema.js";
import { schemaFor, type Spec } from "./schema.js";
import { formatPath, formatValue, SpecError, type Problem } from "./problem.js";
import { valueAt } from "../raw.js";
import { nearest } from "./suggest.js";
import { YamlSource } from "./yaml-source.js";

/** A spec of more bytes than this is not parsed: the largest real ones have some kilobytes. */
const MOST_BYTES = 200_000;

/**
 * Reads the text of a `cluster.yaml`.
 * @param file the name that errors carry
 * @throws SpecError with every problem, each with its line
 */
export function loadSpec(content: Uint8Array | string, file: string): Spec {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return checkSpec(new YamlSource(decode(bytes, file), file), file);
}

/** A value, and where each part of it stands. */
type Source = Pick<YamlSource, "value" | "lineOf">;

/**
 * Checks what a spec is to be, whoever wrote it.
 * @param where the name that errors carry
 * @throws SpecError with every problem
 */
export function checkSpec(source: Source, where: string): Spec {
  const parsed = schemaFor(source.value).safeParse(source.value);
  const problems = [
    ...checkRules(source.value).map(({ path, message }) => problemAt(source, path, message)),
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, source)),
  ];
  if (!parsed.success || problems.length > 0) throw new SpecError(where, onePerPath(problems));
  return parsed.data;
}

function decode(bytes: Uint8Array, file: string): string {
  if (bytes.length > MOST_BYTES) {
    const size = `${String(bytes.length)} bytes`;
    throw new SpecError(file, [
      { path: "", message: `the file has ${size}; a spec has at most ${String(MOST_BYTES)}` },
    ]);
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (text.includes("\0")) throw new TypeError("binary");
    return text;
  } catch {
    throw new SpecError(file, [{ path: "", message: "not a text file in UTF-8; a spec is YAML" }]);
  }
}

/** A rule knows better than the schema what is wrong with a value, hence the first one counts. */
function onePerPath(problems: readonly Problem[]): Problem[] {
  const first = new Map<string, Problem>();
  for (const problem of problems) if (!first.has(problem.path)) first.set(problem.path, problem);
  return [...first.values()];
}

function problemAt(source: Source, path: readonly PropertyKey[], message: string): Problem {
  const line = source.lineOf(path);
  return { path: formatPath(path), message, ...(line === undefined ? {} : { line }) };
}

/** What zod found, in our words: the wrong value, what is allowed, and a guess at what was meant. */
function explain(issue: z.core.$ZodIssue, source: Source): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(issue.path, source.value);
    return issue.keys.map((key) =>
      problemAt(source, [...issue.path, key], `unknown key${didYouMean(key, known)}`),
    );
  }
  if (issue.code === "invalid_type" && issue.expected === "never")
    return [problemAt(source, issue.path, issue.message)];
  const found = valueAt(source.value, issue.path);
  const message = found === undefined ? "missing" : `got ${formatValue(found)}`;
  return [problemAt(source, issue.path, `${message}; expected ${expected(issue, source)}`)];
}

/** What the schema's own words say, else what follows from the kind of issue. */
function expected(issue: z.core.$ZodIssue, source: Source): string {
  if (issue.code === "invalid_type" && issue.expected === "object" && isStock(issue)) {
    return `a map with the keys ${knownKeys(issue.path, source.value).join(", ")}`;
  }
  if (issue.code === "invalid_type" && issue.expected === "boolean") return "true or false";
  if (issue.code === "invalid_value" && isStock(issue)) return inWords(issue.values.map(String));
  return issue.message;
}

/** Whether the message is zod's own and not the schema's. */
const isStock = (issue: z.core.$ZodIssue): boolean => /^Invalid (input|option)/.test(issue.message);

const inWords = (values: readonly string[]): string =>
  [values.slice(0, -1).join(", "), ...values.slice(-1)].filter((part) => part !== "").join(" or ");

function didYouMean(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === undefined ? `; known here: ${known.join(", ")}` : `; did you mean ${meant}?`;
}
