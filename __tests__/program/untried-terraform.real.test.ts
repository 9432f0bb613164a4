import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { untriedTerraform } from "../../program/untried-terraform.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-untried-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A program that answers like the real one of this version. */
async function standIn(
  name: string,
  version: string,
): Promise<{ PATH: string; TERRAFORM_BINARY_NAME: string }> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\necho '{"terraform_version":"${version}"}'\n`);
  await chmod(file, 0o700);
  return { PATH: folder, TERRAFORM_BINARY_NAME: "" };
}

describe("A Terraform whose plans were never read", () => {
  test.each([
    ["terraform", "1.14.9"],
    ["tofu", "1.12.0"],
    // Refused where it is needed.
    ["terraform", "1.8.0"],
  ])("is not %s %s", async (name, version) => {
    expect(await untriedTerraform(await standIn(name, version))).toEqual([]);
  });

  test("is named, with the newest that was tried", async () => {
    expect(await untriedTerraform(await standIn("terraform", "1.15.0"))).toMatchInlineSnapshot(`
     [
       "warning: Terraform 1.15.0 was not tried, the newest that was is 1.14: a plan of it that says what this version of rollout does not know is refused; have an older one at hand (TERRAFORM_BINARY_NAME)",
     ]
    `);
    await rm(join(folder, "terraform"));
    expect(await untriedTerraform(await standIn("tofu", "1.13.1"))).toMatchInlineSnapshot(`
     [
       "warning: OpenTofu 1.13.1 was not tried, the newest that was is 1.12: a plan of it that says what this version of rollout does not know is refused; have an older one at hand (TERRAFORM_BINARY_NAME)",
     ]
    `);
  });

  test("is nothing where there is none", async () => {
    expect(await untriedTerraform({ PATH: folder, TERRAFORM_BINARY_NAME: "" })).toEqual([]);
  });

  test("is named by validate beside its result, and validate succeeds without any", async () => {
    const validate = async (path: string): Promise<unknown[]> => {
      const { exitCode, stdout, stderr } = await execa(
        process.execPath,
        ["dist/bin/rollout.js", "validate"],
        {
          env: { PATH: path, CLUSTER: "cluster.example.yaml" },
          extendEnv: false,
        },
      );
      return [exitCode, stdout.replace(/:.*$/, ""), stderr.replace(/,.*$/, "")];
    };
    expect(await validate(folder)).toEqual([0, expect.stringContaining("is valid"), ""]);
    await standIn("terraform", "1.15.0");
    expect(await validate(folder)).toEqual([
      0,
      expect.stringContaining("is valid"),
      "warning: Terraform 1.15.0 was not tried",
    ]);
  });
});
