import { expect, test } from "@jest/globals";
import { gateSettingsOf } from "../../cluster/gate-settings.js";
import { EXAMPLE, specOf } from "../cluster/yaml/example.js";
import { readRepository } from "../support/consul-agent.js";

/** The pools of the page on steps, as they stand there, without their names. */
const PAGE = await readRepository("docs/how-to/14-steps.md");
const POOLS = [...PAGE.matchAll(/^```yaml\npools:\n {2}(\w+):\n([^`]*)^```/gm)].map(
  ([, , text = ""]) => text,
);

test("each fragment of the page on steps is a pool's part of a spec", () => {
  const titles = POOLS.map((text) => {
    const spec = specOf(EXAMPLE.replace(/^ {2}broker:\n/m, (broker) => broker + text));
    return gateSettingsOf("broker", spec).steps.map(({ title, undo }) => (undo ? `${title}, undone` : title));
  });
  expect(titles).toEqual([
    ["step silence (beforeLeave), undone"],
    [
      "step allocation-off (beforeLeave), undone",
      "step allocation-on (afterReady)",
      "step green (afterReady)",
    ],
    ["step leaders-move (beforeLeave)", "step leaders-return (afterReady)"],
  ]);
});
