import { createHash } from "node:crypto";
import type { Review } from "../rollout/review.js";
import { escapeMarkdown } from "./format-check.js";
import { groupRanges } from "./group-ranges.js";
import { formatTable } from "./table.js";

/** A comment of GitHub's holds 65,536 bytes; some are left for what a pipeline adds. */
const MOST_BYTES = 60_000;

/** The review for a terminal. */
export function formatReview(review: Review): string {
  const { pools, groups, violations, created, differences } = review;
  const rows = pools.map(({ name, cells }) => [
    name,
    ...cells.map(({ deployed, desired, state }) => cellOf(deployed, desired, state)),
  ]);
  return [
    `${review.verdict === "accepted" ? "✔" : "✖"} ${review.headline}`,
    "",
    ...violations.flatMap(({ rule, message, remedy }) => [`${rule}: ${message}; ${remedy}`, ""]),
    formatTable([["POOL", "0", "1", "2"], ...rows]),
    "",
    ...groups.flatMap((group) => [
      `${group.name}: ${group.change}`,
      ...group.alsoReplaced.map((each) => `  also replaced: ${each}`),
      ...group.steps.map((step, index) => `  ${String(index + 1)}. ${step}`),
      "",
    ]),
    ...(created.length > 0 ? [`new, by the cluster view: ${created.join(", ")}`, ""] : []),
    `frozen: ${frozenOf(review)}`,
    "",
    ...(differences.length > 0 ? [`${String(differences.length)} synthesized resources differ:`] : []),
    ...differences.flatMap(({ view, address, lines }) => [
      `${address} (view ${view})`,
      ...lines.map((line) => `  ${line}`),
    ]),
    ...(differences.length > 0 ? [""] : []),
    `deployed: ${review.deployed}`,
  ].join("\n");
}

/**
 * The review as a comment of a pull request: a hidden marker by which a pipeline finds it again, the verdict, the table, what
 * will happen; folded, what differs. Under {@link MOST_BYTES} bytes: what is folded is dropped from the end, and that is said.
 */
export function formatReviewMarkdown(review: Review): string {
  const head = [...markdownHead(review), ""].join("\n");
  const foot = `\n<sub>deployed: ${escapeMarkdown(review.deployed)} · review ${hashOf(review)}</sub>\n`;
  const folds = review.differences.map(foldOf);
  const room = MOST_BYTES - Buffer.byteLength(head) - Buffer.byteLength(foot) - 400;
  let used = 0;
  let shown = 0;
  for (const fold of folds) {
    used += Buffer.byteLength(fold);
    if (used > room) break;
    shown++;
  }
  const dropped = folds.length - shown;
  const count = `${String(folds.length)} synthesized ${folds.length === 1 ? "resource differs" : "resources differ"}`;
  const details =
    folds.length === 0
      ? ""
      : [
          `<details><summary>${count}${dropped > 0 ? `, ${String(shown)} are shown` : ""}</summary>`,
          "",
          ...folds.slice(0, shown),
          ...(dropped > 0
            ? [`${String(dropped)} more do not fit into a comment; see them by: rollout review`, ""]
            : []),
          "</details>",
          "",
        ].join("\n");
  return limited(head) + details + foot;
}

function markdownHead(review: Review): string[] {
  const { cluster, pools, groups, violations, created } = review;
  const cell = (deployed: string | null, desired: string, state: string): string => {
    const text = escapeMarkdown(cellOf(deployed, desired, state));
    return state === "frozen" ? text : `**${text}**`;
  };
  return [
    `<!-- rollout-review cluster=${cluster} -->`,
    `### ${review.verdict === "accepted" ? "✔" : "✖"} ${escapeMarkdown(review.headline)}`,
    "",
    ...violations.flatMap(({ rule, message, remedy }) => [
      "> [!CAUTION]",
      `> **${rule}**: ${escapeMarkdown(message)}; ${escapeMarkdown(remedy)}`,
      "",
    ]),
    "| pool | 0 | 1 | 2 |",
    "|---|---|---|---|",
    ...pools.map(
      ({ name, cells }) =>
        `| ${[escapeMarkdown(name), ...cells.map(({ deployed, desired, state }) => cell(deployed, desired, state))].join(" | ")} |`,
    ),
    "",
    ...groups.flatMap((group) => [
      `**${escapeMarkdown(group.name)}**: ${escapeMarkdown(group.change)}`,
      "",
      ...group.alsoReplaced.map((each) => `- also replaced: ${escapeMarkdown(each)}`),
      ...(group.alsoReplaced.length > 0 ? [""] : []),
      ...group.steps.map((step, index) => `${String(index + 1)}. ${escapeMarkdown(step)}`),
      "",
    ]),
    ...(created.length > 0 ? [`New, by the cluster view: ${escapeMarkdown(created.join(", "))}`, ""] : []),
    `Frozen: ${escapeMarkdown(frozenOf(review))}`,
    "",
  ];
}

const frozenOf = ({ frozen }: Review): string =>
  frozen.length === 0
    ? "no group"
    : `${String(frozen.length)} ${frozen.length === 1 ? "group" : "groups"} (${groupRanges(frozen)})`;

function foldOf({ view, address, lines }: Review["differences"][number]): string {
  const safe = lines.map((line) => line.replace(/`{3,}/g, "''' ").replace(/@/g, "@\u200b"));
  return [
    `${escapeMarkdown(address)} (view ${escapeMarkdown(view)})`,
    "",
    "```diff",
    ...safe,
    "```",
    "",
  ].join("\n");
}

/** A head that is too long by itself (hundreds of groups) is cut; the verdict stands first. */
function limited(head: string): string {
  if (Buffer.byteLength(head) <= MOST_BYTES - 2_000) return head;
  const cut = Buffer.from(head)
    .subarray(0, MOST_BYTES - 2_000)
    .toString("utf8");
  return `${cut.slice(0, cut.lastIndexOf("\n"))}\n\nThe rest does not fit into a comment; see it by: rollout review\n`;
}

function cellOf(deployed: string | null, desired: string, state: string): string {
  if (deployed === null) return `+ ${desired}`;
  if (state === "frozen") return deployed;
  return deployed === desired ? `${desired} (changes)` : `${deployed} -> ${desired}`;
}

/** Names the very content, so that an approval can say what it was of. */
const hashOf = (review: Review): string =>
  createHash("sha256").update(JSON.stringify(review)).digest("hex").slice(0, 12);
