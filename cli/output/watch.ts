import * as z from "zod";
import { statusSchema } from "../../rollout/status/status.js";
import { phaseLine } from "./status.js";

/** What `rollout status --watch --format json` prints, one object a line. */
export const watchLineSchema = z.union([
  statusSchema,
  z.strictObject({ at: z.iso.datetime(), unknown: z.string().describe("Why nothing could be read.") }),
]);

type WatchLine = z.output<typeof watchLineSchema>;

/** Says what has changed. */
export function watchLines(format: "text" | "json", say: (line: string) => void): (line: WatchLine) => void {
  let last = "";
  return (line) => {
    const text = "unknown" in line ? `unknown: ${line.unknown}` : phaseLine(line);
    if (text === last) return;
    last = text;
    say(format === "json" ? JSON.stringify(line) : `${line.at.slice(11, 19)} UTC  ${text}`);
  };
}
