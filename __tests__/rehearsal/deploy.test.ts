import { expect, test } from "@jest/globals";
import { appliedIn } from "../../rehearsal/deploy.js";

test("what was done has its times from the first event on; a replacement is two, and what failed is none", () => {
  const applied = appliedIn([
    event("a", "delete", "started", 5000),
    event("b", "create", "started", 5500),
    event("a", "delete", "done", 6000),
    event("a", "create", "started", 6200),
    event("b", "create", "failed", 6300),
    event("a", "create", "done", 7000),
  ]);
  expect(applied).toEqual([
    { address: "a", action: "delete", begins: 0, ends: 1 },
    { address: "a", action: "create", begins: 1.2, ends: 2 },
  ]);
  expect(appliedIn([])).toEqual([]);
});

const event = (address: string, action: string, kind: "started" | "done" | "failed", at: number) => ({
  kind,
  address,
  action,
  at,
});
