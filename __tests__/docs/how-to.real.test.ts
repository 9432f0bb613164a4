import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { consoleBlocks, unlike } from "../support/console-blocks.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { Walk } from "../support/walk.js";

const PAGES = fileURLToPath(new URL("../../docs/how-to", import.meta.url));

/** The pages in the order in which they are read; each goes on where the one before ended. */
const commands = readdirSync(PAGES)
  .filter((name) => /^[1-47]-.*\.md$/.test(name))
  .sort()
  .flatMap((name) => consoleBlocks(name, readFileSync(`${PAGES}/${name}`, "utf8")));

/** A cluster, a group of clients and the servers; how a gate fails and what a review says comes after them. */
const SHORT = /^[1-3]-/;

describeReal("The how-to pages", ["terraform"], (real) => {
  let walk: Walk;

  beforeAll(async () => {
    walk = await Walk.create(real);
  });

  afterAll(async () => {
    await walk.end();
  });

  const titled = (isShort: boolean) =>
    commands
      .filter(({ page }) => SHORT.test(page) === isShort)
      .map((shown) => [`${shown.page}:${String(shown.line)}`, shown.command, shown] as const);

  const doesAsShown = async (
    _: string,
    command: string,
    { output, exitCode }: (typeof commands)[number],
  ): Promise<void> => {
    const ended = await walk.run(command);
    const difference = output.some((line) => line !== "") ? unlike(output, ended.output) : undefined;
    expect({ ...ended, difference }).toEqual({ ...ended, exitCode, difference: undefined });
  };

  test.each(titled(true))("%s: %s", doesAsShown);
  longTest.each(titled(false))("%s: %s", doesAsShown);
});

test("the Nomad job is a file that HCL can read", async () => {
  const input = readFileSync(`${PAGES}/rollout.nomad.hcl`, "utf8");
  const { exitCode } = await execa("terraform", ["fmt", "-"], { input, reject: false });
  // 2 is a syntax error.
  expect([0, 3]).toContain(exitCode);
});
