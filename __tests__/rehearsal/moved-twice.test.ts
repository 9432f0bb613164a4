import { expect, test } from "@jest/globals";
import { movesOf, type Work } from "../../rehearsal/moved-twice.js";

const GOING = new Set(["node-b-0-0", "node-b-0-1"]);

test("work that was moved once is counted, and no more is said of it", () => {
  const before = [work("1", "b-0-0"), work("2", "b-1-0")];
  expect(movesOf(before, [...before, work("3", "b-2-0", "1")], GOING)).toEqual({
    moved: 1,
    twice: [],
    missing: [],
  });
});

test("work that came back to the new machine of the same name was moved once", () => {
  const before = [work("1", "b-0-0")];
  const back = { ...work("2", "b-0-0", "1"), node: "another-node" };
  expect(movesOf(before, [...before, back], GOING)).toEqual({ moved: 1, twice: [], missing: [] });
});

test("work that is placed for the first time, and moves of earlier rolls, count for nothing", () => {
  const before = [{ ...work("1", "b-0-0"), runs: false }, work("2", "b-1-0", "1")];
  expect(movesOf(before, [...before, work("3", "b-2-0")], GOING)).toEqual({
    moved: 0,
    twice: [],
    missing: [],
  });
});

test("refuses work that was moved onto a machine which goes in the same roll, and on from there", () => {
  const before = [work("1", "b-0-0")];
  const after = [...before, work("2", "b-0-1", "1"), work("3", "b-1-0", "2")];
  expect(movesOf(before, after, GOING)).toEqual({
    moved: 2,
    twice: ["web[1]: b-0-0 -> b-0-1 -> b-1-0"],
    missing: [],
  });
});

test("refuses work that was moved twice between machines that stay, and counts each chain by itself", () => {
  const before = [work("1", "b-0-0"), work("5", "b-0-1")];
  const after = [work("2", "b-1-0", "1"), work("3", "b-2-0", "2"), work("6", "b-1-0", "5")];
  expect(movesOf(before, after, GOING)).toEqual({
    moved: 3,
    twice: ["web[1]: b-0-0 -> b-1-0 -> b-2-0"],
    missing: [],
  });
});

test("refuses work that ended on a machine which goes, although it moved but once", () => {
  const before = [work("1", "b-0-0")];
  expect(movesOf(before, [work("2", "b-0-1", "1")], GOING).twice).toEqual(["web[1]: b-0-0 -> b-0-1"]);
});

test("refuses a roll after which work that ran on a machine of the group has no successor", () => {
  const ended = { ...work("4", "b-0-1"), runs: false };
  const before = [work("1", "b-0-0"), work("2", "b-0-1"), work("3", "b-1-0"), ended];
  const found = movesOf(before, [...before, work("5", "b-2-0", "1")], GOING);
  expect(found).toEqual({ moved: 1, twice: [], missing: ["web[2] on b-0-1"] });
});

test("work that waited for the new machine runs again there under its name, linked to nothing", () => {
  const before = [work("1", "b-0-0")];
  const again = { ...work("2", "b-0-0"), name: "web[1]", node: "another-node" };
  expect(movesOf(before, [...before, again], GOING).missing).toEqual([]);
  expect(movesOf(before, [...before, { ...again, runs: false }], GOING).missing).toEqual(["web[1] on b-0-0"]);
});

const work = (id: string, host: string, previous = ""): Work => ({
  id,
  name: previous === "" ? `web[${id}]` : "moved",
  node: `node-${host}`,
  host,
  previous,
  runs: true,
});
