import { expect, test } from "@jest/globals";
import { baselineOf } from "../../stacks/baseline.js";
import { ownSpec } from "./own-cluster.js";

// Addresses apart from the rest: one that goes or is renamed means that something is destroyed.
test("the addresses are those of the snapshot", () => {
  expect([...baselineOf(ownSpec(), "git:main").addresses].sort().join("\n")).toMatchSnapshot();
});
