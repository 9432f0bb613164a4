import { expect, test } from "@jest/globals";
import { groupRanges } from "../../../cli/output/group-ranges.js";

test("all three groups of a pool are a range, fewer are named", () => {
  expect(groupRanges([])).toBe("");
  expect(groupRanges(["broker-1"])).toBe("broker-1");
  expect(groupRanges(["broker-0", "broker-2"])).toBe("broker-0, broker-2");
  expect(groupRanges(["broker-0", "broker-1", "broker-2"])).toBe("broker-0 to -2");
});

test("pools keep their order, and those with a common beginning stay apart", () => {
  expect(
    groupRanges(["name-server-0", "broker-0", "name-server-1", "broker-eu-2", "broker-1", "name-server-2"]),
  ).toBe("name-server-0 to -2, broker-0, broker-1, broker-eu-2");
});
