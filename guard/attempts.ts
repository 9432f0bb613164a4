import { isDeepStrictEqual } from "node:util";
import { attemptsOf, type ViewAttempts } from "../cluster/attempts.js";
import { memberValues } from "../cluster/members.js";
import { marksCondition } from "../cluster/hooks/marks.js";
import { GATE_REFERENCE } from "../cluster/hooks/variables.js";
import { isMap } from "../cluster/raw.js";
import { preconditionsOf, type DeclaredResource } from "./declared.js";
import { type Proposal, type Rendered, renderedMembers } from "./proposal.js";
import { refuse, type RuleId, type Violation } from "./verdict.js";

const RULE: RuleId = "hooks-as-rendered";

/**
 * The numbers by which hooks run again, and what a revision records of them, are those that the state asks for. A view that
 * was made before a run of it was cut off has one that the state has, too, and would record what has never ended.
 * @param named the addresses of hooks that something else is said of
 */
export function attemptsOtherwise(proposal: Proposal, named: ReadonlySet<string>): Violation[] {
  const { target, laterHosts, numbers, declared, plan, deployed } = proposal;
  if (plan && deployed.origin.kind === "spec") return [];
  const attempts = attemptsOf(proposal, target, laterHosts, numbers);
  const rendered = renderedMembers(proposal);
  const wrong = rendered.filter((each) => !named.has(each.address) && isOtherwise(each, attempts, proposal));
  const unmarked = plan
    ? []
    : declared.filter(
        (revision) =>
          revision.member?.kind === "revision" &&
          attempts.groups.has(revision.member.group) &&
          !isAskedFor(revision, marksOf(revision.member.group, rendered, attempts)),
      );
  return [
    ...refuse(
      RULE,
      wrong.map(({ address }) => address),
      {
        message: "hooks would be taken for ended that may never have run, or run for nothing",
        remedy: "synthesize and plan again; leave attempts and completed as they are rendered",
      },
    ),
    ...refuse(
      RULE,
      unmarked.map(({ address }) => address),
      {
        message: "hooks would be recorded as ended without a look at their marks",
        remedy: "leave the precondition as it is rendered; remove the override",
      },
    ),
  ];
}

function isOtherwise(
  { address, member, values }: Rendered,
  { groups, consulRoll, consulRollOf }: ViewAttempts,
  { deployed, plan }: Proposal,
): boolean {
  const own = groups.get(member.group);
  const want = own?.numbers.get(address);
  switch (member.kind) {
    case "leave":
    case "start-agents":
    case "ready":
      return own !== undefined && !isNumber(memberValues(member.kind, address, values).attempt, want);
    case "config-consul": {
      const { attempt, consul } = memberValues("config-consul", address, values);
      if (own && !isNumber(attempt, want)) return true;
      return (own !== undefined || consulRoll !== undefined) && !isNumber(consul, consulRollOf(address));
    }
    case "revision": {
      if (!own) return false;
      const { completed } = memberValues("revision", address, values);
      const { attempt, hosts, gate, consul, numbers } = isMap(completed) ? completed : {};
      const wantedGate =
        own.completed?.gate === GATE_REFERENCE ? (plan?.gate ?? GATE_REFERENCE) : own.completed?.gate;
      const ids = own.completed?.hosts.replace(
        /\$\{([^}]*)\.id\}/g,
        (whole, host: string) => deployed.ids?.get(host) ?? whole,
      );
      return (
        attempt !== own.completed?.attempt ||
        consul !== own.completed?.consul ||
        gate !== wantedGate ||
        !isDeepStrictEqual(numbers, own.completed?.numbers) ||
        // What is made anew has no id yet.
        (hosts !== undefined && hosts !== own.completed?.hosts && hosts !== ids)
      );
    }
    default:
      return false;
  }
}

const isNumber = (value: unknown, want: number | undefined): boolean =>
  value === (want === undefined ? undefined : String(want));

/** The hooks that run in this view and that a revision speaks for. */
const marksOf = (
  group: string,
  rendered: readonly Rendered[],
  { groups, consulRoll }: ViewAttempts,
): string[] =>
  rendered.flatMap(({ address, member }) => {
    const isOwn = groups.get(group)?.fresh.has(address) === true;
    const isTold =
      consulRoll !== undefined &&
      groups.get(group)?.completed?.consul === consulRoll &&
      member.kind === "config-consul" &&
      !groups.has(member.group);
    return isOwn || isTold ? [address] : [];
  });

function isAskedFor(revision: DeclaredResource, hooks: readonly string[]): boolean {
  const conditions = preconditionsOf(revision);
  return hooks.length === 0 ? conditions.length === 0 : conditions.join() === marksCondition(hooks);
}
