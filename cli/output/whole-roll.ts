import { formatSeconds } from "../../rollout/log/time.js";
import type { WholeRoll } from "../../rollout/roll/whole-roll.js";
import { groupRanges } from "./group-ranges.js";
import { formatTable } from "./table.js";

type Row = WholeRoll["groups"][number];

/**
 * What is going to be rolled, a row a group; then what each means for the work, and what is refused or asked.
 * @param isApproved whether it is rolled by an intent, which has its order and asks nobody. Default: no
 */
export function formatWholeRoll(
  { cluster, groups, of, seconds, refused }: WholeRoll,
  isApproved = false,
): string {
  const servers = groups.filter(({ role }) => role !== "client");
  const isLed = servers.some(({ role }) => servers.filter((other) => other.role === role).length > 1);
  const unknown = groups.flatMap(({ name, seconds }) => (seconds === null ? [name] : []));
  const takes =
    seconds === null
      ? `how long ${groupRanges(unknown)} ${unknown.length === 1 ? "takes" : "take"} is not known yet`
      : `about ${formatSeconds(seconds)} by the last roll of each`;
  return [
    groups.length === 0
      ? `${cluster}: no group is to be rolled`
      : `${cluster}: ${String(groups.length)} of ${String(of)} groups, one after another; ${takes}`,
    ...(groups.length === 0
      ? []
      : [
          "",
          formatTable([
            ["NAME", "NOW", "THEN", "MACHINES", "ORDER", "CONFIRM", "WAITS", "ABOUT"],
            ...groups.map((group, place) => cellsOf(group, place)),
          ]),
          "",
          ...groups.map(({ name, impact }) => `${name}: ${impact}`),
        ]),
    ...(isLed && !isApproved ? ["of the servers of a kind the one that leads goes last"] : []),
    ...(isApproved ? [] : askedOf(cluster, groups)),
    ...refused.map((each) => `refused already: ${each}`),
  ].join("\n");
}

/** What a person is asked, and how nobody is. */
function askedOf(cluster: string, groups: readonly Row[]): string[] {
  const servers = groups.flatMap(({ name, role }) => (role === "client" ? [] : [name]));
  const [first] = groups;
  if (!first) return [];
  const flags = [
    ...(servers.length < groups.length ? ["--yes"] : []),
    ...(servers.length > 0 ? [`--confirm ${servers.join(" ")}`] : []),
  ];
  const answer =
    servers.length === 0 ? "yes or no" : `${groups.length === 1 ? first.name : cluster} is to be typed`;
  return [`asked once: ${answer}; nobody is asked with ${flags.join(" ")}`];
}

function cellsOf(group: Row, place: number): string[] {
  const { name, now, then, machines, confirm, waits, begun, seconds } = group;
  const done = (["replaced", "created", "destroyed"] as const).filter((each) => machines[each] > 0);
  return [
    ...[name, now ?? "-", then],
    done.map((each) => `${String(machines[each])} ${each}`).join(", ") || "none",
    ...[String(place + 1), confirm.split(" ")[0] ?? ""],
    begun ? "begun" : waits.join(", ") || "-",
    seconds === null ? "-" : formatSeconds(seconds),
  ];
}
