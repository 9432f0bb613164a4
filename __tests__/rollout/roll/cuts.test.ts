import { describe, expect, test } from "@jest/globals";
import { isLong } from "../../support/long.js";
import { asked, newWorld, play, type Event, type Schedule } from "../schedules/schedule.js";

/** The place where a roll ends, how often each machine was made anew, and the groups that were whole one after the other. */
async function end(what: string, schedule: Schedule) {
  const world = newWorld();
  const { end, steps } = await play(world, asked(what), schedule);
  const made = world.story.filter((line) => line.includes(" starts from ")).sort();
  const torn = world.story.some((line) => line.startsWith("--- torn: create of host"));
  return { steps, torn, end: { kind: end.kind, place: world.place, made } };
}

const cutAt = (step: number, what: Event["what"] & ("killed" | "interrupted" | "torn")): Schedule => [
  { after: step, event: { what } },
];

describe.each(["broker", "nomad-server", "consul-server", "--all"])("a roll of %s", (what) => {
  // Of the long one some steps, since each pool by itself has them all.
  const everyStep = what === "--all" ? 7 : 1;
  const stride = isLong ? everyStep : 7;

  test.each(["killed", "interrupted"] as const)(
    "that is %s at any step and called again ends in the same place, no machine made twice",
    async (cut) => {
      const { steps, end: wanted } = await end(what, []);
      expect(wanted.kind).toBe("done");
      expect(new Set(wanted.made).size).toBe(wanted.made.length);
      for (let step = 1; step < steps; step += stride) {
        const again = await end(what, cutAt(step, cut));
        expect({ step, ...again.end }).toEqual({ step, ...wanted });
      }
    },
  );

  test("that is killed before what it has just done is written down ends in the same place", async () => {
    const { steps, end: wanted } = await end(what, []);
    let torn = 0;
    for (let step = 1; step < steps; step += everyStep) {
      const again = await end(what, cutAt(step, "torn"));
      expect({ step, ...again.end }).toEqual({ step, ...wanted });
      if (again.torn) torn++;
    }
    expect(torn).toBeGreaterThan(0);
  });
});
