import { describeGoal } from "../../cluster/run/goal.js";
import { ageOf, formatTime } from "../../rollout/log/time.js";
import type { Differing } from "../../cluster/machine-settings.js";
import type { GroupStatus, Status } from "../../rollout/status/status.js";
import { describeDiffering } from "./group-ranges.js";
import { formatTable } from "./table.js";
import { WIDTH, wrapLine } from "./wrap.js";

const SYMBOLS: Readonly<Record<GroupStatus["state"], string>> = {
  current: "✔",
  differs: "~",
  pending: "◷",
  "in flight": "◌",
  frozen: "॥",
  new: "+",
  retired: "-",
};

/**
 * What a cluster is, one row a pool, at most 80 columns; then why groups are not as desired, and last the next command.
 * @param log the log's file, as the user would write it
 */
export function formatStatus(status: Status, log: string): string {
  const reasons = status.groups
    .filter(({ state, reason }) => reason !== null && (state === "current" || !UNREMARKABLE.has(state)))
    .map(({ name, state, reason }) =>
      state === "differs"
        ? `${name} ${reason ?? ""}`
        : state === "current"
          ? `${name}: ${reason ?? ""}`
          : `${name} is ${state}: ${reason ?? ""}`,
    );
  const lines = [
    `${status.cluster}  ${phaseLine(status)}${ages(status)}`,
    "",
    ...reasons,
    ...describeWaits(status),
    ...status.leftovers.map(describeLeftovers),
    ...describeDiffering(differingOf(status)),
    ...status.owed.map(
      ({ group, step, hasLeft }) =>
        `owed: undo of ${step} of ${group}${hasLeft ? ", which has left the spec: put it back or do it by hand; the next roll of the group forgets it" : `; it is run by: npx rollout deploy ${group}`}`,
    ),
    ...status.checks.map(({ pool, group, at, answers }) =>
      at === null
        ? `checks of ${pool}: the log has no gate that they have passed; ask them now: npx rollout checks ${pool}`
        : `checks of ${pool}: ${answers ?? ""}, at the gate of ${group ?? pool} ${ageOf(at, Date.parse(status.at))} ago`,
    ),
    ...describeTarget(status),
    ...describeRun(status, log),
    ...(status.uncommitted.length === 0
      ? []
      : [`warning: no commit has what ${status.uncommitted.join(", ")} runs; commit the spec`]),
    `deployed: ${status.deployed.origin}`,
    ...status.refused.map(({ rule, message }) => `a deploy would be refused by ${rule}: ${message}`),
    status.next === null ? nothingNext(status) : `next: ${status.next}${orBack(status)}`,
  ];
  const [first = "", ...rest] = lines;
  return [...wrapLine(first), formatPools(status.groups), ...rest.flatMap(wrapLine)].join("\n");
}

const UNREMARKABLE: ReadonlySet<GroupStatus["state"]> = new Set(["current", "new", "retired"]);

/** What holds each group longest; a pause is said by the phase. Of several groups one begins, and the others wait anew. */
function describeWaits({ at, waits }: Status): string[] {
  const lines = [...new Set(waits.map(({ group }) => group))].flatMap((group) => {
    const { id, reason, until } = waits
      .filter((wait) => wait.group === group)
      .reduce((last, each) => (passes(each) > passes(last) ? each : last));
    if (id === "paused") return [];
    const what =
      until === null
        ? "waits for rollout resume once a roll comes to it"
        : `may begin at ${formatTime(until, Date.parse(at))}`;
    return [{ group, what: `${what} (${reason})` }];
  });
  return [...new Set(lines.map(({ what }) => what))].map((what) => {
    const groups = lines.flatMap((line) => (line.what === what ? [line.group] : []));
    return `${groups.length > 1 ? "the next of " : ""}${groups.join(", ")} ${what}`;
  });
}

const passes = ({ until }: Status["waits"][number]): number =>
  until === null ? Infinity : Date.parse(until);

function describeLeftovers({ pool, volumes, addresses }: Status["leftovers"][number]): string {
  if (addresses === 0)
    return `${pool} has retired: nothing of it is in the state; take pools.${pool} out of the spec`;
  const fate = volumes === "keep-volumes" ? "its data volumes are kept" : "its data volumes are DELETED";
  return `${pool} has no machine any more; what is left of it goes with the cluster view, and ${fate}`;
}

/** `progressing: broker-1 leave: 2 of 9 allocations left` */
export const phaseLine = ({ phase, message }: Pick<Status, "phase" | "message">): string =>
  `${phase}: ${message}`;

/** ` (for 1m; leave for 6m)`: how long what is waited for has been so, and how long its step takes. */
function ages({ at, phase, run, lastRun }: Status): string {
  if (phase !== "progressing" || run === null || lastRun === null || lastRun.lastLineAt < run.since)
    return "";
  const age = (since: string): string => ageOf(since, Date.parse(at));
  const { conditionSince, step, stepSince } = lastRun;
  const ofStep =
    stepSince === null
      ? []
      : [conditionSince === null ? age(stepSince) : `${step ?? ""} for ${age(stepSince)}`];
  const all = [...(conditionSince === null ? [] : [`for ${age(conditionSince)}`]), ...ofStep];
  return all.length === 0 ? "" : ` (${all.join("; ")})`;
}

/** Where ids are long they are cut in their middle, as little as has to be. */
function formatPools(groups: readonly GroupStatus[]): string {
  const pools = [...new Set(groups.map(({ pool }) => pool))];
  const rows = (most: number): string[][] => [
    ["POOL", "0", "1", "2"],
    ...pools.map((pool) => [
      pool,
      ...groups.filter((group) => group.pool === pool).map((group) => formatCell(group, most)),
    ]),
  ];
  const longest = Math.max(...groups.map(({ image }) => image.deployed?.length ?? 0));
  for (let most = longest; most > LEAST; most--) {
    const table = formatTable(rows(most));
    if (table.split("\n").every((line) => line.length <= WIDTH)) return table;
  }
  return formatTable(rows(LEAST));
}

/** Of an id, in characters. */
const LEAST = 9;

function formatCell({ state, image }: GroupStatus, most: number): string {
  const what = state === "current" ? shorten(image.deployed ?? "-", most) : state;
  return `${SYMBOLS[state]} ${what}`;
}

function shorten(id: string, most: number): string {
  if (id.length <= most) return id;
  const end = Math.floor((most - 1) / 2);
  return `${id.slice(0, most - 1 - end)}…${id.slice(-end)}`;
}

/** Where it is what comes next anyway, the last line has the command. */
function describeTarget({ at, goal, run, next }: Status): string[] {
  if (!goal) return [];
  const { command, by, since, missing } = goal;
  const goOn = next === `npx ${command}` ? "" : `go on with: npx ${command}, or `;
  const rest = run ? "" : `; ${goOn}give it up with: npx rollout cancel`;
  return [
    `goal: ${describeGoal(goal, missing)} (by ${by} since ${formatTime(since, Date.parse(at))})${rest}`,
  ];
}

function describeRun({ at, run, lastRun, phase }: Status, log: string): string[] {
  const now = Date.parse(at);
  const last = lastRun === null ? "no line yet" : `last line ${ageOf(lastRun.lastLineAt, now)} ago`;
  if (run) {
    const pid = run.pid === null ? "" : ` (process ${String(run.pid)})`;
    return [
      `run: ${run.command} by ${run.by}${pid} since ${formatTime(run.since, now)}`,
      `log: ${log}, ${last}`,
    ];
  }
  if (!lastRun) return [];
  // Of a phase that failed the message is said already.
  const why = lastRun.message === null || phase === "failed" ? "" : `: ${lastRun.message}`;
  return [`last run: ${lastRun.command ?? "unknown"}, ${endOf(lastRun)}${why}`, `log: ${log}, ${last}`];
}

function endOf({ isEnded, result, hasTouched }: NonNullable<Status["lastRun"]>): string {
  if (!isEnded) return "its process is gone";
  if (result === "failed" && !hasTouched) return "refused, nothing was changed";
  return `ended ${result ?? ""}`.trimEnd();
}

const orBack = ({ undo }: Status): string => (undo === null ? "" : `, or back: ${undo}`);

const differingOf = ({ groups }: Status): Differing[] =>
  groups.flatMap(({ name: group, differs: keys }) => (keys.length > 0 ? [{ group, keys }] : []));

function nothingNext(status: Status): string {
  const { phase, protection, refused } = status;
  if (refused.length > 0)
    return `next: ${refused.map(({ remedy }) => remedy.replace(/^run: /, "")).join("; then ")}`;
  if (protection === "off") return "next: no group is rolled while protection is off; it is for a teardown";
  if (phase !== "invalid spec")
    return differingOf(status).length === 0
      ? "next: nothing, all groups are as desired"
      : "next: nothing that has to be; npx rollout restart GROUP brings a group what differs";
  return "next: set all but one of the pending groups back, or set rollout.pendingGroups: queue";
}
