import { expect, test } from "@jest/globals";
import { forgottenBy, isEndOfLeftover } from "../../guard/leftovers.js";
import { forgetBlocks, leftoversOf } from "../../cluster/retiring.js";
import { readFixture } from "./plan/plan-fixture.js";

const { spec, deployed } = readFixture("retire-end");
const inCluster = { spec, deployed, target: undefined };
const leave = { address: "terraform_data.broker-0-leave", action: "delete" } as const;
const rendered = forgetBlocks(leftoversOf(spec, deployed));

test("what is left of a pool without machines may go in the cluster view, and in no view of a group", () => {
  expect(isEndOfLeftover(inCluster)(leave)).toBe(true);
  expect(isEndOfLeftover({ ...inCluster, target: "broker-0" })(leave)).toBe(false);
  expect(isEndOfLeftover({ ...inCluster, target: "consul-server-0" })(leave)).toBe(false);
});

test("it goes: whatever else would be done to it is no end", () => {
  expect(isEndOfLeftover(inCluster)({ ...leave, action: "forget" })).toBe(true);
  expect(isEndOfLeftover(inCluster)({ ...leave, action: "replace" })).toBe(false);
  expect(isEndOfLeftover(inCluster)({ ...leave, action: "update" })).toBe(false);
});

test("nothing of another pool is a leftover", () => {
  const other = { ...leave, address: "terraform_data.nomad-server-0-leave" };
  expect(isEndOfLeftover(inCluster)(other)).toBe(false);
});

test("removed blocks are known as they are rendered, and not otherwise", () => {
  expect(forgottenBy(undefined, inCluster)).toEqual([]);
  expect(forgottenBy(rendered, inCluster)).toHaveLength(4);
  expect(forgottenBy(rendered, { ...inCluster, target: "broker-0" })).toBeUndefined();
  expect(forgottenBy(rendered.slice(1), inCluster)).toBeUndefined();
  const more = [...rendered, { from: "terraform_data.nomad-server-0-0", lifecycle: [{ destroy: false }] }];
  expect(forgottenBy(more, inCluster)).toBeUndefined();
  const destroying = rendered.map((block) => ({ ...block, lifecycle: [{ destroy: true }] }));
  expect(forgottenBy(destroying, inCluster)).toBeUndefined();
});
