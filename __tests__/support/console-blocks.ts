/** One command of a page and what it shows as its output. */
export interface ShownCommand {
  readonly page: string;
  readonly line: number;
  readonly command: string;
  /** A line `...` stands for any number of lines. */
  readonly output: readonly string[];
  /** What the page says that it ends with: 0, unless a line `(exit code N)` follows. */
  readonly exitCode: number;
}

/** The commands in the blocks of a page that are marked `console`: lines that begin with `$ `, each with its output. */
export function consoleBlocks(page: string, markdown: string): ShownCommand[] {
  const commands: { line: number; command: string; output: string[]; exitCode: number }[] = [];
  let inBlock = false;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (line.startsWith("```")) {
      inBlock = line === "```console";
      continue;
    }
    if (!inBlock) continue;
    const current = commands.at(-1);
    const exit = /^\(exit code (\d+)\)$/.exec(line);
    if (line.startsWith("$ ")) {
      commands.push({ line: index + 1, command: line.slice(2), output: [], exitCode: 0 });
    } else if (current === undefined) {
      throw new Error(`${page}:${String(index + 1)}: output before the first command`);
    } else if (exit) {
      current.exitCode = Number(exit[1]);
    } else if (current.command.endsWith("\\")) {
      current.command = `${current.command.slice(0, -1)}${line.trim()}`;
    } else {
      current.output.push(line);
    }
  }
  return commands.map((command) => ({ page, ...command }));
}

/** What differs from run to run, by a word in its place: times, ids, ports, hashes, the name of who runs it. */
const settled = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z)?/g, "TIME")
    .replace(/\b\d\d:\d\d(:\d\d)?( UTC)?\b/g, "TIME")
    .replace(/\b\d+(\.\d+)? ?(ms|s|m|min|h)\b( \d+ ?s\b)?/g, "AGE")
    .replace(/\+AGE/g, "+AGE")
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "ID")
    .replace(/\b[0-9a-f]{12,64}\b/g, "HASH")
    .replace(/\b(127|10)\.\d+\.\d+\.\d+(:\d+)?/g, "ADDRESS")
    .replace(/\b[\w.-]+@[\w.-]+/g, "WHO")
    .replace(/process \d+/g, "process PID")
    .replace(/serial \d+/g, "serial N")
    .replace(/(\S) {2,}/g, "$1  ")
    .replace(/[ \t]+$/gm, "");

/** Why an output is not what the page shows; undefined where it is. */
export function unlike(shown: readonly string[], output: string): string | undefined {
  const actual = settled(output).trimEnd().split("\n");
  const wanted = settled(shown.join("\n")).trimEnd().split("\n");
  let at = 0;
  let skips = false;
  for (const line of wanted) {
    if (line.trim() === "...") {
      skips = true;
      continue;
    }
    const found = skips ? actual.indexOf(line, at) : actual[at] === line ? at : -1;
    if (found === -1)
      return `expected ${JSON.stringify(line)}, found ${JSON.stringify(actual[at] ?? "the end")}`;
    at = found + 1;
    skips = false;
  }
  return skips || at === actual.length ? undefined : `not shown: ${JSON.stringify(actual[at])}`;
}
