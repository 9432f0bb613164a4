import { expect, test } from "@jest/globals";
import { formatStack } from "../stacks/format-stack.js";
import { nothing, ownSpec, synthesizeView } from "./own-cluster.js";

// Your own infrastructure under snapshot: `__snapshots__/cluster.test.ts.snap` holds all that the cluster view declares.
// After a change that you want: npm test -- --update-snapshot __tests__/infrastructure, and review the difference.
test("the cluster view declares what the snapshot says", () => {
  expect(formatStack(synthesizeView(ownSpec(), nothing, "cluster"))).toMatchSnapshot();
});
