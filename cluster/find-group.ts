import { groupsOf, poolsOf, type Group, type Pool } from "./groups.js";
import { formatValue } from "./yaml/problem.js";
import type { Spec } from "./yaml/schema.js";
import { nearest, question } from "./yaml/suggest.js";
import { UserError } from "./user-error.js";

/**
 * The group of that name.
 * @throws UserError (exit code 2) that says what there is, and what was probably meant
 */
export function findGroup(spec: Spec, name: string): Group {
  const found = groupsOf(spec).find((group) => group.name === name);
  if (found) return found;
  throw new UserError(whyNot(name, poolsOf(spec)), 2);
}

/**
 * The groups of a pool, or the one group of that name.
 * @throws UserError (exit code 2) that says what there is, and what was probably meant
 */
export function findGroups(spec: Spec, name: string): readonly Group[] {
  const pools = poolsOf(spec);
  const pool = pools.find((each) => each.name === name);
  if (pool) return pool.groups;
  const meant = nearest(name, namesOf(pools));
  if (meant === undefined || /-\d+$/.test(name)) return [findGroup(spec, name)];
  throw new UserError(unknown("group or pool", name, meant, pools), 2);
}

/**
 * The names of the groups that a command line means: a group's, those of a pool, or all.
 * @param verb what is done to them: `roll`
 * @throws UserError (exit code 2) where that is not clear
 */
export function findTargets(
  spec: Spec,
  { target, all }: { readonly target?: string | undefined; readonly all: boolean },
  verb: string,
): string[] {
  if (all === (target !== undefined)) {
    throw new UserError(
      all
        ? `${String(target)} and --all were both given; name a group or a pool, or say --all`
        : `nothing to ${verb}; name a group or a pool, or say --all`,
      2,
    );
  }
  return (all ? groupsOf(spec) : findGroups(spec, target ?? "")).map(({ name }) => name);
}

function whyNot(name: string, pools: readonly Pool[]): string {
  const groups = pools.flatMap((pool) => pool.groups);
  const pool = pools.find((each) => each.name === name);
  if (pool) return `"${name}" is a pool; name one of its groups: ${namesOf(pool.groups).join(", ")}`;

  const [, before, number] = /^(.+)-(\d+)$/s.exec(name) ?? [];
  if (before === undefined) {
    const near = nearest(name, namesOf(groups)) ?? nearest(name, namesOf(pools));
    const first = pools.find((each) => each.name === near)?.groups.at(0)?.name ?? near;
    return unknown("group", name, first, pools);
  }
  if (groups.some((group) => group.name === before))
    return `"${name}" is a host; did you mean its group ${before}?`;
  const known = pools.find((each) => each.name === before);
  if (!known) return unknown("pool", before, nearest(before, namesOf(pools)), pools);
  const indexes = known.groups.map((group) => String(group.index)).join(", ");
  const meant = known.groups[Number(number)] ?? known.groups.at(-1);
  return `no group "${name}" in pool ${before} (${indexes}); did you mean ${meant?.name ?? before}?`;
}

/** `no pool "brokr"; did you mean broker? pools: …` */
function unknown(what: string, name: string, meant: string | undefined, pools: readonly Pool[]): string {
  return `no ${what} ${formatValue(name)};${question(meant)} pools: ${namesOf(pools).join(", ")}, each with the groups 0, 1 and 2`;
}

const namesOf = (named: readonly { readonly name: string }[]): string[] => named.map(({ name }) => name);
