import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
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

type Case = readonly [
  group: string,
  at: keyof typeof SIGHTS,
  signal: "SIGINT" | "SIGTERM" | "SIGKILL",
  victim: Victim,
];

const [broker, nomad, consul] = ["broker-0", "nomad-server-1", "consul-server-1"];

/** What the kills of the matrix (`kill-cases`) do not have: a hook alone, and a signal that asks. */
const CASES: readonly Case[] = [
  [broker, "start-agents", "SIGKILL", { hook: "start-agents" }],
  [nomad, "stop-agents", "SIGTERM", "terraform"],
];

/** What `npm run test:long` tries besides: every step. */
const MORE_CASES: readonly Case[] = [
  [broker, "drain under way", "SIGKILL", "driver"],
  [consul, "configure-consul", "SIGINT", "driver"],
  [broker, "preflight", "SIGINT", "driver"],
  [broker, "plan", "SIGTERM", "driver"],
  [broker, "plan", "SIGINT", "terraform"],
  [broker, "plan", "SIGKILL", "terraform"],
  [broker, "leave", "SIGKILL", "driver"],
  [broker, "drain under way", "SIGINT", "driver"],
  [broker, "leave hook", "SIGKILL", { hook: "leave" }],
  [broker, "stop-agents", "SIGINT", "driver"],
  [broker, "stop-agents", "SIGKILL", "driver"],
  [broker, "stop-agents", "SIGKILL", { hook: "stop-agents" }],
  [broker, "start-agents", "SIGTERM", "driver"],
  [broker, "start-agents", "SIGINT", "terraform"],
  [broker, "start-agents", "SIGKILL", "terraform"],
  [broker, "configure-consul", "SIGKILL", "driver"],
  [broker, "configure-consul", "SIGTERM", "terraform"],
  [broker, "configure-consul", "SIGINT", { hook: "configure-consul" }],
  [broker, "gate", "SIGKILL", "driver"],
  [broker, "baking", "SIGINT", "driver"],
  [broker, "record", "SIGINT", "driver"],
  [broker, "ready hook of the record", "SIGKILL", "driver"],
  [broker, "ready hook of the record", "SIGTERM", { hook: "ready" }],
  [nomad, "preflight", "SIGKILL", "driver"],
  [nomad, "plan", "SIGINT", "driver"],
  [nomad, "leave", "SIGINT", "driver"],
  [nomad, "server leaving", "SIGKILL", "driver"],
  [nomad, "apply", "SIGINT", "driver"],
  [nomad, "start-agents", "SIGKILL", "driver"],
  [nomad, "configure-consul", "SIGKILL", "terraform"],
  [nomad, "gate", "SIGTERM", "driver"],
  [nomad, "ready hook of the record", "SIGKILL", "terraform"],
  [consul, "preflight", "SIGTERM", "driver"],
  [consul, "plan", "SIGKILL", "driver"],
  [consul, "server leaving", "SIGINT", "driver"],
  [consul, "server leaving", "SIGKILL", "driver"],
  [consul, "leave hook", "SIGTERM", { hook: "leave" }],
  [consul, "start-agents", "SIGINT", { hook: "start-agents" }],
  [consul, "configure-consul", "SIGKILL", "terraform"],
  [consul, "configure-consul", "SIGKILL", { hook: "configure-consul" }],
  [consul, "baking", "SIGKILL", "driver"],
  [consul, "record", "SIGINT", "terraform"],
];

/**
 * Every roll is cut off somewhere and run again, all of them on one cluster: each has to come to the same. Processes are
 * found by `/proc`.
 */
describeReal("A roll that is cut off and run again", ["terraform"], (real) => {
  let demo: SimulatedDemo;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });

  afterAll(() => demo.remove());

  const comesToTheSame = async ({ group, at, signal, victim }: Titled): Promise<void> => {
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
  };

  const isLinux = process.platform === "linux";
  (isLinux ? test : test.skip).each(CASES.map(titled))("$title", comesToTheSame);
  (isLinux ? longTest : test.skip).each(MORE_CASES.map(titled))("$title", comesToTheSame);
});

function titled([group, at, signal, victim]: Case) {
  const who = typeof victim === "string" ? victim : `hook ${victim.hook}`;
  return { title: `${group} at ${at}: ${signal} to ${who}`, group, at, signal, victim };
}

type Titled = ReturnType<typeof titled>;

/** What to do next is said whatever has happened. */
const SAID =
  /stopped: nothing was done|stays in flight, finish it with: rollout deploy|(terraform|tofu) \w+ failed|run it again/;

function driver(text: RegExp): Sight {
  return { in: "driver", text };
}

function terraform(text: RegExp): Sight {
  return { in: "terraform", text };
}
