import { UserError } from "../user-error.js";

/** One thing that is wrong with a spec. */
export interface Problem {
  /** Counted from 1; absent where nothing in the file is to blame, such as a missing key. */
  readonly line?: number;
  /** `pools.broker.images[1]`; empty for the whole file. */
  readonly path: string;
  /** What was found and what is allowed. */
  readonly message: string;
}

/** More lines than this help nobody: the file is then something else than a spec. */
const MOST_LINES = 50;

/** A spec that cannot be used: every problem at once, in the file's order. */
export class SpecError extends UserError {
  override readonly name = "SpecError";

  constructor(
    readonly file: string,
    readonly problems: readonly Problem[],
  ) {
    const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.path < b.path ? -1 : 1));
    const more = sorted.length - MOST_LINES;
    super(
      [
        ...sorted.slice(0, MOST_LINES).map((problem) => formatProblem(file, problem)),
        ...(more > 0 ? [`${file}: and ${String(more)} more`] : []),
      ].join("\n"),
      2,
    );
  }
}

/** `cluster.yaml:12: pools.broker.images[1]: got 42; expected …`; always one line, whatever the file contains. */
function formatProblem(file: string, problem: Problem): string {
  const where = problem.line === undefined ? file : `${file}:${String(problem.line)}`;
  const message = problem.message.replace(/\p{Cc}+/gu, " ").trim();
  return `${where}: ${problem.path === "" ? "" : `${problem.path}: `}${message}`;
}

/** Writes a path as people do: `pools.broker.images[1]`; a key that would be misread stands in quotes. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${String(part)}]`;
    const key = String(part);
    if (!/^[\w<-]+$/.test(key)) return `${text}[${formatValue(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** Writes a value as it may stand in YAML, on one line and cut where it gets long. */
export function formatValue(value: unknown): string {
  if (value === null) return "nothing";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What a rule that goes beyond the shape of one value has found. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export const found = (path: Finding["path"], message: string): Finding[] => [{ path, message }];
