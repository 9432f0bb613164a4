import { createHash } from "node:crypto";
import { listed } from "../../guard/listed.js";
import { count } from "../../rollout/review/explain-group.js";
import type { Review } from "../../rollout/review/review.js";
import { describeSetting } from "../../rollout/review/settings.js";
import { asCode, escapeHtml, escapeMarkdown } from "./escape-markdown.js";
import {
  cellOf,
  commitsOf,
  differencesOf,
  foldEqual,
  notesOf,
  REFUSED,
  SETTINGS,
  whereOf,
} from "./review.js";
import { onOneLine } from "./visible.js";

/** A comment of GitHub's holds 65,536 bytes; some are left for what a pipeline adds. */
const MOST_BYTES = 60_000;

/** What violations and table may take of it, each, so that the other has room. */
const MOST_OF_HEAD = 24_000;

/** What the list of all that was dropped may take: names of 100 characters, each of which may be written by its code. */
const NOTE_BYTES = 6_000;

/** Something that may be left out where there is no room. */
interface Part {
  readonly kind: "setting" | "group" | "note" | "difference";
  readonly name: string;
  readonly text: string;
}

/**
 * The review as a comment of a pull request: a hidden marker by which a pipeline finds it again, the verdict, the table, what
 * will happen; folded, what differs. Under {@link MOST_BYTES} bytes: parts are dropped from the end, and it is said which.
 */
export function formatReviewMarkdown(review: Review): string {
  const head = [
    `<!-- rollout-review cluster=${review.cluster.replace(/[^a-z0-9-]/g, "")} -->`,
    `<!-- rollout-review changed=${String(review.changed)} -->`,
    `### ${review.verdict === "accepted" ? "✔" : "✖"} ${escapeMarkdown(`${review.cluster}: ${review.headline}`)}`,
    "",
    ...violationsOf(review),
    ...tableOf(review),
    "",
    "",
  ].join("\n");
  const commits = commitsOf(review).map((text) => ` · ${escapeMarkdown(text)}`);
  const foot = [
    ...(review.next === null ? [] : [`**next**: ${asCode(cut(review.next))}`, ""]),
    `<sub>compared with: ${escapeMarkdown(cut(review.deployed))}${commits.join("")} · review ${hashOf(review)}</sub>\n`,
  ].join("\n");
  const equal = foldEqual(review.differences);
  const parts = [
    ...settingParts(review),
    ...groupParts(review),
    ...noteParts(review),
    ...differenceParts(equal),
  ];
  const kept = fitting(parts, MOST_BYTES - NOTE_BYTES - bytes(head) - bytes(foot));
  const of = (kind: Part["kind"]): string =>
    kept.flatMap((part) => (part.kind === kind ? [part.text] : [])).join("");
  const folds = of("difference");
  const shown = equal
    .slice(0, kept.filter(({ kind }) => kind === "difference").length)
    .reduce((sum, { addresses }) => sum + addresses.length, 0);
  const some = shown < review.differences.length ? `, ${String(shown)} of them shown` : "";
  const details =
    folds === ""
      ? ""
      : `<details><summary>${differencesOf(review)}${some}</summary>\n\n${folds}</details>\n\n`;
  const settings = of("setting");
  const block = settings === "" ? "" : `**${SETTINGS}**\n\n${settings}\n`;
  return `${head}${block}${of("group")}${of("note")}${details}${droppedNote(parts.slice(kept.length))}${foot}`;
}

const bytes = (text: string): number => Buffer.byteLength(text);

/** As many as there is room for, in order. */
function fitting<T extends { readonly text: string }>(parts: readonly T[], room: number): T[] {
  let used = 0;
  const over = parts.findIndex(({ text }) => (used += bytes(text)) > room);
  return over < 0 ? [...parts] : parts.slice(0, over);
}

function violationsOf({ violations }: Review): string[] {
  const all = violations.map(({ rule, message, remedy }) => ({
    text: `> [!CAUTION]\n> **${rule}**: ${escapeMarkdown(message)}; ${escapeMarkdown(remedy)}\n\n`,
  }));
  const kept = fitting(all, MOST_OF_HEAD);
  const more = all.length - kept.length;
  return [
    ...kept.map(({ text }) => text.slice(0, -1)),
    ...(more > 0 ? [`And ${count(more, "more violation")}; see all by: rollout review`, ""] : []),
    ...(all.length > 0 ? [REFUSED, ""] : []),
  ];
}

/** Where there is no room for all pools, those in which nothing changes are left out first. */
function tableOf({ pools }: Review): string[] {
  const rows = pools.map(({ name, cells }) => ({
    changes: cells.some(({ state }) => state !== "frozen"),
    text: `| ${[escapeMarkdown(name), ...cells.map(markdownCell)].join(" | ")} |`,
  }));
  const first = fitting(
    [...rows].sort((a, b) => Number(b.changes) - Number(a.changes)),
    MOST_OF_HEAD,
  );
  const kept = rows.filter((row) => first.includes(row));
  const more = rows.length - kept.length;
  return [
    "| pool | group 0 | group 1 | group 2 |",
    "|---|---|---|---|",
    ...kept.map(({ text }) => text),
    ...(more > 0 ? ["", `And ${count(more, "more pool")}; see all by: rollout review`] : []),
  ];
}

function markdownCell(cell: Review["pools"][number]["cells"][number]): string {
  const words = cellOf(cell)
    .split(" ")
    .map((word) =>
      [cell.deployed, cell.desired].includes(word) ? asCode(word) : escapeMarkdown(`x ${word}`).slice(2),
    );
  const text = words.join(" ");
  return cell.state === "frozen" ? text : `**${text}**`;
}

/** One group stands open; where there are more, each is folded behind what changes. */
function groupParts({ groups }: Review): Part[] {
  return groups.map((group): Part => {
    const body = [
      `- impact: ${escapeMarkdown(group.impact)}`,
      ...group.alsoReplaced.map((each) => `- also replaced: ${escapeMarkdown(each)}`),
      "",
      ...group.steps.map((step, index) => `${String(index + 1)}. ${escapeMarkdown(step)}`),
      "",
      "",
    ].join("\n");
    const title = `${group.name}: ${group.change}`;
    const text =
      groups.length === 1
        ? `**${escapeMarkdown(group.name)}**: ${escapeMarkdown(group.change)}\n\n${body}`
        : `<details><summary>${escapeHtml(title)}</summary>\n\n${body}</details>\n\n`;
    return { kind: "group", name: group.name, text };
  });
}

const noteParts = (review: Review): Part[] =>
  notesOf(review).map(({ label, text }) => ({
    kind: "note",
    name: label,
    text: `**${label}**: ${escapeMarkdown(text)}\n\n`,
  }));

/** A very long value leaves room for the others. */
const settingParts = ({ settings }: Review): Part[] =>
  (settings ?? []).map(({ path, before, after, caution }) => {
    const [from, to] = [before, after].map((value) => value && cut(value, 500));
    const text = escapeMarkdown(describeSetting(path, from, to));
    return { kind: "setting", name: path, text: `- ${caution ? "**CAUTION** " : ""}${text}\n` };
  });

function differenceParts(equal: ReturnType<typeof foldEqual>): Part[] {
  return equal.map(({ view, addresses, lines }) => {
    const code = lines.join("\n");
    const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = "`".repeat(longest + 1);
    const title = `${listed(addresses.map(asCode))} ${escapeMarkdown(whereOf(view, addresses))}`;
    const others = addresses.length === 1 ? "" : ` and ${String(addresses.length - 1)} like it`;
    return {
      kind: "difference",
      name: `${addresses[0] ?? ""}${others}`,
      text: `${title}\n\n${fence}diff\n${code}\n${fence}\n\n`,
    };
  });
}

const WHAT = {
  setting: "the settings",
  group: "the explanation of",
  note: "notes:",
  difference: "what differs in",
} as const;

/** Names what was left out, kind by kind. */
function droppedNote(dropped: readonly Part[]): string {
  if (dropped.length === 0) return "";
  const kinds = (["setting", "group", "note", "difference"] as const).flatMap((kind) => {
    const names = dropped.filter((part) => part.kind === kind).map(({ name }) => cut(name));
    return names.length > 0 ? [`${WHAT[kind]} ${listed(names)}`] : [];
  });
  return `Dropped, since a comment has no room (${count(dropped.length, "part")}): ${escapeMarkdown(kinds.join("; "))}. See all by: \`rollout review\`\n\n`;
}

/** Cut as it is seen, since what cannot be seen is written by longer codes. */
function cut(text: string, most = 100): string {
  const seen = onOneLine(text);
  return seen.length > most ? `${seen.slice(0, most - 1)}…` : seen;
}

/** Names the very content, so that an approval can say what it was of, wherever it is committed. */
const hashOf = (review: Review): string =>
  createHash("sha256")
    .update(JSON.stringify({ ...review, commits: null }))
    .digest("hex")
    .slice(0, 12);
