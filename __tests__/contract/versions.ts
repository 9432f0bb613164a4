import { readFileSync, writeFileSync } from "node:fs";
import { execa } from "execa";
import * as z from "zod";

const file = new URL("versions.json", import.meta.url);

const Versions = z.array(
  z.strictObject({
    product: z.enum(["Consul", "Nomad"]),
    version: z.string(),
    /** `definitions`: simulated as the product's public definitions say, until the real one has run. */
    against: z.enum(["real", "definitions"]),
  }),
);
type Version = z.output<typeof Versions>[number];

/** What the contract suites have run against. the table of docs/versions.md is made from it. */
export const readVersions = (): Version[] => Versions.parse(JSON.parse(readFileSync(file, "utf8")));

/**
 * Prints which version of a real agent a suite runs against. With `ROLLOUT_TEST_RECORD=1` it is written down, in place of
 * what stood for it until then.
 */
export async function ranAgainst(product: Version["product"], binary: string): Promise<void> {
  const { stdout } = await execa(binary, ["version"]);
  const version = /^\w+ v(\S+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${binary} does not say its version: ${stdout}`);
  say(product, version, "the real agent");
  if (process.env["ROLLOUT_TEST_RECORD"] !== "1") return;
  const others = readVersions().filter((one) => one.product !== product || one.version !== version);
  const all = [...others, { product, version, against: "real" as const }].sort(byVersion);
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
}

/** Prints which version a suite was simulated as. */
export function say(product: Version["product"], version: string, how: string): void {
  process.stderr.write(`contract: ${product} ${version}, ${how}\n`);
}

const byVersion = (one: Version, other: Version): number =>
  one.product.localeCompare(other.product) ||
  one.version.localeCompare(other.version, "en", { numeric: true });
