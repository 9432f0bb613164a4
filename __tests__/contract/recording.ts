import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

const Recording = z.object({
  request: z.object({ method: z.string(), path: z.string(), body: z.unknown() }),
  response: z.object({
    status: z.number(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
});

/** One request to a real agent and what it answered. */
export type Recording = z.output<typeof Recording>;

/** What `recordings/` holds of one service. */
export function readRecordings(service: "consul" | "nomad"): Recording[] {
  const file = join(dirname(fileURLToPath(import.meta.url)), "recordings", `${service}.jsonl`);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => Recording.parse(JSON.parse(line)));
}

/** What stands in a recording for a part that was left out. Go writes an empty one as null. */
const LEFT_OUT = "…trimmed";

/** The body as it was on the wire, but for what was left out: text as it stands, anything else as JSON. */
export function bodyOf({ response: { headers, body } }: Recording): string {
  const isJson = typeof body !== "string" || headers["Content-Type"] === "application/json";
  return isJson ? JSON.stringify(body, (_, value: unknown) => (value === LEFT_OUT ? null : value)) : body;
}
