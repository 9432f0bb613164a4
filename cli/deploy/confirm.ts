import type { Role } from "../../spec/groups.js";
import { UserError } from "../../spec/user-error.js";

/** What is to be done, for somebody to say yes or no to. */
export interface Question {
  readonly group: string;
  readonly role: Role;
  /** What will be done, as a text of lines. */
  readonly summary: string;
}

/**
 * Asks whether a group may be rolled.
 * @throws UserError when it may not: exit code 1 for a no, 2 where nobody can be asked and no flag says so
 */
export type Confirm = (question: Question) => Promise<void>;

export interface ConfirmOptions {
  /** `--yes`: enough for clients. */
  readonly yes: boolean;
  /** `--confirm`: the names of groups that may be rolled, whatever they are. */
  readonly confirmed: readonly string[];
  /** Asks a person; undefined without a terminal. The answer is undefined at the end of the input. */
  readonly ask: ((question: string) => Promise<string | undefined>) | undefined;
  /** Shows what will be done. */
  readonly show: (text: string) => void;
}

/** A server's group is confirmed by its name, a client's by yes. */
export function confirmBy({ yes, confirmed, ask, show }: ConfirmOptions): Confirm {
  return async ({ group, role, summary }) => {
    show(summary);
    const isServer = role !== "client";
    if (confirmed.includes(group) || (yes && !isServer)) return;
    if (!ask) {
      throw new UserError(
        isServer
          ? `${group} is a group of servers, and nobody can be asked: say so with --confirm ${group}`
          : `nobody can be asked whether ${group} may be rolled: say so with --yes`,
        2,
      );
    }
    const answer = await ask(isServer ? `Type ${group} to roll it: ` : `Roll ${group}? [y/N] `);
    const isYes = isServer ? answer === group : /^(y|yes)$/i.test(answer ?? "");
    if (!isYes) throw new UserError(`nothing was done: ${group} was not confirmed`);
  };
}
