import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { unbuiltSource } from "../../cli/unbuilt-source.js";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rollout-unbuilt-"));
  put("dist/bin/rollout.js", 100);
  put("dist/main.js", 100);
  put("dist/guard/rules/one-group.js", 90);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

test("the source that was edited last is named, and only where that was after the build", () => {
  put("main.ts", 80);
  put("guard/rules/one-group.ts", 80);
  expect(unbuiltSource(root)).toBeUndefined();
  put("guard/rules/one-group.ts", 101);
  expect(unbuiltSource(root)).toBe("guard/rules/one-group.ts");
  put("main.ts", 102);
  expect(unbuiltSource(root)).toBe("main.ts");
});

test("what is not built counts as little as what is no source", () => {
  for (const file of ["guard/__tests__/a.test.ts", "guard/notes.md", "own/mine.ts", "jest.config.ts"])
    put(file, 101);
  expect(unbuiltSource(root)).toBeUndefined();
});

test("an installed package has nothing that could be newer", () => {
  put("dist/index.d.ts", 200);
  put("dist/guard/verdict.d.ts", 200);
  expect(unbuiltSource(root)).toBeUndefined();
});

function put(file: string, seconds: number): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), "");
  utimesSync(join(root, file), seconds, seconds);
}
