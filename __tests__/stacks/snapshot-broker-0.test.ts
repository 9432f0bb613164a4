import { expect, test } from "@jest/globals";
import { change, deployedAs, poolOf, smallAwsSpec, synthesize } from "../support/fixtures.js";
import { formatStack } from "./format-stack.js";

test("the view of broker-0 rolls its image and freezes all else", () => {
  const deployed = deployedAs(smallAwsSpec());
  const spec = change(smallAwsSpec(), (edited) => {
    poolOf(edited, "broker").images[0] = "ami-0bbb";
  });
  expect(formatStack(synthesize(spec, deployed, ["broker-0"]).get("broker-0") ?? "")).toMatchSnapshot();
});
