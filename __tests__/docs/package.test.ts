import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const { name, version, devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  name: string;
  version: string;
  devDependencies: Record<string, string>;
};

const texts = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" }).map((file) => join("docs", file)),
]
  .filter((file) => file.endsWith(".md"))
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

const found = (pattern: RegExp): string[] => [...new Set([...texts.matchAll(pattern)].map(([all]) => all))];

test("pages call the package, and the file that it is packed into, by the name in package.json", () => {
  expect(found(/@[\w-]+\/rollout\b/g)).toEqual([name]);
  expect(found(/\b[\w-]+-rollout-[\d.]+\.tgz/g)).toEqual([
    `${name.replace("@", "").replace("/", "-")}-${version}.tgz`,
  ]);
});

test("pages name the cdktn and the constructs that CI runs with it", () => {
  const script = readFileSync(".ci/cdktn", "utf8");
  const versions = /constructs=([\d.]+) .*npm:cdktn@([\d.]+)/.exec(script)?.slice(1);
  expect(versions).toHaveLength(2);
  const [constructs = "", cdktn = ""] = versions ?? [];
  expect(found(/npm:cdktn@[\d.]+/g)).toEqual([`npm:cdktn@${cdktn}`]);
  expect(found(/"constructs": "[\d.]+"/g)).toEqual([`"constructs": "${constructs}"`]);
});

test("pages name the versions of peers that this was tested with", () => {
  expect(found(/(?:@cdktf\/provider-\w+|cdktf-cli)@[\d.]+/g).sort()).toEqual(
    ["@cdktf/provider-aws", "@cdktf/provider-null", "cdktf-cli"].map(
      (peer) => `${peer}@${devDependencies[peer] ?? ""}`,
    ),
  );
});
