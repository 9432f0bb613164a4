import { expect, test } from "@jest/globals";
import { standingNames } from "../../hooks/agents.js";
import { change, localSpec, poolOf } from "../support/fixtures.js";

const spec = change(localSpec(), (edited) => {
  poolOf(edited, "name-server").hosts = [2, 1, 1];
});
const surging = change(spec, (edited) => {
  poolOf(edited, "name-server").maxSurge = 1;
});

test.each<[string, typeof spec, number[], number[]]>([
  ["is counted from 0 where nothing stands yet", spec, [], [0, 1]],
  ["may grow", spec, [0], [0, 1]],
  ["shrinks: what is too many goes", spec, [0, 1, 2], [0, 1]],
  ["has a gap, also once it surges no more", spec, [0, 2], [0, 1, 2]],
  ["surges", surging, [0, 1, 2], [0, 1, 2]],
])("a group %s", (_, of, there, standing) => {
  const hosts = there.map((number) => `name-server-0-${String(number)}`);
  const names = standingNames({ spec: of, deployed: [{ name: "name-server-0", hosts, images: [] }] });
  expect([...names].filter((name) => name.startsWith("name-server-0")).sort()).toEqual(
    standing.map((number) => `name-server-0-${String(number)}`),
  );
});
