import { expect, test } from "@jest/globals";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { expiryOf } from "../../../rollout/roll/intent.js";
import { wholeRoll } from "../../../rollout/roll/whole-roll.js";
import { change, deployedAs, localSpec } from "../../support/fixtures.js";
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
