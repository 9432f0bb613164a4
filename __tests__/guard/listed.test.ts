import { expect, test } from "@jest/globals";
import { listed } from "../../guard/listed.js";

const subjects = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `s${String(index)}`);

test("a short list is shown whole", () => {
  expect(listed([])).toBe("");
  expect(listed(subjects(9))).toBe("s0, s1, s2, s3, s4, s5, s6, s7, s8");
});

test("of a long list the rest is counted", () => {
  expect(listed(subjects(10))).toBe("s0, s1, s2, s3, s4, s5, s6, s7 and 2 more");
});
