import { expect, test } from "@jest/globals";
import { durationSeconds } from "../../../cluster/yaml/duration.js";
import { errorOf } from "./example.js";

test.each([
  ["0s", 0],
  ["90s", 90],
  ["15m", 900],
  ["1h", 3600],
  ["999999s", 999_999],
])("%s are %d seconds", (text, seconds) => {
  expect(durationSeconds(text)).toBe(seconds);
});

test.each([
  "",
  "s",
  "90",
  "90 s",
  " 90s",
  "90s\n",
  "-1s",
  "+1s",
  "1.5h",
  "1h30m",
  "90S",
  "1d",
  "1ms",
  "1e3s",
  "1000000s",
  "٣s",
])("rejects %j", (text) => {
  expect(errorOf(() => durationSeconds(text))).toBe(
    `no duration: "${text}"; write a whole number and s, m or h, such as 90s, 15m or 1h`,
  );
});
