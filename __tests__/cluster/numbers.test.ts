import { describe, expect, test } from "@jest/globals";
import { hostNames } from "../../cluster/groups.js";
import { findGroup } from "../../cluster/find-group.js";
import { lowestFree, numbersOf, withNumbers } from "../../cluster/numbers.js";
import { groupIn, deployedAs, localSpec } from "../support/fixtures.js";

const spec = localSpec();
const group = findGroup(spec, "name-server-0");
const standing = groupIn(deployedAs(spec), "name-server-0");
const OLD = "1111111111";

test.each<[string, Case, number[]]>([
  ["nothing deployed", { hosts: 3 }, [0, 1, 2]],
  ["no record, as of every group that was never surged", { stand: [0, 1, 2], hosts: 3 }, [0, 1, 2]],
  ["no record, and a machine that is gone", { stand: [0, 2], hosts: 2 }, [0, 1]],
  ["no record, and a machine too many", { stand: [0, 1, 2, 3], hosts: 3 }, [0, 1, 2]],
  ["a record", { recorded: [0, 1, 3], stand: [0, 1, 3], hosts: 3 }, [0, 1, 3]],
  ["a record, and a machine that is made again", { recorded: [0, 1, 3], stand: [0, 3], hosts: 3 }, [0, 1, 3]],
  ["a record, and no machine at all", { recorded: [1, 3], stand: [], hosts: 2 }, [1, 3]],
  ["a record that grows", { recorded: [0, 1, 3], stand: [0, 1, 3], hosts: 5 }, [0, 1, 2, 3, 4]],
  ["a record that grows by one", { recorded: [1, 3], stand: [1, 3], hosts: 3 }, [0, 1, 3]],
  ["a record that shrinks", { recorded: [0, 1, 3], stand: [0, 1, 3], hosts: 2 }, [0, 1]],
  ["a record that retires", { recorded: [0, 1, 3], stand: [0, 1, 3], hosts: 0 }, []],
  [
    "a surplus machine of the desired template",
    { recorded: [0, 1, 2], stand: [0, 1, 2], fresh: [3], hosts: 3 },
    [0, 1, 3],
  ],
  [
    "a surplus machine of another template",
    { recorded: [0, 1, 3], fresh: [0, 1], stand: [3], hosts: 2 },
    [0, 1],
  ],
  ["a record that is lost", { stand: [0, 1, 3], hosts: 3, isLost: true }, [0, 1, 3]],
])("of %s", (_, { hosts, recorded, stand = [], fresh = [], isLost = false, ...given }, numbers) => {
  const all = [...stand, ...fresh].sort((one, other) => one - other);
  const found = all.map((number) => ({
    number,
    name: `name-server-0-${String(number)}`,
    ...{ id: `i-${String(number)}`, image: "ami-0aaa", instanceType: "small" },
    hash: fresh.includes(number) ? group.hash : OLD,
  }));
  const current = {
    ...standing,
    hosts: found,
    ...(isLost ? { revisions: [] } : {}),
    ready: { hosts: found.map(({ id }) => id).join(","), hash: OLD, gate: "open" },
    completed: { attempt: 1, hosts: "", gate: "open", numbers: recorded },
  };
  const isNothing = all.length === 0 && recorded === undefined && Object.keys(given).length === 0;
  expect(numbersOf({ ...group, hosts }, isNothing ? undefined : current)).toEqual(numbers);
});

describe("a group with its numbers", () => {
  test("is the same group where they are counted from 0", () => {
    expect(withNumbers(group, standing)).toBe(group);
  });

  test("names its hosts by them", () => {
    expect(hostNames({ name: "a-0", hosts: 3, numbers: [0, 1, 3] })).toEqual(["a-0-0", "a-0-1", "a-0-3"]);
  });
});

test("the lowest that are free are taken", () => {
  expect(lowestFree([0, 1, 3], 2)).toEqual([2, 4]);
  expect(lowestFree([], 2)).toEqual([0, 1]);
  expect(lowestFree([0], -1)).toEqual([]);
});

interface Case {
  readonly hosts: number;
  readonly recorded?: number[];
  readonly stand?: number[];
  readonly fresh?: number[];
  readonly isLost?: boolean;
}
