import { expect, test } from "@jest/globals";
import { allowed, CASES, type Dimension, isShort, titleOf, tuples, VALUES } from "./kill-matrix.js";

const SHORT = CASES.filter(isShort);

test("has at least 120 cases, each of which is another that makes sense", () => {
  const sensible = new Set(allowed().map(titleOf));
  expect(CASES.length).toBeGreaterThanOrEqual(120);
  expect(new Set(CASES.map(titleOf)).size).toBe(CASES.length);
  expect(CASES.map(titleOf).filter((title) => !sensible.has(title))).toEqual([]);
});

test("has every pair of values that makes sense", () => {
  const there = new Set(CASES.flatMap((each) => tuples(each, 2)));
  const pairs = new Set(allowed().flatMap((each) => tuples(each, 2)));
  expect([...pairs].filter((pair) => !there.has(pair))).toEqual([]);
});

test("leaves out these pairs of values, and no others", () => {
  const there = new Set(allowed().flatMap((each) => tuples(each, 2)));
  const dimensions = Object.keys(VALUES) as Dimension[];
  const all = dimensions.flatMap((one, index) =>
    dimensions
      .slice(index + 1)
      .flatMap((other) =>
        VALUES[one].flatMap((value) => VALUES[other].map((next) => `${one}=${value}, ${other}=${next}`)),
      ),
  );
  expect(all.filter((pair) => !there.has(pair))).toMatchInlineSnapshot(`
   [
     "runner=apply, kind=batch",
     "runner=cdktf, kind=batch",
     "runner=apply, signal=kill runner",
     "runner=driver, backend=ec2",
     "kind=batch, backend=ec2",
     "hook=stop-agents, backend=ec2",
     "hook=start-agents, backend=ec2",
   ]
  `);
});

test("keeps twelve in the short form, each value among them but EC2", () => {
  expect(SHORT).toHaveLength(12);
  const dimensions = Object.keys(VALUES) as Dimension[];
  for (const dimension of dimensions)
    expect(new Set(SHORT.map((each) => each[dimension]))).toEqual(
      new Set(VALUES[dimension].filter((value) => value !== "ec2")),
    );
});
