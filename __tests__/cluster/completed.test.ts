import { expect, test } from "@jest/globals";
import { isMadeAfterOthers } from "../../cluster/completed.js";
import { deployedAs, groupIn, localSpec } from "../support/fixtures.js";

const group = groupIn(deployedAs(localSpec()), "broker-0");
const [host] = group.hosts;
if (!host) throw new Error("no host");

/** By id: its template and the attempt that is recorded of it. */
const isAfter = (hosts: Readonly<Record<string, readonly [hash: string, attempt?: number]>>): boolean =>
  isMadeAfterOthers(
    {
      ...group,
      hosts: Object.entries(hosts).map(([id, [hash]], number) => ({ ...host, id, hash, number })),
      completed: {
        attempt: 9,
        gate: "closed",
        hosts: Object.entries(hosts)
          .flatMap(([id, [, attempt]]) => (attempt === undefined ? [] : `${id}:${String(attempt)}`))
          .join(","),
      },
    },
    "old",
  );

test("tells by the attempts whether one of a template was made after one of another", () => {
  expect(isAfter({ a: ["old", 1], b: ["old", 3], c: ["new", 4] })).toBe(false);
  expect(isAfter({ a: ["old", 5], b: ["old", 3], c: ["new", 4] })).toBe(true);
  expect(isAfter({ a: ["old", 5], b: ["new", 4], c: ["new", 6] })).toBe(true);
});

test("takes none for new of which nothing is recorded, and none where all are of one template", () => {
  expect(isAfter({ a: ["old"], c: ["new", 4] })).toBe(false);
  expect(isAfter({ a: ["old", 5], b: ["old", 3] })).toBe(false);
  expect(isMadeAfterOthers({ ...group, completed: undefined }, host.hash)).toBe(false);
});
