import { expect, test } from "@jest/globals";
import { formatPath, formatValue, SpecError } from "../../../cluster/yaml/problem.js";
import { UserError } from "../../../cluster/user-error.js";

test("problems come in the file's order, those without a line first", () => {
  const error = new SpecError("prod.yaml", [
    { line: 12, path: "pools.broker", message: "late" },
    { line: 3, path: "b", message: "second" },
    { line: 3, path: "a", message: "first" },
    { path: "", message: "about the whole file" },
  ]);
  expect(error.message).toMatchInlineSnapshot(`
   "prod.yaml: about the whole file
   prod.yaml:3: a: first
   prod.yaml:3: b: second
   prod.yaml:12: pools.broker: late"
  `);
});

test("a problem is one line, whatever the file contains", () => {
  const error = new SpecError("prod.yaml", [{ path: "", message: "invalid escape\n\u001b[31msequence\r\n" }]);
  expect(error.message).toBe("prod.yaml: invalid escape [31msequence");
});

test("a spec that cannot be used is a mistake of the user", () => {
  const error = new SpecError("prod.yaml", []);
  expect(error).toBeInstanceOf(UserError);
  expect(error.exitCode).toBe(2);
});

test("a path is written as people do", () => {
  expect(formatPath(["pools", "name-server", "images", 1])).toBe("pools.name-server.images[1]");
  expect(formatPath([])).toBe("");
});

test("a key that would be misread stands in quotes", () => {
  expect(formatPath(["pools", "a.b", "c"])).toBe('pools["a.b"].c');
  expect(formatPath([""])).toBe('[""]');
});

test.each([
  [null, "nothing"],
  ["a\nb", '"a\\nb"'],
  [Number.NaN, "NaN"],
  [[1, "x"], '[1,"x"]'],
  ["x".repeat(100), `"${"x".repeat(76)}...`],
])("%j is written as %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});
