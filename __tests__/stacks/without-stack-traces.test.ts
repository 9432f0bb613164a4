import { expect, test } from "@jest/globals";
import { withoutStackTraces } from "../../stacks/without-stack-traces.js";

/** As cdktf does it. */
function trace(): string | undefined {
  const place: { stack?: string } = {};
  Error.captureStackTrace(place);
  return place.stack;
}

test("nothing is traced inside, and everything again afterwards", () => {
  expect(withoutStackTraces(trace)).toBeUndefined();
  expect(trace()).toContain("without-stack-traces.test");
});

test("an error that is thrown inside keeps its trace, and what follows is traced again", () => {
  const broken = (): never => {
    throw new Error("broken");
  };
  const failing = (): unknown => withoutStackTraces(broken);
  expect(failing).toThrow(expect.objectContaining({ stack: expect.stringContaining("at broken") }));
  expect(trace()).toBeDefined();
});
