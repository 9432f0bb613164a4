import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { buildApp, loadProgram } from "../../program/program.js";
import { nothing, smallSpec } from "../support/fixtures.js";

test.each(["${x}", "%{ if true }"])(
  "refuses a folder %s, which Terraform would read as an expression",
  (name) => {
    expect(pathOf(name)).toBe(
      `Terraform would read a part of this path as an expression: ../../../${name}/spec; name its folders without \${ and %{`,
    );
  },
);

test("accepts folders whose names no expression begins in", () => {
  for (const name of ["$x{}", "a b%", "{$}"]) expect(pathOf(name)).toBe("accepted");
});

test.each([
  ["Roll broker-0", "Roll broker-0"],
  ["Roll broker-0\r\n\nWith a body.", "Roll broker-0"],
  ["a".repeat(1_000_000), "a".repeat(200)],
  [`${"a".repeat(199)}😀`, "a".repeat(199)],
  [`${"a".repeat(198)}😀b`, `${"a".repeat(198)}😀`],
])("a cause is one line of 200 characters (%#)", async (given, cause) => {
  const folder = mkdtempSync(join(tmpdir(), "rollout-program-"));
  try {
    const file = join(folder, "cluster.yaml");
    copyFileSync(new URL("../../cluster.example.yaml", import.meta.url), file);
    expect((await loadProgram({ CLUSTER: file, ROLLOUT_CAUSE: given })).cause).toBe(cause);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** What becomes of a spec in a folder of that name. */
function pathOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "rollout-program-"));
  try {
    mkdirSync(join(folder, name, "spec"), { recursive: true });
    const program = {
      spec: smallSpec(),
      file: join(folder, name, "spec", "cluster.yaml"),
      shown: "cluster.yaml",
      isExample: false,
      deployed: nothing(),
      views: ["cluster"],
      cause: "first",
    };
    buildApp(program, join(folder, "out"));
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
