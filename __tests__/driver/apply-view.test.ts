import { expect, test } from "@jest/globals";
import { applyFailure, describe } from "../../driver/apply-view.js";

const lasting = { kind: "lasts", address: "aws_instance.web-1-0", action: "create", seconds: 60 } as const;

test("a machine that EC2 does not have after a minute is said to be waited for, and what may be done", () => {
  expect(describe(lasting)).toBe(
    "aws_instance.web-1-0: not there after 60 s; where EC2 has none or throttles, the AWS provider tries again for up to an hour: wait, or end it with Ctrl-C",
  );
  // The same, so that it is said once.
  expect(describe({ ...lasting, seconds: 71 })).toBe(describe(lasting));
});

test("nothing is said of a machine that is young or goes, nor of what else takes long", () => {
  expect(describe({ ...lasting, seconds: 50 })).toBeUndefined();
  expect(describe({ ...lasting, action: "delete" })).toBeUndefined();
  expect(describe({ ...lasting, address: "null_resource.web-1-ready" })).toBeUndefined();
});

test("what Terraform could not do is named with its address, and with all that AWS said", () => {
  const summary =
    "waiting for EC2 Instance (i-04c7) create: unexpected state 'terminated', wanted target 'running'. last error: Client.VolumeLimitExceeded: Volume limit exceeded";
  const error = { kind: "error", address: "aws_instance.web-1-0", summary, detail: "" } as const;
  const applied = { exitCode: 1, errors: [error], failed: [], texts: [], log: "/log", command: "terraform" };
  expect(applyFailure({ env: {} }, applied, "run it again").message).toBe(
    `terraform apply failed: aws_instance.web-1-0: ${summary}\nall that it said is in /log\nrun it again`,
  );
});
