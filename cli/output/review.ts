import { hostName, parseAddress, type Member } from "../../cluster/address.js";
import { listed } from "../../guard/listed.js";
import { count } from "../../rollout/review/explain-group.js";
import type { Review } from "../../rollout/review/review.js";
import { describeSetting } from "../../rollout/review/settings.js";
import { describeDiffering, groupRanges } from "./group-ranges.js";
import { formatTable } from "./table.js";
import { visible } from "./visible.js";
import { WIDTH, wrapLine } from "./wrap.js";

/** The review for a terminal, at most 80 columns wide where no word is wider. */
export function formatReview(review: Review): string {
  const { groups, violations, differences, settings, next } = review;
  return [
    `${review.verdict === "accepted" ? "✔" : "✖"} ${review.cluster}: ${review.headline}`,
    "",
    ...violations.flatMap(({ rule, message, remedy }) => [`${rule}: ${message}; ${remedy}`, ""]),
    ...(violations.length > 0 ? [REFUSED, ""] : []),
    ...poolTable(review),
    "",
    ...(settings?.length
      ? [
          `${SETTINGS}:`,
          ...settings.map(
            ({ path, before, after, caution }) =>
              `  ${caution ? "CAUTION " : ""}${describeSetting(path, before, after)}`,
          ),
          "",
        ]
      : []),
    ...groups.flatMap((group) => [
      `${group.name}: ${group.change}`,
      `  impact: ${group.impact}`,
      ...group.alsoReplaced.map((each) => `  also replaced: ${each}`),
      ...group.steps.map((step, index) => `  ${String(index + 1)}. ${step}`),
      "",
    ]),
    ...notesOf(review).flatMap(({ label, text }) => [`${label}: ${text}`, ""]),
    ...(differences.length > 0 ? [`${differencesOf(review)}:`] : []),
    ...foldEqual(differences).flatMap(({ view, addresses, lines }) => [
      `${listed(addresses)} ${whereOf(view, addresses)}`,
      ...lines.map((line) => `  ${line}`),
    ]),
    ...(differences.length > 0 ? [""] : []),
    `compared with: ${review.deployed}`,
    ...commitsOf(review),
    ...(next === null ? [] : [`next: ${next}`]),
  ]
    .flatMap((line) => wrapLine(visible(line)))
    .join("\n");
}

export const SETTINGS = "how groups are rolled";

/** Where the two specs stand, as far as git knows. */
export const commitsOf = ({ commits: { base, head, isCommitted } }: Review): string[] => [
  ...(base === null ? [] : [`base: ${base}`]),
  ...(head === null ? [] : [`head: ${head}${isCommitted ? "" : ", with changes that are not committed"}`]),
];

export const whereOf = (view: string, { length }: readonly string[]): string =>
  `(view ${view}${length > 1 ? ", each by its own name" : ""})`;

interface Fold {
  readonly view: string;
  readonly addresses: string[];
  readonly lines: readonly string[];
}

/** Resources of a view in which the same differs, but for their own names, are one: the hosts of a group. */
export function foldEqual(differences: Review["differences"]): Fold[] {
  const folds = new Map<string, Fold>();
  for (const { view, address, lines } of differences) {
    const key = JSON.stringify([view, withoutNames(lines.join("\n"), parseAddress(address))]);
    const fold = folds.get(key) ?? { view, addresses: [], lines };
    fold.addresses.push(address);
    folds.set(key, fold);
  }
  return [...folds.values()];
}

/** What stands for a name is no character that a line may have. */
function withoutNames(text: string, member: Member | undefined): string {
  if (!member) return text;
  const { group, host } = member;
  const ofGroup = host === undefined ? text : text.replaceAll(hostName(group, host), "\0host");
  return ofGroup.replaceAll(group, "\0group");
}

/** So that nobody takes what follows a rejection for what is about to happen. */
export const REFUSED = "Synth refuses this, so nothing is deployed as it is. What it asks for:";

/** Pools by groups; one line a group where that is too wide. */
function poolTable({ pools }: Review): string[] {
  const wide = formatTable([
    ["POOL", "0", "1", "2"],
    ...pools.map(({ name, cells }) => [name, ...cells.map((cell) => cellOf(cell))]),
  ]).split("\n");
  if (wide.every((line) => line.length <= WIDTH)) return wide;
  return formatTable([
    ["GROUP", "IMAGE AND WHAT CHANGES"],
    ...pools.flatMap(({ name, cells }) =>
      cells.map((cell, index) => [`${name}-${String(index)}`, cellOf(cell)]),
    ),
  ]).split("\n");
}

type Cell = Review["pools"][number]["cells"][number];

/** `ami-0aaa`, `ami-0aaa -> ami-0bbb`, `+ ami-0aaa`, `ami-0aaa: 3 -> 4 hosts` */
export function cellOf({ deployed, desired, change, state }: Cell): string {
  if (state === "retired") return state;
  if (state === "new") return `+ ${desired}`;
  if (change === null) return deployed ?? desired;
  return change.startsWith(`${deployed ?? ""} -> `) ? change : `${desired}: ${change}`;
}

/** What there is to say besides the groups that change. */
export function notesOf(review: Review): { label: string; text: string }[] {
  const { inFlight, created, retired, gone, frozen, shared, own } = review;
  return [
    ...inFlight.map(({ name, reasons }) => ({
      label: "in flight",
      text: `${name} is finished before anything else: ${listed(reasons)}`,
    })),
    ...(created.length > 0
      ? [
          {
            label: "new",
            text: `${groupRanges(created.map(({ name }) => name))}, ${count(
              created.reduce((sum, { machines }) => sum + machines, 0),
              "machine",
            )} in all, by the view cluster; nothing that stands is touched by that`,
          },
        ]
      : []),
    ...retired.map((pool) => ({ label: "retired", text: endOf(pool) })),
    ...(gone.length > 0 ? [{ label: "gone from the spec", text: groupRanges(gone) }] : []),
    ...(shared?.length ? [{ label: "shared, by the view cluster", text: listed(shared) }] : []),
    ...(shared === null
      ? [
          {
            label: "not compared",
            text: "shared parts, such as load balancers, and settings; see: rollout plan cluster, rollout review --base REVISION",
          },
        ]
      : []),
    ...describeDiffering(review.differs).map((line) => ({
      label: "differs",
      text: line.replace("differs: ", ""),
    })),
    {
      label: "frozen",
      text:
        frozen.length === 0
          ? "no group"
          : `${count(frozen.length, "group")} ${frozen.length === 1 ? "stays as it is" : "stay as they are"}: ${groupRanges(frozen)}`,
    },
    ...(own.length > 0 ? [{ label: "yours, not compared since no code is run", text: listed(own) }] : []),
  ];
}

/** What becomes of a pool that has no machine any more. */
function endOf({ pool, keptVolumes, deletedVolumes }: Review["retired"][number]): string {
  const fate = [
    ...(keptVolumes.length > 0
      ? [`its data volumes leave the state and are kept: ${listed(keptVolumes)}`]
      : []),
    ...(deletedVolumes.length > 0 ? [`its data volumes are DELETED: ${listed(deletedVolumes)}`] : []),
  ];
  return [`${pool} has no machine any more; what is left of it goes by the view cluster`, ...fate].join("; ");
}

/** `1 synthesized resource differs` */
export const differencesOf = ({ differences }: Review): string =>
  `${count(differences.length, "synthesized resource")} ${differences.length === 1 ? "differs" : "differ"}`;
