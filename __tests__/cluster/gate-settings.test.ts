import { expect, test } from "@jest/globals";
import { isCanary, bakeSecondsOf } from "../../cluster/gate-settings.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { exampleWith, specOf } from "./yaml/example.js";

const standing = [
  { name: "broker-0", images: ["ami-0aaa"] },
  { name: "broker-1", images: ["ami-0aaa", "ami-0bbb"] },
  { name: "broker-2", images: ["ami-0aaa"] },
  { name: "broker-new-0", images: ["ami-0ccc"] },
];

const rolled = (name: string, image: string) => ({ name, pool: "broker", image });

test("the first group of a pool that is rolled to an image is its canary", () => {
  expect(isCanary(rolled("broker-0", "ami-0ccc"), standing)).toBe(true);
  expect(isCanary(rolled("broker-2", "ami-0ccc"), standing)).toBe(true);
});

test("an image that has passed a gate of the pool before has no canary, also after an undo", () => {
  expect(isCanary(rolled("broker-0", "ami-0bbb"), standing)).toBe(false);
  expect(isCanary(rolled("broker-1", "ami-0aaa"), standing)).toBe(false);
});

test("a group that comes anew is no canary", () => {
  expect(isCanary(rolled("broker-0", "ami-0aaa"), [])).toBe(false);
  expect(isCanary(rolled("broker-0", "ami-0ccc"), standing.slice(1))).toBe(false);
});

test("a canary has to stay ready for bake.first, every other group for bake.time", () => {
  const spec = specOf(
    exampleWith(["workload: stays # moves", "bake: { time: 1m, first: 1h }\n    workload: stays # moves"]),
  );
  const broker = groupsOf(spec).find(({ name }) => name === "broker-0");
  const to = (image: string): Group => {
    if (!broker) throw new Error("no broker-0");
    return { ...broker, image };
  };
  expect(bakeSecondsOf(to("ami-0ccc"), spec, standing)).toBe(3600);
  expect(bakeSecondsOf(to("ami-0bbb"), spec, standing)).toBe(60);
});
