import { expect, test } from "@jest/globals";
import { asked, newWorld, play, type Schedule } from "./schedules/schedule.js";

/** The place where a roll ends, how often each machine was made anew, and the groups that were whole one after the other. */
async function end(what: string, schedule: Schedule) {
  const world = newWorld();
  const { end, steps } = await play(world, asked(what), schedule);
  const made = world.story.filter((line) => line.includes(" starts from ")).sort();
  return { steps, end: { kind: end.kind, place: world.place, made } };
}

test.each(["broker", "nomad-server", "consul-server", "--all"])(
  "a roll of %s that is killed at any step and called again ends in the same place, no machine made twice",
  async (what) => {
    const { steps, end: wanted } = await end(what, []);
    expect(wanted.kind).toBe("done");
    expect(new Set(wanted.made).size).toBe(wanted.made.length);
    for (let step = 1; step < steps; step++) {
      const cut = await end(what, [{ after: step, event: { what: "killed" } }]);
      expect({ step, ...cut.end }).toEqual({ step, ...wanted });
    }
  },
);
