import { expect, test } from "@jest/globals";
import { realClock } from "../../clients/clock.js";
import { findGroup } from "../../cluster/find-group.js";
import { askPool } from "../../hooks/leave.js";
import { wholeCluster } from "../rollout/observed.js";
import { change, poolOf, smallSpec } from "../support/fixtures.js";
import { MemoryStore } from "../support/memory-store.js";

const spec = change(smallSpec(), (edited) => {
  const check = { command: ["no-such-program"], interval: "5s", timeout: "5s" };
  poolOf(edited, "broker").ready.checks = [
    { name: "in-sync", ...check },
    { name: "warm", ...check, when: "after" },
  ];
});

/** What is said, and what its pool has against it. */
async function ask(retires: boolean, images: string[]) {
  const said: string[] = [];
  const group = { ...findGroup(spec, "broker-0"), retires };
  const context = {
    env: {},
    file: { spec, specFolder: ".", deployed: [{ name: "broker-0", hosts: ["broker-0-0"], images }] },
    clock: realClock,
    say: (line: string) => void said.push(line),
    onCondition: () => undefined,
    signal: new AbortController().signal,
    folder: ".",
    store: () => Promise.resolve(new MemoryStore()),
  };
  return { said, objections: await askPool(context, group, wholeCluster(), []) };
}

test("the checks of a pool that retires are not asked, which is said", async () => {
  expect(await ask(true, ["ami-0aaa"])).toEqual({
    said: ["broker-0 retires, so these checks are not asked: in-sync"],
    objections: undefined,
  });
});

test("nor are those of a group whose machines run what was never proven", async () => {
  expect(await ask(false, [])).toEqual({
    said: ["broker-0 goes on, is mended or goes back, so these checks are not asked: in-sync"],
    objections: undefined,
  });
});
