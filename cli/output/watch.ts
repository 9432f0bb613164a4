import * as z from "zod";
import { statusSchema, type Status } from "../../rollout/status/status.js";
import { phaseLine } from "./status.js";

/** What `rollout status --watch --format json` prints, one object a line. */
export const watchLineSchema = z.union([
  statusSchema,
  z.strictObject({ at: z.iso.datetime(), unknown: z.string().describe("Why nothing could be read.") }),
]);

/** Says what has changed. */
export class WatchLines {
  #last = "";

  constructor(
    private readonly format: "text" | "json",
    private readonly say: (line: string) => void,
  ) {}

  status(status: Status): void {
    this.#line(phaseLine(status), status.at, status);
  }

  unknown(at: string, why: string): void {
    this.#line(`unknown: ${why}`, at, { at, unknown: why });
  }

  #line(text: string, at: string, object: z.output<typeof watchLineSchema>): void {
    if (text === this.#last) return;
    this.#last = text;
    const time = `${at.slice(11, 19)} UTC`;
    this.say(this.format === "json" ? JSON.stringify(object) : `${time}  ${text}`);
  }
}
