import { Command, Option } from "commander";
import type { Despite } from "../cluster/run/run-log.js";
import { UserError } from "../cluster/user-error.js";

/** What an exit code of a verb means. */
export interface ExitCodes {
  readonly 0: string;
  readonly 1: string;
  readonly 2: string;
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

  /** `--despite ID --reason TEXT`, which {@link despiteIn} reads. @param ids what may be overridden */
  despite(...ids: readonly string[]): this {
    return this.addOption(
      new Option("--despite <id...>", "do it although this speaks against it; with --reason").choices(ids),
    ).option("--reason <text>", "why it is done despite that; it stands in the log and in history");
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
    const codes = ([0, 1, 2] as const).map((code) => `  ${String(code)}  ${this.exitCodes[code]}`);
    const examples =
      this.examples.length === 0 ? [] : ["", "Examples:", ...this.exampleLines.map((line) => `  ${line}`)];
    return [...examples, "", "Exit codes:", ...codes].join("\n");
  }
}

export interface DespiteOptions {
  readonly despite?: readonly string[];
  readonly reason?: string;
}

/** @throws UserError (exit code 2) where one of the two is given alone */
export function despiteIn({ despite: ids, reason = "" }: DespiteOptions): Despite | undefined {
  if (ids === undefined && reason === "") return undefined;
  if (ids !== undefined && reason.trim() !== "") return { ids, reason };
  throw new UserError("--despite says what is overridden and --reason why; give both, or neither", 2);
}
