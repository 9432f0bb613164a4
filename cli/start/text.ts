import { styleText } from "node:util";
import { parseAddress, type Member, type MemberKind } from "../../spec/address.js";
import { WIDTH, wrap } from "../wrap.js";
import type { ApplyEvent } from "./deploy.js";

const LABEL = 10;
const INDENT = "   ";

/** A label in the margin and lines beside it, wrapped at 80 columns; a line that starts with a space is kept as it is. */
export function labelled(label: string, lines: readonly string[]): string {
  const room = WIDTH - INDENT.length - LABEL;
  const [first = "", ...rest] = lines.flatMap((line) => (line.startsWith(" ") ? [line] : wrap(line, room)));
  const margin = styleText("dim", label.padEnd(LABEL));
  return [`${INDENT}${margin}${first}`, ...rest.map((line) => `${INDENT}${" ".repeat(LABEL)}${line}`)].join(
    "\n",
  );
}

/** The lines of a YAML text that differ from those of one with as many lines: where each stands, as it was, as it is. */
export function changedLines(before: string, after: string): string[] {
  const old = before.split("\n");
  const lines = after.split("\n");
  return lines.flatMap((line, index) => {
    const was = old[index] ?? "";
    if (line === was) return [];
    return [
      `line ${String(index + 1)}, ${keyAround(lines, index)}`,
      ` ${styleText("red", `- ${was.trim()}`)}`,
      ` ${styleText("green", `+ ${line.trim()}`)}`,
    ];
  });
}

/** The nearest line above that is indented less: `broker:`. */
function keyAround(lines: readonly string[], index: number): string {
  const depth = (line = ""): number => line.search(/\S/);
  const around = lines.slice(0, index).findLast((line) => depth(line) < depth(lines[index]));
  return around?.trim() ?? "";
}

/** What each kind of event means for a cluster; those that mean nothing for it are left out. */
const MEANING: Readonly<Partial<Record<`${MemberKind} ${ApplyEvent["action"]}`, string>>> = {
  "target delete": "out of the load balancer",
  "lb-drained delete": "drained at the load balancer (hook)",
  "leave delete": "work leaves the group (hook)",
  "data-attachment delete": "data volume detached",
  "host delete": "machine destroyed",
  "host create": "machine created",
  "data-attachment create": "data volume attached",
  "config-consul create": "config_consul: told of the Consul servers (hook)",
  "target create": "into the load balancer",
  "ready create": "group is ready (hook)",
  "revision create": "revision recorded",
  "revision update": "revision recorded",
};

/** How a group was rolled: one line for each kind of event, in the order in which the first of each was done. */
export const formatRoll = (events: readonly ApplyEvent[]): string[] =>
  condense(events, ({ kind }, action) => MEANING[`${kind} ${action}`]);

/** In which order a cluster came: its machines and its ready groups, by pool. */
export const formatCreation = (events: readonly ApplyEvent[]): string[] =>
  condense(events, ({ pool, kind }, action) => {
    const meaning = MEANING[`${kind} ${action}`];
    return meaning !== undefined && (kind === "host" || kind === "ready") ? `${pool}: ${meaning}` : undefined;
  });

function condense(
  events: readonly ApplyEvent[],
  meaningOf: (member: Member, action: ApplyEvent["action"]) => string | undefined,
): string[] {
  const kinds = new Map<string, { first: number; count: number }>();
  for (const { address, action, seconds } of events) {
    const member = parseAddress(address);
    const meaning = member && meaningOf(member, action);
    if (meaning === undefined) continue;
    const { first, count } = kinds.get(meaning) ?? { first: seconds, count: 0 };
    kinds.set(meaning, { first, count: count + 1 });
  }
  return [...kinds].map(
    ([meaning, { first, count }]) =>
      ` ${formatSeconds(first).padStart(6)}  ${String(count).padStart(2)} x ${meaning}`,
  );
}

/** `1.2 s` */
export const formatSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;
