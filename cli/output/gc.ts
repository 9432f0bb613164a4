import type { Gc, GcArgs } from "../gc.js";
import { formatTable } from "./table.js";
import { wrapLine } from "./wrap.js";

const SYSTEM =
  "Nomad's own garbage collection drops all data of finished allocations, logs too, on every machine";

/** The list, what became of it, and the next command last. */
export function formatGc({ records, system }: Gc, asked: GcArgs): string {
  const rows = records.map(({ of, name, id, why, removed }) => [
    of,
    name,
    of === "nomad" ? id.slice(0, 8) : "",
    why,
    asked.yes ? (removed ? "removed" : "left alone: it has changed since") : "",
  ]);
  const many = `${String(records.length)} ${records.length === 1 ? "record" : "records"}`;
  return [
    ...(records.length === 0
      ? ["no records of machines that are gone"]
      : [`${many} of machines that are gone:`, formatTable(rows)]),
    ...(system ? wrapLine(`asked for: ${SYSTEM}; it goes on by itself`) : []),
    ...(asked.system && !asked.yes ? wrapLine(`warning: ${SYSTEM}`) : []),
    ...(asked.yes || (records.length === 0 && !asked.system)
      ? []
      : [`next: npx rollout gc${asked.system ? " --system" : ""} --yes`]),
  ].join("\n");
}
