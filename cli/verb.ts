import { Command } from "commander";

/** What an exit code of a verb means. */
export interface ExitCodes {
  readonly 0: string;
  readonly 1: string;
  readonly 2: string;
  readonly 3?: string;
}

const USUAL: ExitCodes = {
  0: "fine",
  1: "refused or failed",
  2: "wrong usage, or a mistake in the spec",
};

/** A command with examples and exit codes, which its help prints and its page in `docs/reference` too. */
export class Verb extends Command {
  readonly examples: { readonly call: string; readonly what: string }[] = [];
  exitCodes = USUAL;

  constructor(name?: string) {
    super(name);
    this.addHelpText("after", () => (this.parent === null ? "" : this.#notes()));
  }

  override createCommand(name?: string): Verb {
    return new Verb(name);
  }

  /** @param call what follows `npx rollout VERB` */
  example(call: string, what: string): this {
    this.examples.push({ call, what });
    return this;
  }

  exits(codes: Partial<ExitCodes>): this {
    this.exitCodes = { ...USUAL, ...codes };
    return this;
  }

  /** The name with those of the commands above: `rollout set image`. */
  get fullName(): string {
    return this.parent instanceof Verb ? `${this.parent.fullName} ${this.name()}` : this.name();
  }

  /** The examples as lines of a shell, what they do in a column. */
  get exampleLines(): string[] {
    const calls = this.examples.map(({ call }) => `npx ${this.fullName} ${call}`.trimEnd());
    const width = Math.max(...calls.map(({ length }) => length), 0);
    return this.examples.map(({ what }, index) => `${(calls[index] ?? "").padEnd(width)}  # ${what}`);
  }

  #notes(): string {
    const codes = Object.entries(this.exitCodes).map(([code, what]) => `  ${code}  ${String(what)}`);
    const examples =
      this.examples.length === 0 ? [] : ["", "Examples:", ...this.exampleLines.map((line) => `  ${line}`)];
    return [...examples, "", "Exit codes:", ...codes].join("\n");
  }
}
