import { listed } from "../../guard/listed.js";
import { parseGroupName } from "../../cluster/address.js";
import type { CheckResult } from "../../program/check-result.js";
import { headlineOf, subjectOf, violationsOf } from "../../program/result-of.js";
import { describeDiffering } from "./group-ranges.js";
import { escapeMarkdown } from "./escape-markdown.js";
import { visible } from "./visible.js";

/** The verdict for a terminal: violations first to be grepped by rule, then what was compared. */
export function formatCheck(result: CheckResult): string {
  const { drift, plan } = result;
  return [
    headlineOf(result),
    ...violationsOf(result),
    `changes: ${changesOf(result)}`,
    ...notesOf(result),
    ...(drift.length > 0 ? [`drift, not counted: ${listed(drift.map(({ address }) => address))}`] : []),
    `deployed: ${result.deployed}`,
    `plan: sha256 ${plan.sha256}, ${plan.tool} ${plan.terraformVersion}, format ${plan.formatVersion}`,
  ]
    .map(visible)
    .join("\n");
}

/** More than a reader opens; a comment holds 65,536 bytes. */
const MOST_DRIFT = 100;

/** The verdict for a pull request or a job's summary. */
export function formatCheckMarkdown(result: CheckResult): string {
  const { verdict, violations, drift, plan } = result;
  return [
    `### ${verdict === "accepted" ? "✔ accepted" : "✖ rejected"}: ${escapeMarkdown(subjectOf(result))}`,
    "",
    ...violations.flatMap(({ rule, message, remedy }) => [
      `- **${rule}**: ${escapeMarkdown(message)}; ${escapeMarkdown(remedy)}`,
    ]),
    ...(violations.length > 0 ? [""] : []),
    escapeMarkdown(changesOf(result)),
    ...notesOf(result).flatMap((line) => ["", escapeMarkdown(line)]),
    ...(drift.length > 0
      ? [
          "",
          `<details><summary>drift, not counted (${String(drift.length)})</summary>`,
          "",
          ...drift
            .slice(0, MOST_DRIFT)
            .map(({ address, action }) => `- ${escapeMarkdown(address)}: ${escapeMarkdown(action)}`),
          ...(drift.length > MOST_DRIFT ? [`- and ${String(drift.length - MOST_DRIFT)} more`] : []),
          "",
          "</details>",
        ]
      : []),
    "",
    `<sub>plan sha256 ${plan.sha256} · ${plan.tool} ${escapeMarkdown(plan.terraformVersion)} · deployed: ${escapeMarkdown(result.deployed)}</sub>`,
  ].join("\n");
}

const FROM_JSON =
  "judged by what is printed of the plan, which does not say when hooks run, nor what locals and overriding files do: the saved plan itself does";

const notesOf = (result: CheckResult): string[] => [
  ...(result.others.length > 0 ? [`shared or own: ${listed(result.others)}`] : []),
  // What this program did not render, and so cannot say what it does.
  ...(result.own.length > 0 ? [`your own resources and data sources: ${listed(result.own)}`] : []),
  ...(result.configuration ? [] : [FROM_JSON]),
  ...gateOf(result),
  ...describeDiffering(result.differs),
];

/** An open gate is what everybody expects of a plan. */
function gateOf({ gate, view, touched }: CheckResult): string[] {
  if (gate === "open" || touched.length === 0) return [];
  const finish = view !== null && parseGroupName(view) ? `; finish it with: rollout deploy ${view}` : "";
  return [
    `the gate is closed: this plan rolls, and neither proves that the group is whole nor records a revision${finish}`,
  ];
}

function changesOf({ changes, plan }: CheckResult): string {
  const counts = Object.entries(changes.byAction).filter(([, count]) => count > 0);
  const described = counts.map(([action, count]) => `${String(count)} ${action}`).join(", ");
  const images = changes.images.length > 0 ? ` (${listed(changes.images)})` : "";
  return `${String(changes.machines)} ${changes.machines === 1 ? "machine" : "machines"}${images}; ${plan.tool}: ${described || "no changes"}`;
}
