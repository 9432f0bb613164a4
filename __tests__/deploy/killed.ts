import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import type { Sight, Victim } from "./running-deploy.js";
import { hostsOf, rolled, SimulatedDemo } from "./simulated-demo.js";

/** Where a roll is when something of it is killed. */
const SIGHTS = {
  preflight: driver(/ preflight: /),
  plan: driver(/ plan: /),
  leave: driver(/ leave: its/),
  "drain under way": driver(/ drain: /),
  "server leaving": driver(/ (stop-nomad-server|consul-leave): /),
  apply: driver(/ apply: its/),
  "leave hook": terraform(/hook leave /),
  "stop-agents": terraform(/hook stop-agents /),
  "start-agents": terraform(/hook start-agents /),
  "configure-consul": terraform(/hook configure-consul /),
  gate: driver(/ gate: until/),
  baking: driver(/every condition is met/),
  record: driver(/ record: its/),
  "ready hook of the record": driver(/ record: its[^]*whole$/m),
} satisfies Record<string, Sight>;

export type Case = readonly [
  group: string,
  at: keyof typeof SIGHTS,
  signal: "SIGINT" | "SIGTERM" | "SIGKILL",
  victim: Victim,
];

/**
 * Declares a roll for each case that is cut off there and run again, on one cluster: every roll has to come to the same.
 * Processes are found by `/proc`.
 */
export function describeKilled(title: string, cases: readonly Case[]): void {
  describeReal(title, ["terraform"], (real) => {
    let demo: SimulatedDemo;

    beforeAll(async () => {
      demo = await SimulatedDemo.create(real);
    });

    afterAll(() => demo.remove());

    const titled = cases.map(([group, at, signal, victim]) => {
      const who = typeof victim === "string" ? victim : `hook ${victim.hook}`;
      return { title: `${group} at ${at}: ${signal} to ${who}`, group, at, signal, victim };
    });

    const linux = process.platform === "linux" ? test : test.skip;
    linux.each(titled)("$title", async ({ group, at, signal, victim }) => {
      const image = await demo.prepare(group);
      const run = demo.start(group);
      await run.see(SIGHTS[at]);
      await run.send(victim, signal);

      const cut = await run.end();
      if (victim === "driver" && signal === "SIGKILL") {
        expect(cut).toMatchObject({ signal });
        // Its Terraform goes on alone, to its end.
        await demo.quiet();
      } else {
        expect(cut).toMatchObject({ exitCode: 1, output: expect.stringMatching(SAID) });
      }
      const again = await demo.deploy(group);

      expect(again).toMatchObject({ exitCode: 0 });
      // A start that was cut off is done again, on the same machine; another host of the group may be at its start still.
      const mayStartAgain = at === "start-agents" || (at === "configure-consul" && hostsOf(group).length > 1);
      const startedAgain = mayStartAgain ? expect.any(Array) : [];
      expect(await demo.outcome(group)).toEqual({ ...rolled(group, image), startedAgain });
    });
  });
}

/** What to do next is said whatever has happened. */
const SAID =
  /stopped: nothing was done|stays in flight, finish it with: rollout deploy|terraform \w+ failed|run it again/;

function driver(text: RegExp): Sight {
  return { in: "driver", text };
}

function terraform(text: RegExp): Sight {
  return { in: "terraform", text };
}
