import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { consoleBlocks, unlike } from "../support/console-blocks.js";
import { describeReal } from "../support/environment.js";
import { Walk } from "../support/walk.js";

const PAGES = fileURLToPath(new URL("../../docs/how-to", import.meta.url));

/** The pages in the order in which they are read; each goes on where the one before ended. */
const commands = readdirSync(PAGES)
  .filter((name) => /^[1-47]-.*\.md$/.test(name))
  .sort()
  .flatMap((name) => consoleBlocks(name, readFileSync(`${PAGES}/${name}`, "utf8")));

describeReal("The how-to pages", ["terraform"], (real) => {
  let walk: Walk;

  beforeAll(async () => {
    walk = await Walk.create(real);
  });

  afterAll(async () => {
    await walk.end();
  });

  test.each(commands.map((shown) => [`${shown.page}:${String(shown.line)}`, shown.command, shown] as const))(
    "%s: %s",
    async (_, command, { output, exitCode }) => {
      const ended = await walk.run(command);
      const difference = output.some((line) => line !== "") ? unlike(output, ended.output) : undefined;
      expect({ ...ended, difference }).toEqual({ ...ended, exitCode, difference: undefined });
    },
  );
});

test("the Nomad job is a file that HCL can read", async () => {
  const input = readFileSync(`${PAGES}/rollout.nomad.hcl`, "utf8");
  const { exitCode } = await execa("terraform", ["fmt", "-"], { input, reject: false });
  // 2 is a syntax error.
  expect([0, 3]).toContain(exitCode);
});
