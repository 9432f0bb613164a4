import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "@jest/globals";
import { anchor } from "../../scripts/reference/markdown.js";

const pages = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

const withoutCode = (text: string): string =>
  text.replace(/^( *)```.*?^\1```$/gms, "").replace(/`[^`\n]+`/g, "");

/** As GitHub names them: what comes up again gets a number. */
function anchorsOf(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ""] of text.replace(/^( *)```.*?^\1```$/gms, "").matchAll(/^#+ (.+)$/gm)) {
    const name = anchor(heading);
    let [unique, count] = [name, 0];
    while (found.has(unique)) unique = `${name}-${String(++count)}`;
    found.add(unique);
  }
  return found;
}

/** The links of a page that lead nowhere. */
function broken(page: string, text: string): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  return targets.filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [path = "", place] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(file)) return true;
    if (place === undefined) return false;
    const there = path === "" ? text : statSync(file).isFile() ? readFileSync(file, "utf8") : "";
    return !anchorsOf(there).has(place);
  });
}

test.each(pages)("every link of %s leads to a file, and to a heading of it", (page) => {
  expect(broken(page, readFileSync(page, "utf8"))).toEqual([]);
});

test("a link to a file or a heading that is not there is found, and what stands in code is none", () => {
  const text =
    "# Top\n[a](gone.md) [b](#top) [c](#below) `[d](gone.md)` [e](docs/concepts.md#frozen) [f](docs#x)";
  expect(broken("README.md", text)).toEqual(["gone.md", "#below", "docs#x"]);
});

test("README is three screens at most", () => {
  expect(Buffer.byteLength(readFileSync("README.md"))).toBeLessThan(10_000);
});
