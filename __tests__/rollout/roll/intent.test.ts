import { expect, test } from "@jest/globals";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { expiryOf } from "../../../rollout/roll/intent.js";
import { wholeRoll } from "../../../rollout/roll/whole-roll.js";
import { change, deployedAs, localSpec, poolOf } from "../../support/fixtures.js";
import { NOW, situationOf } from "../../support/situation.js";

const HOUR = 3_600_000;
const BROKERS = { groups: ["broker-0", "broker-1", "broker-2"], image: "ami-0bbb", command: "x" };

/** Until when an intent holds that is made on 2026-11-21 at 10:00 UTC, a Saturday, where each group takes so long. */
function expiry(rollout: Partial<Spec["rollout"]>, seconds: number | null = 600): string {
  const spec = change(localSpec(), (edited) => Object.assign(edited.rollout, rollout));
  const roll = wholeRoll(situationOf(spec, deployedAs(localSpec())), BROKERS, () => []);
  const groups = roll.groups.map((group) => ({ ...group, seconds }));
  return new Date(expiryOf({ ...roll, groups }, spec, NOW)).toISOString();
}

const nightly: Spec["rollout"]["windows"] = [
  { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "22:00", to: "23:00", zone: "UTC" },
];

test("an intent holds for a day where there are no windows", () => {
  expect(expiry({})).toBe(new Date(NOW + 24 * HOUR).toISOString());
});

test("with windows it holds to the end of the last one that is needed", () => {
  expect(expiry({ windows: nightly })).toBe("2026-11-21T23:00:00.000Z");
  // The second begins at 22:45, and the third on the next night.
  expect(expiry({ windows: nightly, interval: "35m" })).toBe("2026-11-22T23:00:00.000Z");
  expect(expiry({ windows: nightly }, 4 * 3600)).toBe("2026-11-23T23:00:00.000Z");
});

test("a group of which no roll is known counts as long as it may take", () => {
  expect(expiry({ windows: nightly }, null)).toBe("2026-11-23T23:00:00.000Z");
});

test("counts each batch of such a group, which leaves and becomes ready by itself", () => {
  const windows = { windows: nightly };
  const of = (edit: (pool: ReturnType<typeof poolOf>) => void): string => {
    const base = change(localSpec(), (edited) => {
      Object.assign(edited.rollout, windows);
      const pool = poolOf(edited, "broker");
      pool.drain = { deadline: "20m", onDeadline: "fail" };
      pool.bake = { time: "1m" };
      pool.ready.timeout = "5m";
      edit(pool);
    });
    const roll = wholeRoll(situationOf(base, deployedAs(base)), BROKERS, () => []);
    const groups = roll.groups.map((group) => ({ ...group, seconds: null }));
    return new Date(expiryOf({ ...roll, groups }, base, NOW)).toISOString();
  };
  // 26 minutes a group: two within the hour, and the third in it, too.
  expect(of(() => undefined)).toBe("2026-11-21T23:00:00.000Z");
  // 78 minutes a group: one a night.
  expect(of((pool) => (pool.maxUnavailable = 1))).toBe("2026-11-23T23:00:00.000Z");
  expect(of((pool) => (pool.maxSurge = 1))).toBe("2026-11-23T23:00:00.000Z");
});
