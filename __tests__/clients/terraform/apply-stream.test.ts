import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { type ApplyEvent, Lines, readApplyLine } from "../../../clients/terraform/apply-stream.js";

/** What `terraform apply -json` of Terraform 1.11.4 printed while broker-N was rolled on platform local. */
const recorded = (name: string): string =>
  readFileSync(new URL(`./streams/${name}.jsonl`, import.meta.url), "utf8");

const eventsOf = (text: string): ApplyEvent[] =>
  text.split("\n").flatMap((line) => {
    const event = readApplyLine(line);
    return event ? [event] : [];
  });

function brief(event: ApplyEvent): string {
  switch (event.kind) {
    case "text":
    case "said":
      return `${event.kind} ${event.text}`;
    case "error":
    case "warning":
      return `${event.kind} ${event.summary}`;
    default:
      return `${event.kind} ${event.action} ${event.address.replace("terraform_data.", "")}`;
  }
}

test("a replacement is a delete and, later, a create", () => {
  const host = eventsOf(recorded("apply-ok"))
    .map(brief)
    .filter((line) => line.endsWith(" broker-1-0"));
  expect(host).toEqual([
    "started delete broker-1-0",
    "done delete broker-1-0",
    "started create broker-1-0",
    "done create broker-1-0",
  ]);
});

test("what hooks say stands under their resource", () => {
  const said = eventsOf(recorded("apply-ok")).filter(
    (event) => event.kind === "said" && event.address === "terraform_data.broker-1-leave",
  );
  expect(said.map(brief)).toEqual([
    'said Executing: ["/bin/sh" "-c" "exec node \\"../../../dist/bin/rollout.js\\" hook leave broker-1 --hash 0ae161754a --stay broker-1-0"]',
    "said hook leave broker-1: nothing to do: this cluster on platform local has no agents (CONSUL_HTTP_ADDR and NOMAD_ADDR are not set)",
  ]);
});

test("a failed hook is a failed resource and an error with all that the hook said", () => {
  const events = eventsOf(recorded("apply-failed"));
  expect(events.filter(({ kind }) => kind === "failed" || kind === "error")).toEqual([
    {
      kind: "failed",
      address: "terraform_data.broker-2-0-config-consul",
      action: "create",
      at: 1795286117489,
    },
    {
      kind: "error",
      summary: "local-exec provisioner error",
      detail:
        "Error running command 'exec node \"../../../dist/bin/rollout.js\" hook configure-consul broker-2-0': exit status 3. Output: no agent answers\n",
      address: "terraform_data.broker-2-0-config-consul",
    },
  ]);
});

test("an apply that was interrupted ends with what could not be ended", () => {
  const lines = eventsOf(recorded("apply-interrupted")).map(brief);
  expect(lines.filter((line) => /^(failed|error)/.test(line))).toEqual([
    "failed create broker-2-0-config-consul",
    "error local-exec provisioner error",
    "error execution halted",
    "error execution halted",
  ]);
});

test("what is not done yet is told with its seconds", () => {
  const hook = { resource: { addr: "aws_instance.web-1-0" }, action: "create", elapsed_seconds: 60 };
  const line = JSON.stringify({ type: "apply_progress", hook });
  expect(readApplyLine(line)).toEqual({
    kind: "lasts",
    address: "aws_instance.web-1-0",
    action: "create",
    seconds: 60,
  });
});

describe("a line", () => {
  test.each([
    ["of a type that is not known", '{"type":"teleport_start","hook":{"resource":{"addr":"a.b"}}}'],
    ["of a known type without what it should have", '{"type":"apply_start","hook":{}}'],
    ["that is empty", "  "],
  ])("%s is nothing", (_, line) => {
    expect(readApplyLine(line)).toBeUndefined();
  });

  test.each([
    ["that is no JSON", "Warning: Provider development overrides are in effect"],
    ["that is cut off", '{"type":"apply_st'],
    ["that is JSON of another kind", "[1]"],
  ])("%s is kept as it is", (_, line) => {
    expect(readApplyLine(line)).toEqual({ kind: "text", text: line });
  });
});

test("lines that come in pieces are whole, and so is a last one without its end", () => {
  const lines: string[] = [];
  const reader = new Lines((line) => lines.push(line));
  for (const piece of ["a", "b\nc", "\n", "\nd"]) reader.add(piece);
  expect(lines).toEqual(["ab", "c", ""]);
  reader.end();
  reader.end();
  expect(lines).toEqual(["ab", "c", "", "d"]);
});
