import { expect, test } from "@jest/globals";
import { groupsOf } from "../../cluster/groups.js";
import { baselineOf } from "../../stacks/baseline.js";
import { formatStack } from "../stacks/format-stack.js";
import { ownSpec, synthesizeView } from "./own-cluster.js";

// What the roll of one group declares: all other groups frozen, this one as desired. Here the last group of the spec is
// rolled by raising its generation, so that it needs no image of yours.
test("the view of the last group declares what the snapshot says", () => {
  const spec = ownSpec();
  const deployed = baselineOf(spec, "git:main");
  const group = groupsOf(spec).at(-1);
  if (!group) throw new Error("the spec has no group");
  const rolled = structuredClone(spec);
  const pool = rolled.pools[group.pool];
  if (!pool) throw new Error(`the spec has no pool ${group.pool}`);
  pool.generations = [0, 0, 1];

  expect(formatStack(synthesizeView(rolled, deployed, group.name))).toMatchSnapshot();
});
