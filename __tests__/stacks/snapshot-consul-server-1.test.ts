import { expect, test } from "@jest/globals";
import { change, deployedAs, poolOf, smallAwsSpec, synthesize } from "../support/fixtures.js";
import { formatStack } from "./format-stack.js";

test("the view of consul-server-1 rolls its image and tells every machine of it", () => {
  const deployed = deployedAs(smallAwsSpec());
  const spec = change(smallAwsSpec(), (edited) => {
    poolOf(edited, "consul-server").images[1] = "ami-0bbb";
  });
  expect(
    formatStack(synthesize(spec, deployed, ["consul-server-1"]).get("consul-server-1") ?? ""),
  ).toMatchSnapshot();
});
