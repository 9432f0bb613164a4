import { expect, test } from "@jest/globals";
import { ageOf, formatAge, formatMinute, formatSeconds, formatTime } from "../../../rollout/log/time.js";
import { ago, NOW } from "../../support/situation.js";

test.each([
  [-5, "0s"],
  [0, "0s"],
  [59.9, "59s"],
  [60, "1m"],
  [3599, "59m"],
  [3600, "1h"],
  [7500, "2h5m"],
  [86_399, "23h59m"],
  [86_400, "1d"],
  [200_000, "2d"],
])("an age of %d seconds is %s", (seconds, text) => {
  expect(formatAge(seconds)).toBe(text);
});

test.each([
  [0, "0s"],
  [59.4, "59s"],
  [59.6, "1m"],
  [125, "2m05s"],
  [600, "10m"],
  [3725, "1h02m"],
  [7200, "2h"],
])("what took %d seconds took %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test("an age counts from a time until now", () => {
  expect(ageOf(ago(48), NOW)).toBe("48m");
});

test("a time of today has no date, in UTC", () => {
  expect(formatTime(ago(48), NOW)).toBe("09:12 UTC");
  expect(formatTime("2026-11-20T23:59:59.999Z", NOW)).toBe("2026-11-20 23:59 UTC");
  expect(formatMinute("2026-11-20T23:59:59.999Z")).toBe("2026-11-20 23:59");
});
