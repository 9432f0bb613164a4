import type { SimulatedDemo } from "./simulated-demo.js";

/** Who in an incident has nothing but the program's own words, and does what they say. */
export class Operator {
  /** The commands so far, each as the program has named it. */
  readonly done: string[] = [];
  readonly failed: { readonly command: string; readonly output: string }[] = [];

  constructor(private readonly demo: SimulatedDemo) {}

  /** Runs what `rollout status` names, and after a command that failed what that names, until the cluster is healthy. */
  async mend(): Promise<readonly string[]> {
    let named: string | undefined;
    for (;;) {
      const { phase, message, next, undo, refused } = await this.demo.workspace.status();
      if (phase === "healthy" && named === undefined) return this.done;
      const hasFailed = next !== null && this.failed.some(({ command }) => command === next);
      const remedies = refused.map(({ remedy }) => remedy).join("; ");
      const command = named ?? (hasFailed ? undo : null) ?? next ?? commandIn(remedies);
      if (command === undefined || this.done.length === MOST)
        throw new Error([`${phase}: ${message}: no way on after:`, ...this.done].join("\n"));
      named = await this.run(command);
    }
  }

  /** @returns the other command that it names where it failed */
  async run(command: string): Promise<string | undefined> {
    this.done.push(command);
    const { workspace } = this.demo;
    const [, program, words = ""] = /^(?:npx )?(rollout|cdktf) (.*)$/.exec(command) ?? [];
    const group = /\S+-\d$/.exec(words)?.[0];
    const confirmed = words.startsWith("deploy") ? ["--yes", ...(group ? ["--confirm", group] : [])] : [];
    const { exitCode, output } =
      program === "cdktf"
        ? await workspace.deploy(words.replace("deploy ", ""))
        : await workspace.rollout([...words.split(" "), ...confirmed]);
    if (exitCode === 0) return undefined;
    this.failed.push({ command, output });
    return commandIn(output, command);
  }
}

/** More than any incident needs. */
const MOST = 8;

/** The last command that a text names, but for one that has been run just now. */
function commandIn(text: string, but?: string): string | undefined {
  const named = [
    ...text.matchAll(/rollout (?:deploy|restart|undo|resume|cancel|gc|retire|set image)\b[ \w./=-]*/g),
  ];
  return named.map(([command]) => command.trim().replace(/[.,;:]$/, "")).findLast((each) => each !== but);
}
