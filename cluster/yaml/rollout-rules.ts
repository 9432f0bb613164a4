import { parseGroupName } from "../address.js";
import { asList, type Raw } from "../raw.js";
import { formatValue, found, type Finding } from "./problem.js";
import { nearest } from "./suggest.js";
import { GROUP_INDEXES } from "../three.js";

/** What a rollout's order and pauses name is there, and stands once. */
export function checkRollout(rollout: Raw, pools: readonly string[]): Finding[] {
  const groups = pools.flatMap((pool) => GROUP_INDEXES.map((index) => `${pool}-${String(index)}`));
  return [
    ...checkNames(asList(rollout["order"]), [...pools, ...groups], "a pool or a group", ["rollout", "order"]),
    ...checkNames(asList(rollout["pauseAfter"]), groups, "a group", ["rollout", "pauseAfter"]),
  ];
}

function checkNames(
  names: readonly unknown[],
  known: readonly string[],
  what: string,
  path: Finding["path"],
): Finding[] {
  return names.flatMap((name, index) => {
    if (typeof name !== "string" || name === "") return [];
    const refuse = (message: string): Finding[] => found([...path, index], message);
    if (!known.includes(name))
      return refuse(`got ${formatValue(name)}; expected ${what} of this spec${meant(name, known)}`);
    return names.indexOf(name) === index ? [] : refuse(`got ${formatValue(name)} a second time; keep one`);
  });
}

/** A pool that is named where a group belongs has three. */
function meant(name: string, known: readonly string[]): string {
  const groups = known.filter((each) => parseGroupName(each)?.pool === name);
  if (groups.length > 0) return `: ${groups.join(", ")}`;
  const word = nearest(name, known);
  return word === undefined ? "" : `; did you mean ${word}?`;
}
