import { expect, test } from "@jest/globals";
import { applyFailure } from "../../driver/apply-view.js";

const failureOf = (detail: string): string =>
  applyFailure(
    { env: {} },
    {
      exitCode: 1,
      errors: [{ kind: "error", summary: "local-exec provisioner error", detail }],
      failed: [],
      texts: [],
      log: "apply.jsonl",
      command: "terraform",
    },
    "run it again",
  ).message;

test("a hook that has failed is told by why, and not by what it had waited for before", () => {
  const said = [
    "waiting: web-0-0: cannot be reached by ssh: 10.0.0.8: Connection refused",
    "waiting: web-0-0: its Consul agent does not answer: connection reset",
    "Consul is not configured: web-0-0: its Consul agent does not answer",
  ];
  expect(failureOf(`Error running command 'hook': exit status 1. Output: ${said.join("\n")}`))
    .toMatchInlineSnapshot(`
   "terraform apply failed: local-exec provisioner error: Error running command 'hook': exit status 1. Output: Consul is not configured: web-0-0: its Consul agent does not answer
   all that it said is in apply.jsonl
   run it again"
  `);
});

test("a hook that was ended while it waited is told by what it waited for", () => {
  expect(
    failureOf("Error running command 'hook': signal: killed. Output: waiting: web-0-0: it boots"),
  ).toContain("Output: waiting: web-0-0: it boots");
});
