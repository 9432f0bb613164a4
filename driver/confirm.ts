import type { Role } from "../cluster/groups.js";
import type { Tool } from "../guard/plan/format.js";
import type { PlanSummary } from "../program/plan-summary.js";
import { UserError } from "../cluster/user-error.js";

/** What is to be done, for somebody to say yes or no to. */
export interface Question {
  readonly group: string;
  readonly role: Role;
  /** What the plan of the first batch does. */
  readonly summary: PlanSummary;
  /** What made the plan. */
  readonly tool: Tool;
  /** The hosts that follow in the same roll without another question. */
  readonly laterHosts: readonly string[];
  /** Whether new machines come before old ones go. Default: no. */
  readonly surges?: boolean;
  /** Whether data volumes are changed, and no machine. Default: no. */
  readonly isInPlace?: boolean;
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
  readonly show: (question: Question) => void;
}

/** Somebody who was asked has said no. */
export class NotConfirmed extends UserError {
  override readonly name = "NotConfirmed";
}

/** A server's group is confirmed by its name, a client's by yes. */
export function confirmBy(options: ConfirmOptions): Confirm {
  const { ask, show } = options;
  return async (question) => {
    const { group, role, isInPlace = false } = question;
    show(question);
    if (isConfirmed(question, options)) return;
    if (!ask) throw unasked([question]);
    const isServer = role !== "client";
    const what = isInPlace ? `Change the data volumes of ${group}` : `Roll ${group}`;
    const answer = await ask(isServer ? `Type ${group} to roll it: ` : `${what}? [y/N] `);
    if (isServer ? answer === group : isYes(answer)) return;
    // Its machines may have been rolled by now, so it is none that takes an edit back.
    if (isInPlace)
      throw new UserError(`the data volumes of ${group} stay as they are: their change was not confirmed`);
    throw new NotConfirmed(`nothing was done: ${group} was not confirmed`);
  };
}

/**
 * One question for a whole roll, for which each group needs no other.
 * @param cluster is typed where servers are among the groups
 * @throws UserError as {@link Confirm} does
 */
export async function confirmAll(
  groups: readonly Asked[],
  cluster: string,
  options: Pick<ConfirmOptions, "yes" | "confirmed" | "ask">,
): Promise<void> {
  refuseUnasked(groups, options);
  const open = groups.filter((each) => !isConfirmed(each, options));
  if (open.length === 0) return;
  const isServer = open.some(({ role }) => role !== "client");
  const these = `these ${String(groups.length)} groups`;
  const answer = await options.ask?.(
    isServer ? `Type ${cluster} to roll ${these}: ` : `Roll ${these}? [y/N] `,
  );
  if (isServer ? answer !== cluster : !isYes(answer))
    throw new NotConfirmed(`nothing was done: ${these} were not confirmed`);
}

const isYes = (answer = ""): boolean => /^(y|yes)$/i.test(answer);

type Asked = Pick<Question, "group" | "role">;

const isConfirmed = (
  { group, role }: Asked,
  { yes, confirmed }: Pick<ConfirmOptions, "yes" | "confirmed">,
): boolean => confirmed.includes(group) || (yes && role === "client");

/**
 * Before anything is begun: whether all that will be asked has an answer.
 * @throws UserError (exit code 2) where nobody can be asked and a flag is missing
 */
export function refuseUnasked(
  groups: readonly Asked[],
  options: Pick<ConfirmOptions, "yes" | "confirmed" | "ask">,
): void {
  const open = groups.filter((each) => !isConfirmed(each, options));
  if (!options.ask && open.length > 0) throw unasked(open);
}

function unasked(open: readonly Asked[]): UserError {
  const named = (isServer: boolean): string[] =>
    open.flatMap(({ group, role }) => ((role !== "client") === isServer ? [group] : []));
  const [servers, clients] = [named(true), named(false)];
  const are = servers.length === 1 ? "is a group of servers" : "are groups of servers";
  const lines = [
    ...(servers.length === 0
      ? []
      : [
          `${servers.join(", ")} ${are}, and nobody can be asked: say so with --confirm ${servers.join(" ")}`,
        ]),
    ...(clients.length === 0
      ? []
      : [`nobody can be asked whether ${clients.join(", ")} may be rolled: say so with --yes`]),
  ];
  return new UserError(lines.join("\n"), 2);
}
