import { expect, test } from "@jest/globals";
import { readGoal, setGoal, settleGoal } from "../../../clients/run-store/goal.js";
import type { Goal } from "../../../cluster/run/goal.js";
import { change, deployedAs, localSpec, poolOf } from "../../support/fixtures.js";
import { MemoryStore } from "../../support/memory-store.js";
import { failure } from "../../support/refusal.js";

const goal = (image: string, groups = ["broker-0", "broker-1"]): Goal => ({
  command: `rollout deploy broker --image ${image}`,
  image,
  groups,
  by: "ops@build-1",
  since: "2026-11-21T09:12:00.000Z",
});

const [WANTED, OTHER] = [goal("ami-0bbb"), goal("ami-0ccc")];
const old = localSpec();
const withImage = (...groups: readonly (0 | 1)[]) =>
  change(old, (draft) => {
    for (const index of groups) poolOf(draft, "broker").images[index] = WANTED.image;
  });

test("it is kept until another takes its place, and the same one keeps who wanted it first", async () => {
  const store = new MemoryStore();
  expect(await readGoal(store)).toBeUndefined();
  expect(await setGoal(store, WANTED)).toBeUndefined();
  expect(await setGoal(store, { ...WANTED, by: "ann@laptop" })).toEqual(WANTED);
  expect(await readGoal(store)).toEqual(WANTED);
  expect(await setGoal(store, OTHER)).toEqual(WANTED);
  expect(await readGoal(store)).toEqual(OTHER);
  expect(await setGoal(store, undefined)).toEqual(OTHER);
  expect(await setGoal(store, undefined)).toBeUndefined();
});

test("it is forgotten once all of its groups have been given the image, and not before", async () => {
  const store = new MemoryStore();
  await setGoal(store, WANTED);
  await settleGoal(store, { spec: old, deployed: deployedAs(withImage(0)) });
  expect(await readGoal(store)).toEqual(WANTED);
  await settleGoal(store, { spec: old, deployed: deployedAs(withImage(0, 1)) });
  expect(await readGoal(store)).toBeUndefined();
});

test("refuses one that cannot be read, which is given up all the same", async () => {
  const store = new MemoryStore();
  await store.write("goal", "{", undefined);
  expect(await failure(readGoal(store))).toMatchInlineSnapshot(
    `"memory/goal is damaged, so nothing is rolled; give it up with: rollout cancel"`,
  );
  await setGoal(store, undefined);
  expect(await readGoal(store)).toBeUndefined();
});
