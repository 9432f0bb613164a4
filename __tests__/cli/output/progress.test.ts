import { expect, test } from "@jest/globals";
import { jsonProgress, plainProgress } from "../../../cli/output/progress.js";
import type { ProgressEvent } from "../../../driver/progress.js";

const WEB = { group: "web-0", step: "leave" } as const;
const EVENTS: readonly ProgressEvent[] = [
  { kind: "started", ...WEB, message: "its work leaves" },
  { kind: "line", ...WEB, text: "one\ntwo" },
  { kind: "waiting", ...WEB, condition: "2 nodes left", remaining: 2, deadlineSeconds: 600 },
  { kind: "stopping", ...WEB, text: "stopping after this step" },
  { kind: "ended", ...WEB, seconds: 125, result: "interrupted" },
];

test("without a terminal a step has a line at its start and one at its end", async () => {
  const lines: string[] = [];
  const tell = plainProgress((line) => lines.push(line));
  for (const event of EVENTS) await tell(event);
  expect(lines).toEqual([
    "web-0 leave: its work leaves",
    "  one",
    "  two",
    "  stopping after this step",
    "web-0 leave: interrupted after 2m05s",
  ]);
});

test("as JSON each event is a line, and what is waited for has its numbers", async () => {
  const lines: string[] = [];
  const tell = jsonProgress((line) => lines.push(line));
  for (const event of EVENTS) await tell(event);
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
    { kind: "started", ...WEB, message: "its work leaves" },
    { kind: "line", ...WEB, text: "one\ntwo" },
    { kind: "waiting", ...WEB, condition: "2 nodes left", remaining: 2, deadlineSeconds: 600 },
    { kind: "line", ...WEB, text: "stopping after this step" },
    { kind: "ended", ...WEB, seconds: 125, result: "interrupted" },
  ]);
});
