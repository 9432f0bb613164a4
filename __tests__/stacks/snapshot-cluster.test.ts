import { expect, test } from "@jest/globals";
import { nothing, smallAwsSpec, synthesize } from "../support/fixtures.js";
import { formatStack } from "./format-stack.js";

test("the cluster view creates a small cluster", () => {
  const [spec, deployed] = [smallAwsSpec(), nothing()];
  expect(formatStack(synthesize(spec, deployed, ["cluster"]).get("cluster") ?? "")).toMatchSnapshot();
});
