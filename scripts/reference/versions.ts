import { readFileSync } from "node:fs";
import * as z from "zod";
import { table } from "./markdown.js";

const Versions = z.array(z.object({ product: z.string(), version: z.string(), against: z.string() }));

const [BEGIN, END] = ["<!-- versions: npm run reference -->", "<!-- end of versions -->"];

const HOW: Readonly<Record<string, string>> = {
  real: "the contract suite against the real agents",
  definitions:
    "the contract suite against agents that are simulated by its public definitions; the real one has not run",
};

const PAGE = "docs/versions.md";

/** The page with its table made from what the contract suites have run against. */
export function versionsPage(): string {
  const [before, rest = ""] = readFileSync(PAGE, "utf8").split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no ${BEGIN} or no ${END}`);
  return `${before}${BEGIN}\n\n${versionsTable()}\n\n${END}${after}`;
}

function versionsTable(): string {
  const versions = Versions.parse(JSON.parse(readFileSync("__tests__/contract/versions.json", "utf8")));
  const rows = versions.map(({ product, version, against }, index) => {
    const isLowest = versions.findIndex((one) => one.product === product) === index;
    return [product, `${version}${isLowest ? " (the lowest)" : ""}`, HOW[against] ?? against];
  });
  return table(["product", "version", "what ran"], rows);
}
